//! What the uploads of one `Uploader` share: the queue, the connections, the network.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::global::now;
use super::read::release_buffers;
use super::session::Session;
use crate::engine::{Event, Queue, UploadId};

/// Lets uploads begin and shares the connections out among them.
#[derive(Debug)]
pub struct Hub {
    queue: RefCell<Queue>,
    sessions: RefCell<Vec<Rc<Session>>>,
    next_id: Cell<UploadId>,
    is_offline: Cell<bool>,
    is_balancing: Cell<bool>,
    is_unbalanced: Cell<bool>,
}

impl Hub {
    /// A hub for so many PUTs at once.
    pub fn new(lanes: u32) -> Self {
        Self {
            queue: RefCell::new(Queue::new(lanes)),
            sessions: RefCell::default(),
            next_id: Cell::default(),
            is_offline: Cell::default(),
            is_balancing: Cell::default(),
            is_unbalanced: Cell::default(),
        }
    }

    /// An id for the next upload.
    pub fn next_id(&self) -> UploadId {
        self.next_id.replace(self.next_id.get().wrapping_add(1))
    }

    /// Takes an upload into the queue. It begins with the next [`Self::balance`] that finds room.
    pub fn add(&self, session: Rc<Session>, is_large: bool, priority: i32) {
        let id = session.id();
        self.queue.borrow_mut().add(id, is_large, priority);
        self.sessions.borrow_mut().push(Rc::clone(&session));
        if self.is_offline.get() {
            session.dispatch(Event::Offline);
        }
    }

    /// The upload is over.
    pub fn remove(&self, id: UploadId) {
        self.queue.borrow_mut().remove(id);
        self.sessions.borrow_mut().retain(|session| session.id() != id);
        if self.sessions.borrow().is_empty() {
            release_buffers();
        }
    }

    /// Pauses an upload, or lets it go on.
    pub fn set_paused(&self, id: UploadId, is_paused: bool) {
        self.queue.borrow_mut().set_paused(id, is_paused);
        self.balance();
    }

    /// Puts an upload before all with a lower priority.
    pub fn prioritize(&self, id: UploadId, priority: i32) {
        self.queue.borrow_mut().prioritize(id, priority);
        self.balance();
    }

    /// What the browser says of the network.
    pub fn set_online(&self, is_online: bool) {
        self.is_offline.set(!is_online);
        for session in self.all() {
            session.dispatch(if is_online { Event::Online } else { Event::Offline });
        }
    }

    /// S3 wants a rest: all others give it one too.
    pub fn rest(&self, from: UploadId, wait_ms: u64) {
        for session in self.all().into_iter().filter(|session| session.id() != from) {
            session.dispatch(Event::Busy { wait_ms });
        }
    }

    /// Something happened that may let an upload begin or send more.
    pub fn balance(&self) {
        self.is_unbalanced.set(true);
        // What follows makes things happen, and so comes here again.
        if self.is_balancing.replace(true) {
            return;
        }
        while self.is_unbalanced.replace(false) {
            self.begin();
            self.share();
        }
        self.is_balancing.set(false);
    }

    fn begin(&self) {
        loop {
            let next = self.queue.borrow_mut().begin_next();
            let Some(id) = next else { break };
            self.session(id).inspect(|session| session.dispatch(Event::Start));
        }
    }

    fn share(&self) {
        let now = now();
        // Thousands may be waiting, of which few have begun.
        let begun: Vec<_> = self.queue.borrow().begun().collect();
        let sessions: Vec<_> = begun.iter().filter_map(|&id| self.session(id)).collect();
        let demands: Vec<_> = sessions.iter().map(|session| (session.id(), session.demand(now))).collect();
        let shares = self.queue.borrow().share(&demands);
        for session in sessions {
            let share = shares.iter().find(|(id, _)| *id == session.id());
            session.set_lanes(share.map_or(0, |&(_, lanes)| lanes));
        }
    }

    fn all(&self) -> Vec<Rc<Session>> {
        self.sessions.borrow().clone()
    }

    fn session(&self, id: UploadId) -> Option<Rc<Session>> {
        self.sessions.borrow().iter().find(|session| session.id() == id).cloned()
    }
}
