//! Batches: one API call opens many small files.
//!
//! At most one batch is in flight. Files that are hashed in the meantime wait for the next batch. That batch is sent
//! when it is full, or when fewer files are ready to be sent than there are connections.

use super::UploadId;
use crate::plan::BATCH_FILE_BYTES;

/// Time in which all files of one batch should be sent, in seconds. URLs live for at least 60 s.
const BATCH_SECONDS: u64 = 10;

/// Total size of the files of one batch while the speed of the link is unknown, in bytes.
const FIRST_BATCH_BYTES: u64 = 4 << 20;

/// Small files that wait to be opened.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Maximum number of files that the server opens by one call; 0 if the server opens one file per call.
    max: usize,
    /// Ids and sizes in bytes of the files that wait, in the order in which they were hashed.
    waiting: Vec<(UploadId, u64)>,
    is_calling: bool,
}

impl Openings {
    /// Sets the maximum number of files that the server opens by one call; 0 turns batches off.
    pub fn set_max(&mut self, max: u32) {
        self.max = max as usize;
    }

    /// Returns whether a file of `bytes` bytes is opened in a batch.
    pub fn takes(&self, bytes: u64) -> bool {
        self.max > 0 && bytes <= BATCH_FILE_BYTES
    }

    /// Adds a file that waits to be opened.
    pub fn add(&mut self, id: UploadId, bytes: u64) {
        self.waiting.push((id, bytes));
    }

    /// Removes a file that waits to be opened. Returns whether `id` was waiting.
    pub fn remove(&mut self, id: UploadId) -> bool {
        let at = self.waiting.iter().position(|&(waiting, _)| waiting == id);
        at.map(|at| self.waiting.remove(at)).is_some()
    }

    /// Returns the number of files that wait to be opened.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Begins a batch if it is time for one. Returns how many of the waiting files the batch opens, at most `limit`; 0
    /// if no batch begins. `ready` is the number of files that are opened and not being sent.
    pub fn begin(&mut self, ready: u32, connections: u32, limit: usize, bytes_per_second: Option<u64>) -> usize {
        let mut count = 0;
        if self.is_calling || (ready >= connections && self.len() < self.max) {
            return count;
        }
        let limit = limit.min(self.max.max(1));
        let mut bytes_left = bytes_per_second.map_or(FIRST_BATCH_BYTES, |speed| speed.saturating_mul(BATCH_SECONDS));
        for &(_, bytes) in &self.waiting {
            // The first file is always taken, even if it is too long for `bytes_left`.
            if count == limit || (count > 0 && bytes > bytes_left) {
                break;
            }
            bytes_left = bytes_left.saturating_sub(bytes);
            count += 1;
        }
        self.is_calling = count > 0;
        count
    }

    /// Removes the first file that waits, and returns it.
    pub fn pop(&mut self) -> Option<UploadId> {
        (!self.waiting.is_empty()).then(|| self.waiting.remove(0).0)
    }

    /// Records that the batch in flight has ended.
    pub fn ended(&mut self) {
        self.is_calling = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = usize::MAX;

    fn openings(count: u32) -> Openings {
        let mut openings = Openings::default();
        openings.set_max(100);
        (0..count).for_each(|id| openings.add(id, 1_000));
        openings
    }

    #[test]
    fn a_call_waits_until_it_is_full_or_the_connections_would_be_idle() {
        let mut openings = openings(99);
        assert_eq!(openings.begin(6, 6, ALL, None), 0);
        openings.add(99, 1_000);
        openings.add(100, 1_000);
        assert_eq!(openings.begin(6, 6, ALL, None), 100);
        assert_eq!(openings.begin(0, 6, ALL, None), 0, "one call at a time");
        (0..100).for_each(|id| assert_eq!(openings.pop(), Some(id)));
        openings.ended();
        assert_eq!(openings.begin(6, 6, ALL, None), 0);
        assert_eq!(openings.begin(5, 6, ALL, None), 1);
        assert_eq!((openings.pop(), openings.pop()), (Some(100), None));
        openings.ended();
        assert_eq!(openings.begin(0, 6, ALL, None), 0, "no file waits");
    }

    #[test]
    fn a_call_opens_no_more_than_what_is_sent_in_ten_seconds() {
        let mut openings = openings(100);
        let mut begin = |limit, speed| {
            openings.ended();
            openings.begin(0, 6, limit, speed)
        };
        assert_eq!(begin(ALL, Some(1_050)), 10);
        assert_eq!(begin(3, Some(1_050)), 3);
        assert_eq!(begin(ALL, Some(1)), 1, "at least one");
        openings.ended();
        openings.waiting = vec![(200, 3 << 20), (201, 1 << 20), (202, 1)];
        assert_eq!(openings.begin(0, 6, ALL, None), 2);
    }

    #[test]
    fn a_file_that_is_cancelled_waits_no_more() {
        let mut openings = openings(2);
        assert!(openings.remove(0) && !openings.remove(0));
        assert_eq!((openings.begin(0, 6, ALL, None), openings.pop()), (1, Some(1)));
    }

    #[test]
    fn larger_files_and_servers_without_batches_have_a_call_for_each_file() {
        let mut openings = openings(0);
        assert!(openings.takes(1 << 20) && !openings.takes((1 << 20) + 1));
        openings.set_max(0);
        assert!(!openings.takes(1));
    }
}
