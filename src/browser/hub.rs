//! Hands events to the uploads of one `Uploader`, as `src/queue` decides.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::global::now;
use super::read::release_buffers;
use super::session::Session;
use crate::engine::Demand;
use crate::queue::{Hub as Rules, UploadId};

/// The uploads of one `Uploader`, and the rules that they share connections by.
#[derive(Debug)]
pub struct Hub {
    rules: RefCell<Rules>,
    /// In ascending order of ids.
    sessions: RefCell<Vec<Rc<Session>>>,
    next_id: Cell<UploadId>,
    is_balancing: Cell<bool>,
    is_unbalanced: Cell<bool>,
}

impl Hub {
    /// A hub for this many PUTs at once.
    pub fn new(lanes: u32) -> Self {
        Self {
            rules: RefCell::new(Rules::new(lanes)),
            sessions: RefCell::default(),
            next_id: Cell::default(),
            is_balancing: Cell::default(),
            is_unbalanced: Cell::default(),
        }
    }

    /// An id for the next upload.
    pub fn next_id(&self) -> UploadId {
        self.next_id.replace(self.next_id.get().wrapping_add(1))
    }

    /// Takes an upload, which begins when there is room.
    pub fn add(&self, session: Rc<Session>, is_large: bool, priority: i32) {
        self.rules.borrow_mut().add(session.id(), is_large, priority);
        self.sessions.borrow_mut().push(session);
        self.balance();
    }

    /// The upload is over.
    pub fn remove(&self, id: UploadId) {
        self.rules.borrow_mut().remove(id);
        let mut sessions = self.sessions.borrow_mut();
        if let Ok(at) = sessions.binary_search_by_key(&id, |session| session.id()) {
            sessions.remove(at);
        }
        if sessions.is_empty() {
            release_buffers();
        }
    }

    /// The user pauses an upload.
    pub fn pause(&self, id: UploadId) {
        self.rules.borrow_mut().pause(id);
        self.balance();
    }

    /// The user lets a paused upload go on.
    pub fn unpause(&self, id: UploadId) {
        self.rules.borrow_mut().unpause(now(), id);
        self.balance();
    }

    /// The user cancels an upload.
    pub fn cancel(&self, id: UploadId) {
        self.rules.borrow_mut().cancel(now(), id);
        self.balance();
    }

    /// The page goes on without an upload.
    pub fn close(&self, id: UploadId) {
        self.rules.borrow_mut().close(now(), id);
        self.balance();
    }

    /// Puts an upload before all with a lower priority.
    pub fn prioritize(&self, id: UploadId, priority: i32) {
        self.rules.borrow_mut().prioritize(id, priority);
        self.balance();
    }

    /// The browser says whether there is a network.
    pub fn set_online(&self, is_online: bool) {
        self.rules.borrow_mut().set_online(is_online);
        self.balance();
    }

    /// S3 has asked an upload for a rest, in milliseconds.
    pub fn rest(&self, from: UploadId, wait_ms: u64) {
        self.rules.borrow_mut().rest(now(), from, wait_ms);
        self.balance();
    }

    /// S3 has confirmed a part of this many bytes, whose PUT was started at `started_ms`. The next [`Self::balance`] tells
    /// the others.
    pub fn confirmed(&self, bytes: u64, started_ms: u64) {
        self.rules.borrow_mut().confirmed(now(), bytes, started_ms);
    }

    /// A PUT was silent for too long. The next [`Self::balance`] tells the others.
    pub fn stalled(&self) {
        self.rules.borrow_mut().stalled();
    }

    /// Something happened that may let an upload begin or send more.
    pub fn balance(&self) {
        self.is_unbalanced.set(true);
        // What follows makes things happen, and so comes here again.
        if self.is_balancing.replace(true) {
            return;
        }
        while self.is_unbalanced.replace(false) {
            let now = now();
            self.rules.borrow_mut().begin(now);
            self.deliver();
            let demand = |id| self.session(id).map_or(Demand::default(), |session| session.demand(now));
            self.rules.borrow_mut().share(demand);
            self.deliver();
        }
        self.is_balancing.set(false);
    }

    fn deliver(&self) {
        loop {
            // Sessions change the rules while they handle the event, so no borrow may last that long.
            let next = self.rules.borrow_mut().poll();
            let Some((id, event)) = next else { break };
            let session = self.session(id);
            session.inspect(|session| session.dispatch(event));
        }
    }

    fn session(&self, id: UploadId) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let at = sessions.binary_search_by_key(&id, |session| session.id()).ok()?;
        Some(Rc::clone(&sessions[at]))
    }
}
