//! Incidents of the user, the machine and the network, and the consequences of an upload's end.

use directput::engine::{Event, Failure, Uploaded};
use directput::protocol::ErrorCode;

use crate::scenario::Incident;
use crate::storage::UploadState;
use crate::world::{What, World};

impl World {
    pub fn end_faults(&mut self) -> Result<(), String> {
        self.dead_until_ms = 0;
        for file in 0..self.files.len() {
            self.happen(Incident::Resume(file))?;
        }
        self.happen(Incident::Online)
    }

    pub fn happen(&mut self, incident: Incident) -> Result<(), String> {
        let is_elsewhere =
            matches!(incident, Incident::UploadExpires | Incident::TokenExpires | Incident::Outage { .. });
        if self.now_ms < self.asleep_until_ms && !is_elsewhere {
            self.at(self.asleep_until_ms, What::Incident(incident));
            return Ok(());
        }
        self.note(|_| format!("{incident:?}"));
        match incident {
            Incident::Pause(file) => self.pause(file, true),
            Incident::Resume(file) => self.pause(file, false),
            Incident::Abort(file) => self.abort(file),
            Incident::Prioritize(file, priority) => {
                self.saw("prioritized");
                if let (Some(number), Some(tab)) = (self.run_of_file(file), &mut self.tab) {
                    tab.hub.prioritize(number, priority);
                }
            }
            Incident::Kill { away_ms } => self.close_tab(away_ms),
            Incident::Offline | Incident::Online => {
                self.is_offline = incident == Incident::Offline;
                if let Some(tab) = &mut self.tab {
                    tab.hub.set_online(!self.is_offline);
                }
            }
            Incident::Outage { ms } => {
                self.dead_until_ms = self.now_ms + ms;
                self.break_connections();
            }
            Incident::Sleep { ms } => self.sleep(ms),
            Incident::ClockJumps { ms } => {
                self.saw("a clock that is set ahead");
                self.clock_ahead_ms += ms;
            }
            Incident::FileChanges(file) => {
                if let Some(number) = self.run_of_file(file) {
                    self.run_of(number).expect("it runs").file_is_unreadable = true;
                    self.change_file(file);
                }
            }
            Incident::FileChangesUnseen(file) => {
                if self.run_of_file(file).is_none() {
                    self.change_file(file);
                }
            }
            Incident::UploadExpires => {
                for upload in self.storage.uploads.iter_mut().filter(|upload| upload.state == UploadState::Open) {
                    upload.state = UploadState::Gone;
                    upload.parts.clear();
                }
            }
            Incident::TokenExpires => {
                self.storage.uploads.iter_mut().for_each(|upload| upload.token_is_good = false);
            }
        }
        self.balance()
    }

    fn pause(&mut self, file: usize, is_paused: bool) {
        let Some(number) = self.run_of_file(file) else { return };
        let now = self.engine_now();
        self.run_of(number).expect("it runs").is_paused = is_paused;
        let hub = &mut self.tab.as_mut().expect("the upload runs in a tab").hub;
        if is_paused { hub.pause(number) } else { hub.unpause(now, number) }
    }

    fn abort(&mut self, file: usize) {
        let Some(number) = self.run_of_file(file) else { return };
        self.files[file].gave_up = true;
        let now = self.engine_now();
        self.tab.as_mut().expect("the upload runs in a tab").hub.cancel(now, number);
    }

    fn change_file(&mut self, file: usize) {
        let from = self.rng.u64(0..=self.scenario.files[file].size);
        self.files[file].disk.change(from);
    }

    fn sleep(&mut self, ms: u64) {
        self.asleep_until_ms = self.now_ms + ms;
        for id in self.live_puts() {
            self.cut_off(id);
            let failure = ErrorCode::Network.into();
            self.reply(id.0, ms, Event::PutFailed { put: id.1, failure });
        }
    }

    fn close_tab(&mut self, away_ms: u64) {
        self.live_puts().into_iter().for_each(|id| self.cut_off(id));
        if self.tab.take().is_none() {
            return;
        }
        if !self.scenario.keeps_records {
            // The uploads have no records, so the lifecycle rule removes them.
            self.storage.uploads.iter_mut().for_each(|upload| upload.is_known = false);
        }
        (0..self.files.len()).for_each(|file| self.after(away_ms, What::Open { file }));
    }

    /// Decides what the user does after the end of an upload. After the error `wrong-file` the user gives the upload
    /// up. An upload that has a record is resumed or removed after a while.
    pub fn decide_what_follows(&mut self, number: usize, outcome: &Result<Uploaded, Failure>) {
        let away_ms = self.rng.u64(1_000..100_000);
        let file = &mut self.files[number];
        if let (Err(failure), Some(record)) = (outcome, &mut file.record)
            && failure.code == ErrorCode::WrongFile
        {
            record.discard = true;
        }
        file.is_over = file.record.is_none();
        if !file.is_over {
            self.after(away_ms, What::Open { file: number });
        }
    }
}
