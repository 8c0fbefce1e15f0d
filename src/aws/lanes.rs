//! How much may be asked at once: one lane per region, wider while S3 answers, narrower when it asks for less, closed
//! when a region doesn't answer at all.
//!
//! Knows no network and no clock: it is told what landed, and when.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::name::Region;

/// A lane begins with this many calls at once, so that a dead region holds up few.
const FIRST_WIDTH: f64 = 8.0;
/// So many calls of a region without an answer, one after the other, and it is asked nothing more.
const SILENCES: u32 = 3;

/// The work that waits, by region.
#[derive(Debug)]
pub struct Lanes<T> {
    lanes: BTreeMap<Region, Lane<T>>,
    /// The most that all lanes together may have on the way.
    most: usize,
    on_the_way: usize,
    /// The region that was served last: the others come first.
    last: Option<Region>,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<T>,
    on_the_way: usize,
    width: f64,
    /// Until the first throttle the lane grows by one with every answer, after it by a fraction.
    throttled: bool,
    /// So many landings until another throttle counts: those that were on the way know nothing of the last cut.
    deaf_for: usize,
    resume_at: Option<Instant>,
    silences: u32,
    closed: bool,
}

/// How a call ended, as far as its lane is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    Answered,
    Throttled,
    /// No answer at all.
    Silent,
}

impl<T> Lanes<T> {
    pub fn new(most: usize) -> Self {
        Self {
            lanes: BTreeMap::new(),
            most: most.max(1),
            on_the_way: 0,
            last: None,
        }
    }

    pub fn push(&mut self, region: &Region, work: T) {
        let first = FIRST_WIDTH.min(to_width(self.most));
        self.lanes
            .entry(region.clone())
            .or_insert_with(|| Lane {
                waiting: VecDeque::new(),
                on_the_way: 0,
                width: first,
                throttled: false,
                deaf_for: 0,
                resume_at: None,
                silences: 0,
                closed: false,
            })
            .waiting
            .push_back(work);
    }

    /// What may be sent now.
    pub fn next(&mut self, now: Instant) -> Option<(Region, T)> {
        if self.on_the_way >= self.most {
            return None;
        }
        let open = |lane: &Lane<T>| {
            !lane.closed
                && !lane.waiting.is_empty()
                && to_width(lane.on_the_way) + 1.0 <= lane.width.max(1.0)
                && lane.resume_at.is_none_or(|at| at <= now)
        };
        let ready = |(region, lane): (&Region, &Lane<T>)| open(lane).then(|| region.clone());
        let after = self.last.clone();
        let region = self
            .lanes
            .iter()
            .filter(|(region, _)| Some(*region) > after.as_ref())
            .find_map(ready)
            .or_else(|| self.lanes.iter().find_map(ready))?;
        let lane = self.lanes.get_mut(&region)?;
        let work = lane.waiting.pop_front()?;
        lane.on_the_way += 1;
        self.on_the_way += 1;
        self.last = Some(region.clone());
        Some((region, work))
    }

    /// When a lane that rests goes on, if nothing else is to be waited for.
    pub fn resumes_at(&self) -> Option<Instant> {
        self.lanes
            .values()
            .filter(|lane| !lane.closed && !lane.waiting.is_empty())
            .filter_map(|lane| lane.resume_at)
            .min()
    }

    /// A call of this region ended.
    pub fn land(&mut self, region: &Region, landing: Landing) {
        self.on_the_way = self.on_the_way.saturating_sub(1);
        let most = to_width(self.most);
        let Some(lane) = self.lanes.get_mut(region) else {
            return;
        };
        lane.on_the_way = lane.on_the_way.saturating_sub(1);
        lane.deaf_for = lane.deaf_for.saturating_sub(1);
        match landing {
            Landing::Answered => {
                lane.silences = 0;
                lane.width += if lane.throttled { 4.0 / lane.width } else { 1.0 };
                lane.width = lane.width.min(most);
            }
            Landing::Throttled => lane.silences = 0,
            Landing::Silent => {
                lane.silences += 1;
                lane.closed |= lane.silences >= SILENCES;
            }
        }
    }

    /// S3 asked this region's callers for less: half the width, once for all that were on the way.
    pub fn throttle(&mut self, region: &Region) {
        if let Some(lane) = self.lanes.get_mut(region)
            && lane.deaf_for == 0
        {
            lane.throttled = true;
            lane.width = (lane.width / 2.0).max(1.0);
            lane.deaf_for = lane.on_the_way;
        }
    }

    /// Nothing more is sent to this region until then.
    pub fn rest(&mut self, region: &Region, now: Instant, pause: Duration) {
        if let Some(lane) = self.lanes.get_mut(region) {
            let until = now + pause;
            lane.resume_at = Some(lane.resume_at.map_or(until, |at| at.max(until)));
        }
    }

