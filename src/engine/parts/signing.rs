//! Which parts are signed next, and how long their URLs are good.

use super::{Parts, Presigned, State};
use crate::protocol::{PartToSign, SignedPart};

/// A URL is not used in its last seconds: the request has to arrive before it expires, in milliseconds.
const URL_MARGIN_MS: u64 = 5_000;

impl Parts {
    /// How many parts wait for a URL that nobody has asked for.
    pub fn unsigned(&self) -> u32 {
        self.to_sign.len() as u32
    }

    /// Takes the next parts to sign, at most `limit`.
    pub fn start_signing(&mut self, limit: usize) -> Vec<PartToSign> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(number) = self.to_sign.pop_first()
        {
            let length = self.length(number);
            let slot = self.slot(number);
            slot.state = State::Signing;
            batch.push(PartToSign { number, length, checksum: slot.checksum });
            self.signing.push(number);
        }
        batch
    }

    /// The parts that were being signed wait for it again.
    pub fn signing_failed(&mut self) {
        for number in std::mem::take(&mut self.signing) {
            self.slot(number).state = State::Hashed;
            self.to_sign.insert(number);
        }
    }

    /// Takes the URLs that were asked for at `asked_ms`, the moment from which their lifetimes surely
    /// have not begun to run out. Parts for which none came wait for the next batch.
    pub fn signed(&mut self, asked_ms: u64, parts: Vec<SignedPart>) {
        for signed in parts {
            let is_wanted = self.plan.part(signed.number).is_some()
                && matches!(self.slot(signed.number).state, State::Signing | State::Hashed);
            if is_wanted {
                let lifetime_ms = (signed.expires_in_seconds * 1_000).saturating_sub(URL_MARGIN_MS);
                self.signing.retain(|&number| number != signed.number);
                self.to_sign.remove(signed.number);
                self.ready.insert(signed.number);
                self.slot(signed.number).state = State::Ready(Presigned {
                    url: signed.url,
                    headers: signed.headers,
                    usable_until_ms: asked_ms + lifetime_ms,
                });
            }
        }
        self.signing_failed();
    }
}
