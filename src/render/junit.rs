//! JUnit: a suite for each account and region, a case for each finding, each undecided rule, and each edge without a
//! finding.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use super::anchor::Occasion;
use super::escape::{visible, visible_lines};
use super::position::Positions;
use super::told;
use crate::report::Report;
use crate::rules::EdgeVerdict;

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let mut suites: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    let mut told_of = BTreeSet::new();
    for all in &report.findings {
        let finding = &all.finding;
        told_of.insert(&finding.subject);
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_message(visible(&finding.said.message).as_ref())
            .set_type(all.severity.word());
        if let Some(help) = &finding.said.help {
            status.set_description(visible_lines(help).as_ref());
        }
        let name = format!(
            "{} {}: {}",
            finding.rule.code,
            finding.rule.name,
            told::edge(&finding.subject)
        );
        let mut case = TestCase::new(name, status);
        case.set_classname(finding.rule.name);
        let anchor = occasion.anchor(all, &mut positions);
        if !anchor.is_stand_in {
            case.extra
                .insert("file".into(), visible(&anchor.path).as_ref().into());
            case.extra.insert("line".into(), anchor.line.to_string().into());
        }
        suites.entry(told::part(&finding.subject)).or_default().push(case);
    }
    for each in &report.undecided {
        told_of.insert(&each.subject);
        let mut status = TestCaseStatus::skipped();
        status.set_message(told::undecided(each));
        let name = format!(
            "{} {}: {}",
            each.rule.code,
            each.rule.name,
            told::edge(&each.subject)
        );
        let mut case = TestCase::new(name, status);
        case.set_classname(each.rule.name);
        suites.entry(told::part(&each.subject)).or_default().push(case);
    }
    for edge in &report.edges {
        if !told_of.contains(&edge.subject) {
            let name = format!("{}: {}", told::edge(&edge.subject), edge.verdict.word());
            let status = match edge.verdict {
                EdgeVerdict::Delivers => TestCaseStatus::success(),
                // Nobody says that it is right; what is wrong is suppressed, or in the baseline.
                verdict @ (EdgeVerdict::Blocked
                | EdgeVerdict::Unreadable
                | EdgeVerdict::Loops
                | EdgeVerdict::Unknown) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(verdict.word());
                    status
                }
            };
            let mut case = TestCase::new(name, status);
            case.set_classname("logging-edge");
            suites.entry(told::part(&edge.subject)).or_default().push(case);
        }
    }
    let mut junit = JunitReport::new(env!("CARGO_PKG_NAME"));
    for (part, cases) in suites {
        let name = match part.is_empty() {
            true => "no account",
            false => &part,
        };
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(cases);
        junit.add_test_suite(suite);
    }
    junit.serialize(out).map_err(io::Error::other)
}
