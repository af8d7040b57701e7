//! Outcomes of PUTs: they are lost, slow, refused, stored, stored late, or answered by a portal or proxy.

use directput::engine::{Event, Failure, Put, PutAnswer};
use directput::protocol::ErrorCode;

use crate::disk::Content;
use crate::link::{FlowId, Told};
use crate::storage::Stored;
use crate::world::{OnWay, What, World};

/// Maximum time after the stop of a PUT until S3 stores its part, in milliseconds.
const LATE_MS: u64 = 600;

/// Bytes in the machine's sockets: they have left the browser, but not arrived.
const SOCKET_BYTES: u64 = 256 << 10;

/// Returns what the browser can read of S3's answer.
pub fn answer((etag, checksum): Stored) -> PutAnswer {
    PutAnswer { status: 200, etag: Some(etag), checksum, media_type: None, is_empty: true }
}

/// Returns a captive portal's answer with status 200.
pub fn login_page() -> PutAnswer {
    PutAnswer { status: 200, media_type: Some("text/html".to_owned()), ..PutAnswer::default() }
}

/// Returns a refusal, with S3's code unless `storage_code` is empty.
fn refusal(status: u16, storage_code: &str) -> Failure {
    let storage_code = Some(storage_code.to_owned()).filter(|code| !code.is_empty());
    Failure { status, storage_code, ..ErrorCode::StorageRefused.into() }
}

impl World {
    fn put_fails(&mut self, (run, put): FlowId, ms: u64, failure: Failure) {
        self.reply(run, ms, Event::PutFailed { put, failure });
    }

    /// Returns the ids of all PUTs in flight in the tab.
    pub fn live_puts(&self) -> Vec<FlowId> {
        let runs = self.tab.iter().flat_map(|tab| &tab.runs);
        runs.flat_map(|run| run.checks.live_puts().into_iter().map(|put| (run.number, put))).collect()
    }

    pub fn begin_put(&mut self, run: u32, on_way: OnWay) {
        let odds = self.scenario.odds;
        let put = &on_way.put;
        let id = (run, put.id);
        let is_cut = self.cut.contains(&id);
        let Some(of) = self.run_of(run).filter(|run| run.checks.is_live(put.id) && !is_cut) else { return };
        let is_unreadable = of.file_is_unreadable;
        let is_on_dead_lane = self.scenario.server.dead_lane == Some(put.lane);
        if self.is_dead() || is_on_dead_lane || self.happens(odds.lost_request) {
            // Half of these PUTs fail, and the others get no answer.
            if self.rng.bool() {
                let ms = self.rng.u64(1..3_000);
                self.on_way.insert(id, on_way);
                self.put_fails(id, ms, ErrorCode::Network.into());
            }
            return;
        }
        if is_unreadable {
            return self.put_fails(id, 1, ErrorCode::FileChanged.into());
        }
        if self.happens(odds.portal) {
            return self.portal_answers(id);
        }
        if let Some(failure) = self.refuse_put() {
            let ms = self.half_trip();
            return self.put_fails(id, ms, failure);
        }
        if let Err(failure) = self.storage.check(self.now_ms, &put.url) {
            let ms = self.half_trip();
            return self.put_fails(id, ms, failure);
        }
        let number = self.puts_begun;
        self.puts_begun += 1;
        let is_dying = self.scenario.dead_put == Some(number) || self.happens(odds.stall);
        let dies_at = is_dying.then(|| (put.part.length as f64 * self.rng.f64()) as u64);
        self.link.start(self.now_ms, id, put.part.length, dies_at);
        self.on_way.insert(id, on_way);
        self.watch_link();
    }

    /// Returns S3's refusal of a PUT, or `None`.
    fn refuse_put(&mut self) -> Option<Failure> {
        let odds = self.scenario.odds;
        if self.happens(odds.denied) {
            return Some(refusal(403, "AccessDenied"));
        }
        if self.happens(odds.busy) {
            let failure = if self.rng.bool() { refusal(503, "SlowDown") } else { refusal(429, "") };
            return Some(Failure { retry_after_ms: self.retry_after(), ..failure });
        }
        if self.happens(odds.conflict) {
            self.saw("409 to a PUT");
            return Some(refusal(409, "OperationAborted"));
        }
        self.happens(odds.error).then(|| refusal(500, "InternalError"))
    }

    /// Draws a header `Retry-After`, in milliseconds. Some values exceed the longest wait that the engine respects.
    pub fn retry_after(&mut self) -> Option<u64> {
        let seconds = match self.rng.u8(0..16) {
            0..=7 => return None,
            8..=14 => self.rng.u64(0..9),
            _ => self.rng.u64(9..400),
        };
        self.saw("Retry-After");
        Some(seconds * 1_000)
    }

