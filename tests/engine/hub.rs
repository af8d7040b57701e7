//! Several engines with one hub, like the uploads of one `Uploader`.

use directput::engine::{Event, Failure, Now};
use directput::protocol::ErrorCode;
use directput::queue::{Hub, UploadId};

use crate::bench::Bench;

/// Uploads, identified by their index in the list, and their hub.
struct Uploads {
    hub: Hub,
    list: Vec<Bench>,
    now_ms: u64,
}

impl Uploads {
    fn new(connections: u32) -> Self {
        Self { hub: Hub::new(connections), list: Vec::new(), now_ms: 1_000 }
    }

    fn now(&self) -> Now {
        Now { ms: self.now_ms, random: 1 << 31 }
    }

    fn add(&mut self, size: u64) -> UploadId {
        let id = self.list.len() as UploadId;
        let mut upload = Bench::waiting(size);
        upload.now_ms = self.now_ms;
        self.list.push(upload);
        self.hub.add(id, 1, 0);
        self.balance();
        id
    }

    /// Redistributes the connections, as the browser does after each event.
    fn balance(&mut self) {
        let now = self.now();
        self.hub.begin(now);
        self.deliver();
        self.hub.share(|id| self.list[id as usize].engine.demand(now));
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((id, event)) = self.hub.poll() {
            self.list[id as usize].send(event);
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.list.iter_mut().for_each(|upload| upload.wait(ms));
        self.balance();
    }

    /// Opens an upload, and hashes and signs its part.
    fn prepare(&mut self, id: UploadId) -> &mut Bench {
        self.list[id as usize].create();
        self.list[id as usize].hash_and_sign();
        self.balance();
        &mut self.list[id as usize]
    }
}

#[test]
fn a_file_added_while_s3_throttles_is_sent_after_the_wait() {
    let mut uploads = Uploads::new(6);
    let first = uploads.add(1_000);
    let put = uploads.prepare(first).puts().remove(0);
    let failure = Failure { status: 503, retry_after_ms: Some(10_000), ..ErrorCode::StorageRefused.into() };
    uploads.list[0].send(Event::PutFailed { put: put.id, failure });
    let retry = uploads.list[0].retries().remove(0);
    uploads.hub.rest(uploads.now(), first, retry.wait_ms);

    uploads.wait(101);
    let second = uploads.add(1_000);
    assert_eq!(uploads.prepare(second).puts().len(), 0);
    uploads.wait(9_898);
    assert_eq!((uploads.list[0].puts().len(), uploads.list[1].puts().len()), (0, 0));
    uploads.wait(1);
    assert_eq!((uploads.list[0].puts().len(), uploads.list[1].puts().len()), (1, 1));
}

#[test]
fn a_file_added_without_a_network_makes_no_request_until_there_is_one() {
    let mut uploads = Uploads::new(6);
    uploads.hub.set_online(false);
    uploads.add(1_000);
    uploads.list[0].hash_first();
    assert_eq!(uploads.list[0].creates().len(), 0);
    uploads.wait(5_000);
    uploads.hub.set_online(true);
    uploads.balance();
    assert_eq!(uploads.list[0].creates().len(), 1);
}

#[test]
fn an_unpaused_file_gets_only_free_connections() {
    let mut uploads = Uploads::new(1);
    uploads.add(1_000);
    uploads.add(1_000);
    let puts = uploads.prepare(0).puts();
    assert_eq!(puts.len(), 1);
    uploads.hub.pause(0);
    uploads.balance();
    assert_eq!(uploads.prepare(1).puts().len(), 0, "the first one still has the connection");
    uploads.list[0].fail_put(&puts[0], 500, "InternalError");
    uploads.balance();
    assert_eq!(uploads.list[1].puts().len(), 1, "it has the remaining connection");
    uploads.hub.unpause(uploads.now(), 0);
    uploads.balance();
    assert_eq!(uploads.list[0].puts().len(), 0);
    uploads.hub.cancel(uploads.now(), 1);
    uploads.balance();
    uploads.hub.remove(1);
    uploads.wait(1_000);
    assert_eq!(uploads.list[0].puts().len(), 1);
}

#[test]
fn a_file_with_higher_priority_begins_before_earlier_ones() {
    let mut hub = Hub::new(1);
    (0..3).for_each(|id| hub.add(id, 1, 0));
    hub.prioritize(2, 1);
    hub.begin(Now { ms: 0, random: 0 });
    let begun: Vec<_> = std::iter::from_fn(|| hub.poll()).map(|(id, _)| id).collect();
    assert_eq!(begun, [2, 0]);
}

#[test]
fn closing_ends_uploads_whether_or_not_they_have_begun() {
    let mut hub = Hub::new(1);
    let now = Now { ms: 0, random: 0 };
    hub.add(0, 1, 0);
    hub.close(now, 0);
    assert!(matches!(hub.poll(), Some((0, Event::Close))));
    hub.remove(0);
    hub.close(now, 0);
    assert!(hub.poll().is_none());
}
