//! Where nothing goes wrong but the slowness of the link, and one dead connection at most: every upload arrives, soon,
//! and little is sent in vain.
//!
//! The bounds are somewhat above the worst that 1,000,000 seeds have shown; `make simulate` prints the worst of its
//! own.

use directput::engine::{Failure, Uploaded};

use crate::link::Told;
use crate::world::World;

/// 1 Mbit/s and 10 Mbit/s, in byte/s.
const MEGABIT: u64 = 125_000;
const TEN_MEGABITS: u64 = 1_250_000;

/// A dead connection is replaced within this, in seconds, unless what is under way takes longer than [`SHORT_S`].
const DEAD_S: f64 = 60.0;

/// What a slow first answer adds, in round trips.
const ROUND_TRIPS: f64 = 60.0;

/// What is under way takes no longer than this, in seconds: 48 MiB at 58 Mbit/s.
const SHORT_S: f64 = 7.0;

/// The least silence after which a PUT may be given up, in seconds.
const STALL_S: f64 = 30.0;

/// Waits that come on top of the ideal time, in seconds: timers that are late, and a dead connection.
const LATE_S: f64 = 20.0;
const DEAD_WAIT_S: f64 = 120.0;

/// The speed that is assumed where a service worker hides all progress, in byte/s.
const UNTOLD_BYTES_PER_SECOND: f64 = 100_000.0;

/// All files are sent in vain at most this many times, where what the browser tells is not what has arrived.
const FILES_IN_VAIN: f64 = 3.0;

impl World {
    /// Everything arrives.
    pub fn check_calm(&mut self, outcome: &Result<Uploaded, Failure>) -> Result<(), String> {
        match outcome {
            Err(failure) if self.scenario.is_calm() => Err(format!("nothing went wrong, and it ends with {failure:?}")),
            _ => Ok(()),
        }
    }

    /// It was found in time that a connection is dead.
    pub fn check_dead_connection(&mut self, dead_ms: u64) -> Result<(), String> {
        if self.scenario.files.len() > 1 || self.scenario.link.bytes_per_second < TEN_MEGABITS {
            return Ok(());
        }
        let in_flight_bytes = self.most_in_flight_bytes();
        let in_flight_s = in_flight_bytes as f64 / self.scenario.link.bytes_per_second as f64;
        let dead_s = dead_ms as f64 / 1_000.0;
        let (name, limit_s) = match in_flight_s < SHORT_S {
            // As long as S3 has confirmed nothing, it gets the time of a link of 0.8 Mbit/s.
            _ if self.scenario.link.told == Told::Nothing => {
                ("seconds until one behind a service worker is replaced", DEAD_S + self.untold_s())
            }
            // Small answers are as slow as their round trips, and by them the speed is judged at first.
            true => {
                let round_trip_s = self.scenario.round_trip_ms as f64 / 1_000.0;
                ("seconds until a dead connection is replaced", DEAD_S + ROUND_TRIPS * round_trip_s)
            }
            // Twice the time that it should take, of a speed that is rounded to a power of two.
            false => ("seconds until one of a slower link is replaced", DEAD_S.max(STALL_S + 4.0 * in_flight_s)),
        };
        self.saw("a dead connection");
        self.seen.note_worst(name, dead_s, self.seed);
        if dead_s > limit_s { Err(format!("a connection is dead for {dead_s} s")) } else { Ok(()) }
    }

    fn most_in_flight_bytes(&self) -> u64 {
        let part_bytes = self.scenario.part_bytes().max(self.scenario.server.single_put_bytes);
        self.scenario.all_bytes().min(part_bytes * u64::from(self.scenario.most_puts()))
    }

    /// How much longer silence is borne behind a service worker, in seconds.
    fn untold_s(&self) -> f64 {
        self.most_in_flight_bytes() as f64 / UNTOLD_BYTES_PER_SECOND
    }

    /// All have come to their end.
    pub fn check_calm_end(&mut self) -> Result<(), String> {
        if !self.scenario.is_calm() {
            return Ok(());
        }
        self.saw("calm");
        self.check_duration()?;
        self.check_vain()
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
        if factor > limit { Err(format!("it takes {factor} times as long as it should")) } else { Ok(()) }
    }

    fn check_vain(&mut self) -> Result<(), String> {
        let link = &self.scenario.link;
        let all_bytes = self.scenario.all_bytes() as f64;
        let vain_bytes = (self.link.carried_bytes - all_bytes).max(0.0);
        let longest_bytes = self.scenario.part_bytes().max(self.scenario.server.single_put_bytes) as f64;
        let is_honest = link.told == Told::Arrived && !link.takes_whole_bodies;
        let is_dead = self.scenario.dead_put.is_some();
        // A dead connection takes what it has carried along.
        let (name, vain, limit) = match (is_honest, is_dead) {
            (true, false) => ("bytes in vain where progress is true", vain_bytes, 1.0),
            (true, true) if link.bytes_per_second >= TEN_MEGABITS => {
                ("parts in vain with a dead connection", vain_bytes / longest_bytes, 1.0)
            }
            _ => ("files in vain", vain_bytes / all_bytes.max(longest_bytes), FILES_IN_VAIN),
        };
        self.seen.note_worst(name, vain, self.seed);
        if vain > limit { Err(format!("{vain} {name}, at most {limit}")) } else { Ok(()) }
    }
}
