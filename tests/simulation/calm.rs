//! Checks of histories without faults, except a slow link and at most one dead connection: every upload is stored, it
//! does not take too long, and few bytes are wasted.
//!
//! The limits are slightly above the worst values of 1,000,000 seeds. `make simulate` prints the worst values of its
//! own seeds.

use directput::engine::{Failure, Uploaded};

use crate::link::Told;
use crate::world::World;

/// 1 Mbit/s and 10 Mbit/s, in byte/s.
const MEGABIT: u64 = 125_000;
const TEN_MEGABITS: u64 = 1_250_000;

/// Maximum time until a dead connection is replaced, in seconds, if the bytes in flight take at most [`SHORT_S`].
const DEAD_S: f64 = 60.0;

/// Additional time for a slow first answer, in round trips.
const ROUND_TRIPS: f64 = 60.0;

/// Maximum time of the bytes in flight for which [`DEAD_S`] applies, in seconds: 48 MiB at 58 Mbit/s.
const SHORT_S: f64 = 7.0;

/// Minimum silence after which a PUT may be given up, in seconds.
const STALL_S: f64 = 30.0;

/// Additional waits beyond the ideal time, in seconds: late timers, and a dead connection.
const LATE_S: f64 = 20.0;
const DEAD_WAIT_S: f64 = 120.0;

/// Assumed speed if a service worker hides all progress, in byte/s.
const UNTOLD_BYTES_PER_SECOND: f64 = 100_000.0;

/// Maximum ratio of wasted bytes to the bytes of all files, if the browser's progress differs from the arrived bytes.
const WASTED_FILES: f64 = 3.0;

impl World {
    /// Checks that every upload is stored.
    pub fn check_calm(&mut self, outcome: &Result<Uploaded, Failure>) -> Result<(), String> {
        match outcome {
            Err(failure) if self.scenario.is_calm() => Err(format!("an upload without faults ends with {failure:?}")),
            _ => Ok(()),
        }
    }

    /// Checks that a dead connection was detected in time.
    pub fn check_dead_connection(&mut self, dead_ms: u64) -> Result<(), String> {
        if self.scenario.files.len() > 1 || self.scenario.link.bytes_per_second < TEN_MEGABITS {
            return Ok(());
        }
        let in_flight_bytes = self.most_in_flight_bytes();
        let in_flight_s = in_flight_bytes as f64 / self.scenario.link.bytes_per_second as f64;
        let dead_s = dead_ms as f64 / 1_000.0;
        let (name, limit_s) = match in_flight_s < SHORT_S {
            // Until S3 has confirmed a part, the engine assumes a link of 0.8 Mbit/s.
            _ if self.scenario.link.told == Told::Nothing => {
                ("seconds until a dead connection behind a service worker is replaced", DEAD_S + self.untold_s())
            }
            // The first estimate of the speed comes from small answers, whose time is mostly round trips.
            true => {
                let round_trip_s = self.scenario.round_trip_ms as f64 / 1_000.0;
                ("seconds until a dead connection is replaced", DEAD_S + ROUND_TRIPS * round_trip_s)
            }
            // The engine allows twice the expected time. The queue rounds the speed down to a power of two, which can
            // double this time again.
            false => (
                "seconds until a dead connection of a slower link is replaced",
                DEAD_S.max(STALL_S + 4.0 * in_flight_s),
            ),
        };
        self.saw("a dead connection");
        self.seen.note_worst(name, dead_s, self.seed);
        if dead_s > limit_s { Err(format!("a connection is dead for {dead_s} s")) } else { Ok(()) }
    }

    fn most_in_flight_bytes(&self) -> u64 {
        let part_bytes = self.scenario.part_bytes().max(self.scenario.server.single_put_bytes);
        self.scenario.all_bytes().min(part_bytes * u64::from(self.scenario.most_puts()))
    }

    /// Returns the additional silence that is tolerated behind a service worker, in seconds.
    fn untold_s(&self) -> f64 {
        self.most_in_flight_bytes() as f64 / UNTOLD_BYTES_PER_SECOND
    }

    /// Checks the history after all uploads have ended.
    pub fn check_calm_end(&mut self) -> Result<(), String> {
        if !self.scenario.is_calm() {
            return Ok(());
        }
        self.saw("calm");
        self.check_duration()?;
        self.check_wasted()
    }

    fn check_duration(&mut self) -> Result<(), String> {
        let (name, limit) = match self.scenario.link.bytes_per_second {
            TEN_MEGABITS.. => ("times the ideal from 10 Mbit/s on", 3.0),
            MEGABIT.. => ("times the ideal from 1 Mbit/s on", 8.0),
            _ => ("times the ideal below 1 Mbit/s", 12.0),
        };
        let untold_s = if self.scenario.link.told == Told::Nothing { self.untold_s() } else { 0.0 };
        let waits_s = if self.scenario.dead_put.is_some() { DEAD_WAIT_S + untold_s } else { LATE_S };
        let last_ms = self.scenario.files.iter().map(|file| file.at_ms).max().unwrap_or(0);
        let took_ms = (self.finished_ms - last_ms) as f64 - waits_s * 1_000.0;
        let factor = took_ms / self.scenario.ideal_ms() as f64;
        self.seen.note_worst(name, factor, self.seed);
        if factor > limit { Err(format!("the uploads take {factor} times the ideal time")) } else { Ok(()) }
    }

    fn check_wasted(&mut self) -> Result<(), String> {
        let link = &self.scenario.link;
        let all_bytes = self.scenario.all_bytes() as f64;
        let wasted_bytes = (self.link.carried_bytes - all_bytes).max(0.0);
        let longest_bytes = self.scenario.part_bytes().max(self.scenario.server.single_put_bytes) as f64;
        let is_honest = link.told == Told::Arrived && !link.takes_whole_bodies;
        let is_dead = self.scenario.dead_put.is_some();
        // The bytes of a dead connection are lost.
        let (name, wasted, limit) = match (is_honest, is_dead) {
            (true, false) => ("wasted bytes with exact progress", wasted_bytes, 1.0),
            (true, true) if link.bytes_per_second >= TEN_MEGABITS => {
                ("wasted parts with a dead connection", wasted_bytes / longest_bytes, 1.0)
            }
            _ => ("wasted files", wasted_bytes / all_bytes.max(longest_bytes), WASTED_FILES),
        };
        self.seen.note_worst(name, wasted, self.seed);
        if wasted > limit { Err(format!("{wasted} {name}, at most {limit}")) } else { Ok(()) }
    }
}
