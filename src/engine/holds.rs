//! Holds: the reasons for which an upload starts no requests for a while. A pause and a missing network hold back all
//! requests, throttling by S3 only PUTs. PUTs in flight continue.

use super::event::Now;
use super::report::Held;
use super::retry::backoff_ms;

/// Time between two probes, in milliseconds. A probe is an attempt to make requests while offline, because browsers may
/// wrongly report that they are offline.
const PROBE_EVERY_MS: u64 = 20_000;

/// The current holds of one upload.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds {
    paused: bool,
    offline: Option<Offline>,
    busy_until_ms: u64,
    busy_in_a_row: u32,
}

#[derive(Debug, Clone)]
struct Offline {
    probe_at_ms: u64,
    is_probing: bool,
}

impl Holds {
    pub fn pause(&mut self) {
        self.paused = true;
    }

    pub fn unpause(&mut self) {
        self.paused = false;
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn go_offline(&mut self, now: Now) {
        self.offline.get_or_insert(Offline { probe_at_ms: now.ms + PROBE_EVERY_MS, is_probing: false });
    }

    pub fn go_online(&mut self) {
        self.offline = None;
    }

    pub fn is_offline(&self) -> bool {
        self.offline.is_some()
    }

    /// Starts a wait after S3 has throttled a part. The upload starts no PUT during the wait. Only the first refusal of
    /// a burst doubles the backoff window. Returns the length of the wait in milliseconds.
    pub fn busy(&mut self, now: Now, retry_after_ms: u64, is_first_of_burst: bool) -> u64 {
        self.busy_in_a_row += u32::from(is_first_of_burst);
        let backoff_ms = if is_first_of_burst { backoff_ms(self.busy_in_a_row, now.random) } else { 0 };
        self.rest(now, backoff_ms.max(retry_after_ms));
        self.busy_until_ms - now.ms
    }

    /// Starts no PUT for at least `wait_ms` milliseconds, because S3 has throttled this upload or another one.
    pub fn rest(&mut self, now: Now, wait_ms: u64) {
        self.busy_until_ms = self.busy_until_ms.max(now.ms + wait_ms);
    }

    /// Records that a request has succeeded. If the request was a probe, there is a network, and the upload goes
    /// online.
    pub fn succeeded(&mut self) {
        self.busy_in_a_row = 0;
        if self.offline.as_ref().is_some_and(|offline| offline.is_probing) {
            self.offline = None;
        }
    }

    /// Returns whether it is time for a probe.
    pub fn is_time_to_probe(&self, now: Now) -> bool {
        !self.paused && self.offline.as_ref().is_some_and(|offline| offline.probe_at_ms <= now.ms)
    }

    /// Schedules the next probe if a probe was made now. Must be called after all requests of an event.
    pub fn asked(&mut self, now: Now) {
        if self.is_time_to_probe(now) {
            self.offline = Some(Offline { probe_at_ms: now.ms + PROBE_EVERY_MS, is_probing: true });
        }
    }

    /// Returns whether an API call may be made.
    pub fn may_call(&self, now: Now) -> bool {
        !self.paused && self.offline.as_ref().is_none_or(|offline| offline.probe_at_ms <= now.ms)
    }

    /// Returns whether a part may be sent.
    pub fn may_put(&self, now: Now) -> bool {
        self.may_call(now) && self.busy_until_ms <= now.ms
    }

    /// Returns when the next hold ends, in milliseconds of [`Now::ms`]; `None` during a pause, which only the user
    /// ends.
    pub fn wakes_at(&self, now: Now) -> Option<u64> {
        if self.paused {
            return None;
        }
        let busy = (self.busy_until_ms > now.ms).then_some(self.busy_until_ms);
        self.offline.as_ref().map(|offline| offline.probe_at_ms).into_iter().chain(busy).min()
    }

    /// Returns the reason for which the upload waits, or `None`. A pause takes precedence over other reasons.
    pub fn held(&self, now: Now) -> Option<Held> {
        match self {
            Self { paused: true, .. } => Some(Held::Paused),
            Self { offline: Some(_), .. } => Some(Held::Offline),
            _ if self.busy_until_ms > now.ms => Some(Held::Busy),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now { ms, random: 1 << 31 }
    }

    #[test]
    fn a_browser_that_wrongly_reports_being_offline_is_detected() {
        let mut holds = Holds::default();
        holds.go_offline(at(0));
        holds.succeeded();
        assert!(!holds.may_call(at(19_999)), "a request from before is no probe");
        assert_eq!(holds.wakes_at(at(0)), Some(20_000));
        assert!(holds.may_put(at(20_000)));
        holds.asked(at(20_000));
        assert!(!holds.may_put(at(20_001)), "one probe, not a flood");
        holds.succeeded();
        assert!(holds.may_put(at(20_002)));
    }

    #[test]
    fn a_busy_server_gets_no_requests_for_the_requested_time() {
        let mut holds = Holds::default();
        assert_eq!(holds.busy(at(0), 0, true), 250);
        assert_eq!(holds.busy(at(100), 0, false), 150, "one burst");
        assert_eq!(holds.busy(at(300), 0, true), 500, "a second burst doubles the window");
        assert_eq!(holds.busy(at(0), 7_000, false), 7_000);
        assert!(holds.may_call(at(0)), "only S3 is busy");
        assert!(!holds.may_put(at(6_999)));
        assert_eq!(holds.held(at(6_999)), Some(Held::Busy));
        assert!(holds.may_put(at(7_000)));
        assert_eq!(holds.held(at(7_000)), None);
    }

    #[test]
    fn a_pause_takes_precedence_and_lasts_until_the_user_ends_it() {
        let mut holds = Holds::default();
        holds.go_offline(at(0));
        holds.pause();
        assert_eq!((holds.held(at(0)), holds.wakes_at(at(0))), (Some(Held::Paused), None));
        assert!(!holds.may_call(at(1 << 40)));
        holds.unpause();
        assert_eq!(holds.held(at(0)), Some(Held::Offline));
    }
}