    /// What waits for a region that doesn't answer. It will not be sent.
    pub fn take_lost(&mut self) -> Vec<(Region, T)> {
        let mut lost = Vec::new();
        for (region, lane) in self.lanes.iter_mut().filter(|(_, lane)| lane.closed) {
            lost.extend(lane.waiting.drain(..).map(|work| (region.clone(), work)));
        }
        lost
    }
}

fn to_width(calls: usize) -> f64 {
    calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Region {
        Region::parse(name).expect("a region")
    }

    fn send_all(lanes: &mut Lanes<u32>, now: Instant) -> Vec<(Region, u32)> {
        std::iter::from_fn(|| lanes.next(now)).collect()
    }

    fn filled(most: usize, regions: &[&str]) -> Lanes<u32> {
        let mut lanes = Lanes::new(most);
        for name in regions {
            for work in 0..100 {
                lanes.push(&region(name), work);
            }
        }
        lanes
    }

    #[test]
    fn never_more_than_the_most_are_on_the_way_and_every_region_gets_its_share() {
        let now = Instant::now();
        let mut lanes = filled(6, &["eu-west-1", "us-east-1", "sa-east-1"]);
        let sent = send_all(&mut lanes, now);
        assert_eq!(sent.len(), 6);
        for name in ["eu-west-1", "us-east-1", "sa-east-1"] {
            assert_eq!(
                sent.iter().filter(|(at, _)| *at == region(name)).count(),
                2,
                "{name}"
            );
        }
        lanes.land(&region("eu-west-1"), Landing::Answered);
        assert_eq!(send_all(&mut lanes, now).len(), 1);
    }

    #[test]
    fn a_lane_opens_with_every_answer_and_halves_once_for_a_burst_of_throttles() {
        let now = Instant::now();
        let home = region("eu-west-1");
        let mut lanes = filled(32, &["eu-west-1"]);
        assert_eq!(send_all(&mut lanes, now).len(), 8);
        for _ in 0..8 {
            lanes.land(&home, Landing::Answered);
        }
        assert_eq!(send_all(&mut lanes, now).len(), 16);
        for _ in 0..16 {
            lanes.throttle(&home);
            lanes.land(&home, Landing::Throttled);
        }
        assert_eq!(send_all(&mut lanes, now).len(), 8);
    }

    #[test]
    fn a_throttled_lane_grows_back() {
        let now = Instant::now();
        let home = region("eu-west-1");
        let mut lanes = filled(16, &["eu-west-1"]);
        for _ in 0..10 {
            lanes.throttle(&home);
        }
        assert_eq!(
            send_all(&mut lanes, now).len(),
            1,
            "it never closes for a throttle"
        );
        lanes.land(&home, Landing::Throttled);
        let mut widest = 0;
        for _ in 0..40 {
            let sent = send_all(&mut lanes, now).len();
            widest = widest.max(sent);
            for _ in 0..sent {
                lanes.land(&home, Landing::Answered);
            }
        }
        assert!(widest > 8, "{widest}");
    }

    #[test]
    fn a_region_that_does_not_answer_is_given_up_and_the_others_are_not() {
        let now = Instant::now();
        let (dead, alive) = (region("me-south-1"), region("eu-west-1"));
        let mut lanes = filled(64, &["me-south-1", "eu-west-1"]);
        let sent = send_all(&mut lanes, now);
        assert_eq!(sent.len(), 16);
        for _ in 0..3 {
            assert!(lanes.take_lost().is_empty());
            lanes.land(&dead, Landing::Silent);
        }
        assert_eq!(lanes.take_lost().len(), 92);
        lanes.land(&alive, Landing::Answered);
        assert!(send_all(&mut lanes, now).iter().all(|(at, _)| *at == alive));
        lanes.push(&dead, 7);
        assert_eq!(lanes.take_lost(), [(dead, 7)]);
    }

    #[test]
    fn silence_between_answers_closes_nothing() {
        let home = region("eu-west-1");
        let mut lanes = filled(64, &["eu-west-1"]);
        for _ in 0..50 {
            lanes.land(&home, Landing::Silent);
            lanes.land(&home, Landing::Silent);
            lanes.land(&home, Landing::Answered);
        }
        assert!(lanes.take_lost().is_empty());
    }

    #[test]
    fn a_resting_lane_says_when_it_goes_on() {
        let now = Instant::now();
        let home = region("eu-west-1");
        let mut lanes = filled(4, &["eu-west-1"]);
        lanes.rest(&home, now, Duration::from_secs(2));
        assert_eq!(lanes.next(now), None);
        let at = lanes.resumes_at().expect("it rests");
        assert!(lanes.next(at).is_some());
    }
}
