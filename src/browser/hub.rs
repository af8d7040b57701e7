//! Passes the events of one `Uploader` to its uploads. `src/queue` contains the rules.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;

use super::dispatcher::Dispatcher;
use super::global::{now, spawn};
use super::read::release_buffers;
use super::session::Session;
use super::wire;
use crate::engine::{Call, Demand, Event};
use crate::queue::UploadId;

/// The uploads of one `Uploader`.
#[derive(Debug)]
pub struct Hub {
    /// Uploads in ascending order of ids.
    sessions: RefCell<Vec<Rc<Session>>>,
    next_id: Cell<UploadId>,
    dispatcher: Rc<Dispatcher>,
}

impl Hub {
    /// Returns a hub for at most `connections` PUTs in flight on each lane.
    pub fn new(connections: u32) -> Self {
        Self { sessions: RefCell::default(), next_id: Cell::default(), dispatcher: Dispatcher::new(connections) }
    }

    /// Returns the dispatcher, which takes the events of the uploads and the page.
    pub fn dispatcher(&self) -> &Rc<Dispatcher> {
        &self.dispatcher
    }

    /// Returns an id for the next upload.
    pub fn next_id(&self) -> UploadId {
        self.next_id.replace(self.next_id.get().wrapping_add(1))
    }

    /// Adds an upload of a file of `bytes` bytes. The upload starts when the queue allows it.
    pub fn add(self: &Rc<Self>, session: Rc<Session>, bytes: u64, priority: i32) {
        let id = session.id();
        self.sessions.borrow_mut().push(session);
        // The handler owns the hub, because JavaScript may drop the uploader while its uploads are active.
        let hub = Rc::clone(self);
        self.dispatcher.set_run(Some(Rc::new(move || hub.run())));
        self.dispatcher.change(|rules| rules.add(id, bytes, priority));
    }

    /// Passes on all events, starts the uploads that may start, and distributes the connections.
    fn run(&self) {
        let rules = &self.dispatcher;
        loop {
            while let Some((id, event)) = rules.with_rules(|rules| rules.poll()) {
                self.handle(id, event);
            }
            let now = now();
            rules.with_rules(|rules| rules.begin(now));
            if rules.with_rules(|rules| rules.is_idle()) {
                let demand = |id| self.session(id).map_or(Demand::default(), |session| session.demand(now));
                rules.with_rules(|rules| rules.share(demand));
                self.open(rules.with_rules(|rules| rules.next_batch()));
                if rules.with_rules(|rules| rules.is_idle()) {
                    return;
                }
            }
        }
    }

    /// Opens several uploads with one call.
    fn open(&self, batch: Vec<(UploadId, u32)>) {
        let mut sessions = Vec::with_capacity(batch.len());
        let requests = Array::new();
        for (id, lane) in batch {
            let Some(session) = self.session(id) else { continue };
            requests.push(&session.take_opening(lane));
            sessions.push(session);
        }
        let Some(api) = sessions.first().map(|session| session.api().clone()) else { return };
        let dispatcher = Rc::clone(&self.dispatcher);
        spawn(async move {
            let answer = api.open(requests).await;
            let answer = dispatcher.change(|rules| rules.batch_ended(answer));
            for (index, session) in (0..).zip(sessions) {
                let entry = answer.clone().and_then(|entries| wire::batch_entry(&entries.get(index)));
                session.send(match entry {
                    Ok(created) => Event::Created(created),
                    Err(failure) => Event::CallFailed { call: Call::Create, failure },
                });
            }
        });
    }

    fn handle(&self, id: UploadId, event: Event) {
        let Some(session) = self.session(id) else { return };
        session.handle(event);
        if session.is_finished() {
            self.remove(id);
        }
    }

    fn remove(&self, id: UploadId) {
        self.dispatcher.with_rules(|rules| rules.remove(id));
        let mut sessions = self.sessions.borrow_mut();
        if let Ok(at) = sessions.binary_search_by_key(&id, |session| session.id()) {
            sessions.remove(at);
        }
        if sessions.is_empty() {
            release_buffers();
            self.dispatcher.set_run(None);
        }
    }

    fn session(&self, id: UploadId) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let at = sessions.binary_search_by_key(&id, |session| session.id()).ok()?;
        Some(Rc::clone(&sessions[at]))
    }
}
