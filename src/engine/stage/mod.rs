//! The stages of an upload. Each file handles the events of one task.

mod call_outcomes;
mod cancel;
mod completing;
mod ending;
mod lane;
mod opening;
mod progress;
mod put_outcomes;
mod sending;
mod stalls;

pub(super) use cancel::Cancel;

use super::report::Failure;

/// Stage of an upload.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    /// Before [`Event::Start`](super::Event::Start).
    New,
    /// The first part is hashed before the API is asked, so that its URL comes with the answer.
    HashingFirst,
    /// The API is asked to open the upload.
    Creating,
    /// The API is asked which parts S3 has stored.
    Listing,
    /// Parts are hashed, signed and sent.
    Sending,
    /// S3 is asked to join the parts.
    Completing,
    /// The upload has failed or was cancelled, and its sent parts are removed.
    Ending(Failure),
    /// The upload has ended: [`Action::Finished`](super::Action::Finished) is the last action.
    Finished,
}
