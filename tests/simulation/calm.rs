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

    /// It was found in time that a connection is dead.
    pub fn check_dead_connection(&mut self, dead_ms: u64) {
        let megabits = self.scenario.link.bytes_per_second / 125_000;
        if self.scenario.files.len() == 1 && megabits >= 10 {
            self.seen.note_worst("seconds until a dead connection is replaced", dead_ms as f64 / 1_000.0, self.seed);
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
        let factor = self.finished_ms as f64 / self.scenario.ideal_ms() as f64;
        let vain = (self.link.carried_bytes - all_bytes).max(0.0);
        let vain_files = vain / all_bytes.max(1_048_576.0);
        let name = |fast, slow| if link.bytes_per_second >= 125_000 { fast } else { slow };
        let (time, bytes) = (
            name("times the ideal, from 1 Mbit/s on", "times the ideal, below 1 Mbit/s"),
            name("files in vain, from 1 Mbit/s on", "files in vain, below 1 Mbit/s"),
        );
        self.seen.note_worst(time, factor, self.seed);
        self.seen.note_worst(bytes, vain_files, self.seed);
        Ok(())
    }
}
