//! Chooses the next parts to sign, and keeps each presigned URL with its expiry.

use super::{Parts, Presigned, State};
use crate::protocol::{PartToSign, SignedPart};

/// Time before the expiry of a URL in which no PUT with the URL starts, in milliseconds. The request must reach S3
/// before the expiry.
const URL_MARGIN_MS: u64 = 5_000;

impl Parts {
    /// Returns the number of parts that need a URL and are in no signing request.
    pub fn unsigned(&self) -> u32 {
        self.to_sign.len() as u32
    }

    /// Takes at most `limit` parts to sign, lowest numbers first.
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

    /// Puts the parts of the failed signing request back into the queue of parts to sign.
    pub fn signing_failed(&mut self) {
        for number in std::mem::take(&mut self.signing) {
            self.slot(number).state = State::Hashed;
            self.to_sign.insert(number);
        }
    }

    /// Records the URLs in the answer to a signing request. The request was sent for `lane` at `asked_ms`, in
    /// milliseconds. The lifetimes of the URLs are counted from `asked_ms`, because the server cannot have signed them
    /// earlier. Parts of the request that got no URL wait for the next request.
    pub fn signed(&mut self, asked_ms: u64, lane: u32, parts: Vec<SignedPart>) {
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
                    lane,
                    usable_until_ms: asked_ms + lifetime_ms,
                });
            }
        }
        self.signing_failed();
    }
}
