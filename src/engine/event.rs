//! Events: what the driver hands to the engine.

use super::action::PutId;
use super::call::Call;
use super::demand::Share;
use super::report::{Failure, PutAnswer};
use crate::checksum::PartChecksum;
use crate::plan::Part;
use crate::protocol::{PartsListed, PartsSigned, UploadCompleted, UploadCreated};

/// The time and a random number at the moment of an event. The engine has no clock and no random source of its own.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Milliseconds on a clock that never runs backwards and continues while the machine sleeps. Its start is
    /// arbitrary.
    pub ms: u64,
    /// Fresh random number, uniform over all `u32`, for the jitter of retries.
    pub random: u32,
}

/// Something that has happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The upload may start. Only events from the queue, the user and the browser may come earlier.
    Start,

    // Outcomes of actions
    /// A part was read and hashed.
    PartHashed {
        /// The part of the action.
        part: Part,
        /// Checksum of its bytes, by the algorithm of [`super::Engine::algorithm`].
        checksum: PartChecksum,
    },
    /// A part could not be read.
    HashFailed {
        /// The part of the action.
        part: Part,
        /// Why.
        failure: Failure,
    },
    /// [`ApiCall::Create`](super::ApiCall::Create) has waited for its batch, and the batch is sent now.
    CreateSent {
        /// Lane for which the upload is opened.
        lane: u32,
    },
    /// [`ApiCall::Create`](super::ApiCall::Create) was answered.
    Created(UploadCreated),
    /// [`ApiCall::List`](super::ApiCall::List) was answered.
    Listed(PartsListed),
    /// [`ApiCall::Sign`](super::ApiCall::Sign) was answered.
    Signed(PartsSigned),
    /// A PUT has made progress.
    PutProgress {
        /// Which attempt.
        put: PutId,
        /// Bytes of the part sent so far in this attempt.
        sent_bytes: u64,
    },
    /// A PUT was answered with a status from 200 to 299. The engine checks whether the answer proves that S3 has stored
    /// the part.
    PutDone {
        /// Which attempt.
        put: PutId,
        /// The readable content of the answer.
        answer: PutAnswer,
    },
    /// A PUT failed.
    PutFailed {
        /// Which attempt.
        put: PutId,
        /// Why.
        failure: Failure,
    },
    /// [`ApiCall::Complete`](super::ApiCall::Complete) was answered.
    Completed(UploadCompleted),
    /// [`ApiCall::Abort`](super::ApiCall::Abort) was answered.
    Aborted,
    /// An API call failed.
    CallFailed {
        /// Which call.
        call: Call,
        /// Why.
        failure: Failure,
    },
    /// [`Action::RefreshCredentials`](super::Action::RefreshCredentials) has brought fresh credentials.
    CredentialsRefreshed,
    /// [`Action::RefreshCredentials`](super::Action::RefreshCredentials) has brought no credentials.
    CredentialsFailed(Failure),
    /// The time of [`Action::WakeAt`](super::Action::WakeAt) has come.
    Tick,

    // From the queue
    /// The share of the connections that this upload has from now on.
    Share(Share),
    /// S3 throttled another upload: send nothing for `wait_ms`.
    Busy {
        /// Length of the wait from now on, in milliseconds.
        wait_ms: u64,
    },

    // From the user and the browser
    /// The user has paused the upload. PUTs in flight continue.
    Pause,
    /// The user has ended the pause.
    Unpause,
    /// The browser reports that there is no network.
    Offline,
    /// The browser reports a network after it had reported none.
    Online,
    /// The user has cancelled the upload.
    Abort,
    /// The page closes the upload, which ends now. A later session can resume it if [`super::Config::keeps_records`] is
    /// set.
    Close,
}
