//! What the engine wants done.

use super::call::ApiCall;
use super::record::Record;
use super::report::{Failure, Progress, Retry, Uploaded};
use crate::plan::Part;
use crate::protocol::Headers;

/// Names one attempt to PUT a part, so that news of an attempt that was given up is not mistaken for
/// news of the one that followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PutId(pub u32);

/// What to do next.
#[derive(Debug, Clone)]
pub enum Action {
    /// Read the part and hash it; answer with [`super::Event::PartHashed`] or [`super::Event::HashFailed`].
    HashPart(Part),
    /// Call the API; answer with the event that [`ApiCall`] names, or with [`super::Event::CallFailed`].
    Call(ApiCall),
    /// PUT the part; answer with [`super::Event::PutDone`] or [`super::Event::PutFailed`].
    Put(Put),
    /// Stop a PUT. News of it is no longer wanted.
    CancelPut(PutId),
    /// Ask for fresh credentials for the API; answer with [`super::Event::CredentialsRefreshed`] or
    /// [`super::Event::CredentialsFailed`].
    RefreshCredentials,
    /// Keep this, in place of what was kept before.
    Persist(Record),
    /// What was kept is of no use any more.
    Forget,
    /// Tell the user how far it is.
    Report(Progress),
    /// Tell the user that something has to be done again.
    Retry(Retry),
    /// S3 throttles: tell the other uploads to send nothing for `wait_ms`, from now on.
    Rest {
        /// In milliseconds.
        wait_ms: u64,
    },
    /// A PUT was silent for too long: tell the queue, which halves the PUTs of all uploads while S3 confirms nothing.
    Stalled,
    /// Send [`super::Event::Tick`] at this time, in milliseconds of [`super::Now::ms`]. Replaces the one before.
    WakeAt(u64),
    /// It is over; nothing follows.
    Finished(Result<Uploaded, Failure>),
}

/// One PUT of one part.
#[derive(Debug, Clone)]
pub struct Put {
    /// Names the attempt.
    pub id: PutId,
    /// Which bytes.
    pub part: Part,
    /// Where to. A secret: not to be logged.
    pub url: String,
    /// With which headers.
    pub headers: Headers,
}
