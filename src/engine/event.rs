//! What has happened.

use super::action::PutId;
use super::call::Call;
use super::report::{Failure, PutAnswer};
use super::share::Share;
use crate::checksum::PartChecksum;
use crate::plan::Part;
use crate::protocol::{PartsListed, PartsSigned, UploadCompleted, UploadCreated};

/// All that the engine may know of the world at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Milliseconds on a clock that never runs backwards and that goes on while the machine sleeps;
    /// where it starts doesn't matter.
    pub ms: u64,
    /// A fresh random number, for the jitter of a retry.
    pub random: u32,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The upload may begin.
    Start,
    /// A part was read and hashed.
    PartHashed {
        /// Exactly what was read.
        part: Part,
        /// The checksum of its bytes, by the algorithm of [`super::Engine::algorithm`].
        checksum: PartChecksum,
    },
    /// A part could not be read.
    HashFailed {
        /// What could not be read.
        part: Part,
        /// Why.
        failure: Failure,
    },
    /// [`super::ApiCall::Create`] was answered.
    Created(UploadCreated),
    /// [`super::ApiCall::List`] was answered.
    Listed(PartsListed),
    /// [`super::ApiCall::Sign`] was answered.
    Signed(PartsSigned),
    /// Some of a part's bytes have left.
    PutProgress {
        /// Which attempt.
        put: PutId,
        /// How many bytes of it, so far.
        sent_bytes: u64,
    },
    /// A PUT was answered with a status from 200 to 299. The engine decides whether the answer proves anything.
    PutDone {
        /// Which attempt.
        put: PutId,
        /// What could be read of the answer.
        answer: PutAnswer,
    },
    /// A PUT failed.
    PutFailed {
        /// Which attempt.
        put: PutId,
        /// Why.
        failure: Failure,
    },
    /// [`super::ApiCall::Complete`] was answered.
    Completed(UploadCompleted),
    /// [`super::ApiCall::Abort`] was answered.
    Aborted,
    /// An API call failed.
    CallFailed {
        /// Which call.
        call: Call,
        /// Why.
        failure: Failure,
    },
    /// [`super::Action::RefreshCredentials`] has brought new ones.
    CredentialsRefreshed,
    /// [`super::Action::RefreshCredentials`] has brought none.
    CredentialsFailed(Failure),
    /// What this upload may use from now on.
    Share(Share),
    /// S3 has asked another upload for a rest of so many milliseconds, and means them all.
    Busy {
        /// From now on, in milliseconds.
        wait_ms: u64,
    },
    /// The user wants it to wait. PUTs under way go on to their ends.
    Pause,
    /// The user wants it to go on.
    Unpause,
    /// The browser says that there is no network.
    Offline,
    /// The browser says that there is one again.
    Online,
    /// The user wants it to end.
    Abort,
    /// The page goes on without it: it ends now, and is kept where records are kept.
    Close,
    /// Time has passed: what [`super::Action::WakeAt`] asked for.
    Tick,
}
