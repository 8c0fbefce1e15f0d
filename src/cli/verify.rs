//! `verify`: looks whether log objects really arrive.
//!
//! The audit says what stands in the way of a delivery; this looks at what was delivered. That nothing was seen is no
//! proof of anything, and is never called one.

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::error::Error;
use super::output::Console;

#[derive(Debug, Args)]
#[command(after_help = "\
It lists the newest objects under each edge's prefix (s3:ListBucket on the log buckets) and reads none of them.
That nothing was seen proves nothing: an idle bucket has no logs, and delivery is best effort and takes its time.

Exit codes:
  0  logs of every edge were seen
  3  of some edge none was seen, or nobody could look

Examples:
  s3log-lint verify
  s3log-lint verify --bucket app-data --days 7
  s3log-lint verify --probe                     makes a request to each source; look again in a few hours")]
pub struct VerifyArguments {
    #[command(flatten)]
    pub account: AccountArguments,
    /// How many days to look back
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub days: u16,
    /// Make one harmless request (HeadBucket) to each source, so that there is something to log
    #[arg(long)]
    pub probe: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: VerifyFormat,
    /// Print the read-only IAM policy that a run needs, and stop
    #[arg(long)]
    pub print_iam_policy: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

#[cfg(not(feature = "aws"))]
pub fn run(_arguments: &VerifyArguments, _console: &Console) -> Result<Exit, Error> {
    Err(Error::NoAws)
}

#[cfg(feature = "aws")]
pub fn run(arguments: &VerifyArguments, console: &Console) -> Result<Exit, Error> {
    if arguments.print_iam_policy {
        return super::iam_policy::print(&arguments.account, console);
    }
    live::run(arguments, console)
}

#[cfg(feature = "aws")]
mod live {
    use std::collections::BTreeMap;
    use std::io::{self, Write};

    use jiff::Timestamp;
    use serde::Serialize;

    use super::{AccountArguments, Console, Error, Exit, VerifyArguments, VerifyFormat};
    use crate::aws::arrivals::{Arrivals, Place, look, probe};
    use crate::aws::{Access, Refusal};
    use crate::cli::arguments::CONCURRENCY;
    use crate::cli::{account, audit, input};
    use crate::graph::{Edge, LogGraph, Target};
    use crate::inventory::{Call, Fact};
    use crate::name::{AccountId, Region};
    use crate::render::escape::visible;
    use crate::report::Settings;
    use crate::rules::LintedEdge;

    /// What was seen of the logs of one edge.
    #[derive(Debug, Serialize)]
    struct Seen {
        account: Option<String>,
        region: Option<String>,
        source: String,
        target: String,
        prefix: Option<String>,
        /// What the audit expects.
        verdict: &'static str,
        causes: Vec<&'static str>,
        seen: Word,
        /// When the newest log object was written.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
        newest: Option<Timestamp>,
        /// How many log objects were listed; there may be more.
        #[serde(skip_serializing_if = "Option::is_none")]
        objects: Option<usize>,
        /// So many other sources write the same keys: whose logs these are, their names don't tell.
        #[serde(skip_serializing_if = "is_zero")]
        shared_with: usize,
        /// The IAM action without which nobody could look.
        #[serde(skip_serializing_if = "Option::is_none")]
        needs: Option<&'static str>,
        /// Why nobody could look, otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        Arrived,
        NotSeen,
        NotLooked,
    }

    fn as_text<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    fn is_zero(number: &usize) -> bool {
        *number == 0
    }

    #[derive(Debug, Serialize)]
    struct Document<'s> {
        version: u32,
        looked_at: String,
        days: u16,
        edges: &'s [Seen],
    }

