//! How far a run is, for the person at the terminal. Nothing where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Console;
use crate::aws::Status;

pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub fn new(console: &Console) -> Self {
        // It hides itself where standard error is no terminal.
        let target = if console.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(Some(0), target).with_message("listing the buckets");
        bar.set_style(style("{spinner} {msg}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    pub fn show(&mut self, status: &Status) {
        let Status {
            buckets,
            buckets_done,
            targets,
            calls,
            throttles,
        } = *status;
        if buckets == 0 {
            return;
        }
        if self.bar.length() == Some(0) {
            self.bar.set_style(style("{spinner} {bar:16} {pos}/{len} {msg}"));
        }
        self.bar.set_length(to_u64(buckets));
        self.bar.set_position(to_u64(buckets_done));
        let mut message = format!("buckets, {targets} targets, {calls} calls");
        if throttles > 0 {
            message.push_str(&format!(", {throttles} throttled"));
        }
        self.bar.set_message(message);
    }

    pub fn clear(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A template that can't be read leaves indicatif's own.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