    /// Answers a PUT with an answer that is not S3's.
    fn portal_answers(&mut self, (run, put): FlowId) {
        self.saw("unreadable answer to a PUT");
        let ms = self.half_trip();
        let hidden = PutAnswer { status: 200, is_empty: true, ..PutAnswer::default() };
        let event = match self.rng.u8(0..4) {
            0 => Event::PutDone { put, answer: login_page() },
            1 => Event::PutDone { put, answer: PutAnswer { status: 204, ..hidden } },
            2 => Event::PutDone { put, answer: hidden },
            _ => {
                let status = [302, 403, 404, 407, 412, 413, 511][self.rng.usize(0..7)];
                Event::PutFailed { put, failure: Failure::of_storage(status, "<html>", Some("text/html")) }
            }
        };
        self.reply(run, ms, event);
    }

    /// Evaluates the link.
    pub fn move_link(&mut self) {
        for (id, sent_bytes) in self.link.progress(self.now_ms) {
            self.reply(id.0, 0, Event::PutProgress { put: id.1, sent_bytes });
        }
        for id in self.link.ended(self.now_ms) {
            self.end_put(id);
        }
        self.watch_link();
    }

    /// Handles a PUT that S3 has received completely.
    fn end_put(&mut self, id: FlowId) {
        let odds = self.scenario.odds;
        let Some(OnWay { put, .. }) = self.on_way.get(&id).cloned() else { return };
        if self.scenario.link.told != Told::Nothing {
            // XMLHttpRequest's last progress event comes when all bytes have left.
            self.reply(id.0, 0, Event::PutProgress { put: id.1, sent_bytes: put.part.length });
        }
        let content = self.content(id.0, &put);
        if self.happens(odds.late_part) {
            self.put_fails(id, 1, ErrorCode::Network.into());
            return self.arrives_late(put, content);
        }
        let outcome = self.storage.put(&put.url, content);
        if self.happens(odds.lost_answer) {
            // The connection breaks, or S3 never answers.
            if self.rng.bool() {
                self.put_fails(id, 100, ErrorCode::Network.into());
            }
            return;
        }
        if self.happens(odds.gateway) {
            let status = if self.rng.bool() { 502 } else { 504 };
            return self.put_fails(id, 100, refusal(status, ""));
        }
        if self.happens(odds.portal) {
            return self.portal_answers(id);
        }
        let ms = self.half_trip();
        let (run, put) = id;
        let event = match outcome {
            Ok(stored) => Event::PutDone { put, answer: answer(stored) },
            Err(failure) => Event::PutFailed { put, failure },
        };
        self.reply(run, ms, event);
    }

    fn content(&mut self, run: u32, put: &Put) -> Content {
        if self.happens(self.scenario.odds.corruption) {
            return Content::of(b"something else");
        }
        let file = self.run_of(run).map_or(0, |run| run.file);
        self.files[file].disk.content(put.part)
    }

    fn arrives_late(&mut self, put: Put, content: Content) {
        let ms = self.rng.u64(1..LATE_MS);
        self.after(ms, What::PutLate { url: put.url, content });
    }

    /// Stops a PUT for the browser. S3 may still receive the rest of its bytes.
    pub fn cut_off(&mut self, id: FlowId) {
        self.cut.insert(id);
        let Some(OnWay { put, .. }) = self.on_way.remove(&id) else { return };
        let Some(cut) = self.link.cut(self.now_ms, id) else { return };
        self.watch_link();
        if let Some(dead_ms) = cut.dead_ms.filter(|_| self.scenario.is_calm()) {
            self.broken = self.broken.take().or(self.check_dead_connection(dead_ms).err());
        }
        let left_bytes = SOCKET_BYTES.max(self.scenario.link.buffer_bytes);
        let has_left = cut.rest_bytes.is_some_and(|bytes| bytes <= left_bytes) && cut.rest_ms <= LATE_MS;
        if has_left && self.rng.bool() {
            let content = self.content(id.0, &put);
            self.arrives_late(put, content);
        }
    }

    /// Makes all connections dead. Half of them break, and the others stay silent.
    pub fn break_connections(&mut self) {
        self.link.die(self.now_ms);
        for id in self.live_puts() {
            if self.on_way.contains_key(&id) && self.rng.bool() {
                let ms = self.rng.u64(1_000..3_000);
                self.put_fails(id, ms, ErrorCode::Network.into());
            }
        }
        self.watch_link();
    }
}