    pub fn run(arguments: &VerifyArguments, console: &Console) -> Result<Exit, Error> {
        if arguments.account.snapshot.is_some() || arguments.account.demo {
            return Err(Error::NothingToSee);
        }
        let inventory = input::read(&arguments.account, console)?;
        let graph = LogGraph::new(&inventory);
        let report = audit::lint(&inventory, &Settings::default());
        let edges: Vec<&Edge<'_>> = graph
            .edges()
            .map(|(_, edge)| edge)
            .filter(|edge| edge.source.in_scope)
            .collect();
        let sharing = count_sharing(&graph);
        let places: Vec<Option<Place>> = edges.iter().map(|edge| place(edge)).collect();
        let owner = inventory
            .accounts
            .first()
            .and_then(|account| account.id.known())
            .map(AccountId::as_str);
        let now = now();
        let looked = ask(arguments, owner, &places, now)?;

        let expected: BTreeMap<&str, &LintedEdge> = report
            .edges
            .iter()
            .map(|linted| (linted.subject.bucket.as_str(), linted))
            .collect();
        let mut looked = looked.into_iter();
        let seen: Vec<Seen> = edges
            .iter()
            .zip(&places)
            .map(|(edge, place)| {
                let arrivals = place.as_ref().and_then(|_| looked.next());
                let shared = place
                    .as_ref()
                    .map_or(0, |place| sharing.get(&keys(place)).copied().unwrap_or(0));
                let mut seen = describe(edge, arrivals, shared.saturating_sub(1));
                if let Some(expected) = expected.get(edge.source.label.as_ref()) {
                    seen.verdict = expected.verdict.word();
                    seen.causes.clone_from(&expected.causes);
                }
                seen
            })
            .collect();

        console.write(|out| match arguments.format {
            VerifyFormat::Human => print(&seen, arguments.days, now, out),
            VerifyFormat::Json => {
                let document = Document {
                    version: 1,
                    looked_at: now.to_string(),
                    days: arguments.days,
                    edges: &seen,
                };
                serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::from)?;
                writeln!(out)
            }
        })?;
        if arguments.probe {
            send_probes(&arguments.account, &edges, console)?;
        }
        Ok(if seen.iter().all(|seen| seen.seen == Word::Arrived) {
            Exit::Clean
        } else {
            Exit::Undecided
        })
    }

    fn now() -> Timestamp {
        let now = Timestamp::now();
        Timestamp::new(now.as_second(), 0).unwrap_or(now)
    }

    fn ask(
        arguments: &VerifyArguments,
        owner: Option<&str>,
        places: &[Option<Place>],
        now: Timestamp,
    ) -> Result<Vec<Arrivals>, Error> {
        let places: Vec<Place> = places.iter().flatten().cloned().collect();
        let concurrency = usize::from(arguments.account.concurrency.unwrap_or(CONCURRENCY));
        account::block_on(async {
            let session = account::open(&arguments.account, Access::ReadOnly).await?;
            Ok(look(&session, owner, &places, now, arguments.days, concurrency).await)
        })
    }

    /// Where the logs of an edge lie, if that is a bucket of this account.
    fn place(edge: &Edge<'_>) -> Option<Place> {
        let Target::Bucket(target) = &edge.target else {
            return None;
        };
        let region = |fact: &Fact<Region>| fact.known().cloned();
        let partition = match edge.logging.key_format.known()?.is_partitioned() {
            false => None,
            true => Some(format!(
                "{}/{}/{}/",
                edge.account.id.known()?,
                edge.source.region.known()?,
                edge.source.label
            )),
        };
        Some(Place {
            target: target.label.to_string(),
            region: region(&target.region)?,
            prefix: match &edge.logging.prefix {
                Fact::Known(prefix) => prefix.clone(),
                Fact::Absent => String::new(),
                Fact::Unknown(_) => return None,
            },
            partition,
        })
    }

    fn keys(place: &Place) -> (String, String) {
        let partition = place.partition.as_deref().unwrap_or_default();
        (place.target.clone(), format!("{}{partition}", place.prefix))
    }

    /// How many edges write the same keys.
    fn count_sharing(graph: &LogGraph<'_>) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for place in graph.edges().filter_map(|(_, edge)| place(edge)) {
            *counts.entry(keys(&place)).or_default() += 1;
        }
        counts
    }

    fn describe(edge: &Edge<'_>, arrivals: Option<Arrivals>, shared_with: usize) -> Seen {
        let mut seen = Seen {
            account: edge.account.id.known().map(ToString::to_string),
            region: edge.source.region.known().map(ToString::to_string),
            source: edge.source.label.to_string(),
            target: edge.target_text().unwrap_or_default().to_owned(),
            prefix: edge.logging.prefix.known().cloned(),
            verdict: "unknown",
            causes: Vec::new(),
            seen: Word::NotLooked,
            newest: None,
            objects: None,
            shared_with,
            needs: None,
            why: None,
        };
        match arrivals {
            Some(Arrivals::Some { newest, objects }) => {
                seen.seen = Word::Arrived;
                seen.newest = Some(newest);
                seen.objects = Some(objects);
            }
            Some(Arrivals::None) => seen.seen = Word::NotSeen,
            Some(Arrivals::Refused(Refusal {
                status: Some(403), ..
            })) => seen.needs = Some(Call::Head.action()),
            Some(Arrivals::Refused(refusal)) => seen.why = Some(refusal.code),
            None => {
                seen.why = Some(
                    match &edge.target {
                        Target::Bucket(_) => "its keys are not known",
                        Target::Foreign { .. } => "the target is another account's",
                        Target::Missing => "the target does not exist",
                        Target::NotABucket(_) => "the target is no bucket",
                        Target::Unknown(_) => "whose the target is could not be told",
                    }
                    .to_owned(),
                );
            }
        }
        seen
    }

    fn print(seen: &[Seen], days: u16, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
        for edge in seen {
            let prefix = edge.prefix.as_deref().unwrap_or_default();
            writeln!(
                out,
                "{} -> {}/{}",
                visible(&edge.source),
                visible(&edge.target),
                visible(prefix)
            )?;
            match edge.seen {
                Word::Arrived => {
                    let newest = edge.newest.unwrap_or(now);
                    writeln!(
                        out,
                        "  arrived     the newest log is of {newest}, {} ago",
                        ago(now, newest)
                    )?;
                }
                Word::NotSeen => writeln!(out, "  not seen    no log in the last {days} days")?,
                Word::NotLooked => {
                    let why = match (&edge.needs, &edge.why) {
                        (Some(action), _) => format!("{action} was denied"),
                        (None, Some(why)) => why.clone(),
                        (None, None) => String::new(),
                    };
                    writeln!(out, "  not looked  {}", visible(&why))?;
                }
            }
            if edge.shared_with > 0 && edge.seen == Word::Arrived {
                let others = counted(edge.shared_with, "other source");
                writeln!(
                    out,
                    "              {others} log with the same prefix: it may be theirs"
                )?;
            }
            if edge.verdict != "delivers" || edge.seen != Word::Arrived {
                let causes = match edge.causes.as_slice() {
                    [] => String::new(),
                    causes => format!(" ({})", causes.join(", ")),
                };
                writeln!(out, "              the audit says: {}{causes}", edge.verdict)?;
            }
            if edge.seen == Word::Arrived && edge.verdict == "blocked" {
                writeln!(
                    out,
                    "              it may be from before that; if more arrive, the audit is wrong"
                )?;
            }
        }
        let count = |word| seen.iter().filter(|edge| edge.seen == word).count();
        let (arrived, not_seen, not_looked) =
            (count(Word::Arrived), count(Word::NotSeen), count(Word::NotLooked));
        if !seen.is_empty() {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}: {arrived} arrived, {not_seen} not seen, {not_looked} not looked at",
            counted(seen.len(), "edge")
        )?;
        if not_seen > 0 {
            writeln!(
                out,
                "That nothing was seen proves nothing: an idle bucket has no logs, and delivery\n\
                 is best effort, most within a few hours. `--probe` gives it something to log."
            )?;
        }
        Ok(())
    }

    fn counted(number: usize, thing: &str) -> String {
        let s = if number == 1 { "" } else { "s" };
        format!("{number} {thing}{s}")
    }

    fn ago(now: Timestamp, then: Timestamp) -> String {
        let minutes = (now.as_second() - then.as_second()).max(0) / 60;
        match minutes {
            0..120 => format!("{minutes} min"),
            120..2880 => format!("{} h", minutes / 60),
            _ => format!("{} days", minutes / 1440),
        }
    }

    /// One request to each source. Where the answer is a refusal, that is logged as well.
    fn send_probes(
        arguments: &AccountArguments,
        edges: &[&Edge<'_>],
        console: &Console,
    ) -> Result<(), Error> {
        let sources: Vec<(String, Region)> = edges
            .iter()
            .filter_map(|edge| Some((edge.source.label.to_string(), edge.source.region.known()?.clone())))
            .collect();
        account::block_on(async {
            let session = account::open(arguments, Access::ReadOnly).await?;
            for (bucket, region) in &sources {
                match probe(&session, bucket, region).await {
                    Ok(Some(id)) => console.remark(&format!("probed {bucket} at {}: request {id}", now())),
                    Ok(None) => console.remark(&format!("probed {bucket} at {}", now())),
                    Err(refusal) => console.remark(&format!("probed {bucket}: {}", refusal.code)),
                }
            }
            console.remark(
                "look again in a few hours: `s3log-lint verify`, or search the logs for these requests",
            );
            Ok(())
        })
    }
}
