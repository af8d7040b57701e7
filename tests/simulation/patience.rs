//! Checks that missing answers end an upload only after 15 minutes without any success. Pauses and time offline do not
//! count.

use std::collections::BTreeMap;

use directput::engine::{Event, Failure, PutId};
use directput::protocol::{ErrorCode, PartNumber};

/// Time without any success after which an upload may end, in milliseconds.
const PATIENCE_MS: u64 = 15 * 60_000;

/// Maximum step of the clock that counts, in milliseconds. A longer step was sleep.
const LONGEST_STEP_MS: u64 = 2 * 60_000;

/// Time that counts since the last success. In doubtful cases this type counts more time than the engine, to avoid
/// false alarms.
#[derive(Default)]
pub struct PatienceCheck {
    last_ms: Option<u64>,
    counted_ms: u64,
    is_paused: bool,
    is_offline: bool,
    api_works: bool,
    storage_works: bool,
    most_sent: BTreeMap<PartNumber, u64>,
    /// Whether the last event may end the upload at any time.
    is_final: bool,
}

impl PatienceCheck {
    pub fn told(&mut self, now_ms: u64, event: &Event, puts: &BTreeMap<PutId, PartNumber>) {
        let step_ms = now_ms - self.last_ms.unwrap_or(now_ms);
        self.last_ms = Some(now_ms);
        if !self.is_paused && !self.is_offline {
            self.counted_ms += step_ms.min(LONGEST_STEP_MS);
        }
        self.is_final = matches!(event, Event::CredentialsFailed(_) | Event::HashFailed { .. });
        match event {
            Event::Pause => self.is_paused = true,
            Event::Unpause => self.is_paused = false,
            Event::Offline => self.is_offline = true,
            Event::Online => self.is_offline = false,
            Event::Created(_) | Event::Listed(_) | Event::Signed(_) | Event::Aborted => {
                self.api_works = true;
                self.works();
            }
            Event::PutDone { put, answer } if puts.contains_key(put) && answer.checksum.is_some() => {
                self.storage_works = true;
                self.works();
            }
            Event::PutProgress { put, sent_bytes } => {
                if let Some(number) = puts.get(put) {
                    let most = self.most_sent.entry(*number).or_default();
                    if sent_bytes > most {
                        *most = *sent_bytes;
                        self.counted_ms = 0;
                    }
                }
            }
            _ => {}
        }
    }

    fn works(&mut self) {
        self.counted_ms = 0;
        // An answer shows that there is a network, even if the browser reports none.
        self.is_offline = false;
    }

    /// Checks the end of an upload with a failure.
    pub fn check_end(&self, failure: &Failure) -> Result<(), String> {
        let is_silence = matches!(failure.code, ErrorCode::Network | ErrorCode::Timeout) && failure.status == 0;
        let has_worked = self.api_works && self.storage_works;
        match is_silence && has_worked && !self.is_final && self.counted_ms < PATIENCE_MS {
            true => Err(format!("the upload ends after {} s that count", self.counted_ms / 1_000)),
            false => Ok(()),
        }
    }
}
