//! Where nothing goes wrong but the slowness of the link: every upload arrives, soon, and little is sent in vain.

use directput::engine::{Failure, Uploaded};

use crate::world::World;

impl World {
    /// Everything arrives.
    pub fn check_calm(&mut self, outcome: &Result<Uploaded, Failure>) -> Result<(), String> {
        match outcome {
            Err(failure) if self.scenario.is_calm() => Err(format!("nothing went wrong, and it ends with {failure:?}")),
            _ => Ok(()),
        }
    }

    /// How long all connections together take for what is under way in them, in seconds.
    fn in_flight_s(&self) -> f64 {
        let part_bytes = self.scenario.part_bytes().min(self.scenario.all_bytes());
        (part_bytes * u64::from(self.scenario.lanes)) as f64 / self.scenario.link.bytes_per_second as f64
    }

    /// It was found in time that a connection is dead.
    pub fn check_dead_connection(&mut self, dead_ms: u64) {
        let megabits = self.scenario.link.bytes_per_second / 125_000;
        if self.scenario.files.len() == 1 && megabits >= 10 {
            let dead_s = dead_ms as f64 / 1_000.0;
            let in_flight_s = self.in_flight_s();
            let name = if in_flight_s < 7.0 { "dead s, short" } else { "dead s, long" };
            self.seen.note_worst(name, dead_s, self.seed);
            self.seen.note_worst("dead ratio", (dead_s - 30.0) / in_flight_s.max(1.0), self.seed);
        }
    }

    /// All have come to their end.
    pub fn check_calm_end(&mut self) -> Result<(), String> {
        if !self.scenario.is_calm() {
            return Ok(());
        }
        self.saw("calm");
        let link = &self.scenario.link;
        let all_bytes = self.scenario.all_bytes() as f64;
        let waits_s = if self.scenario.dead_put.is_some() { 120.0 } else { 20.0 };
        let last_ms = self.scenario.files.iter().map(|file| file.at_ms).max().unwrap_or(0);
        let factor = ((self.finished_ms - last_ms) as f64 - waits_s * 1_000.0) / self.scenario.ideal_ms() as f64;
        let vain = (self.link.carried_bytes - all_bytes).max(0.0);
        let is_dead = self.scenario.dead_put.is_some();
        let k = |names: [&'static str; 3]| names[if link.bytes_per_second >= 1_250_000 { 2 } else if link.bytes_per_second >= 125_000 { 1 } else {0}];
        let time = k(["t <1M", "t 1M", "t 10M"]);
        let files = k(["vain files <1M", "vain files 1M", "vain files 10M"]);
        let parts = if is_dead {k(["vain parts <1M dead", "vain parts 1M dead", "vain parts 10M dead"])} else { k(["vain parts <1M", "vain parts 1M", "vain parts 10M"])};
        let told = if link.told == crate::link::Told::Arrived && !link.takes_whole_bodies { "vain parts of honest" } else { "vain parts of dishonest"};
        let part = self.scenario.part_bytes() as f64;
        self.seen.note_worst(time, factor, self.seed);
        self.seen.note_worst(files, vain / all_bytes.max(1_048_576.0), self.seed);
        self.seen.note_worst(parts, vain / part, self.seed);
        if !is_dead {
        self.seen.note_worst(told, vain / part, self.seed);}
        Ok(())
    }
}
