//! The reader of policies and the decision: no text panics, loses itself, or is allowed by nothing.
//!
//! `cargo +nightly fuzz run policy fuzz/corpus/policy fuzz/seeds/policy`

#![no_main]

use libfuzzer_sys::fuzz_target;
use s3log_lint::policy::{Delivery, Facts, Grant, KeyLayout, Prepared, parse};

fuzz_target!(|text: &str| {
    let parsed = parse(text);
    for fault in &parsed.faults {
        assert!(text.get(fault.span.clone()).is_some());
    }
    let prepared = Prepared::new(&parsed, &Facts::default());
    let mut delivery = Delivery::between("amzn-s3-demo-source", "amzn-s3-demo-logs");
    for prefix in [None, Some("logs/")] {
        for layout in [None, Some(KeyLayout::Simple), Some(KeyLayout::Partitioned)] {
            delivery.prefix = prefix.map(Into::into);
            delivery.layout = layout;
            let decision = prepared.decide(&delivery);
            assert!(decision.grant != Grant::Allowed || !decision.deciders.is_empty());
            assert!(parsed.policy.is_some() || decision.grant == Grant::Malformed);
            prepared.trace(&delivery);
            prepared.caveats(&delivery);
            prepared.public_reads(&delivery);
            prepared.unscoped_grants(&delivery);
        }
    }
    prepared.misleading();
    if let Some(printed) = parsed.print(true) {
        let again = parse(&printed);
        if parsed.policy.is_some() && again.policy.is_some() {
            assert_eq!(parsed.policy, again.policy);
        }
    }
});
