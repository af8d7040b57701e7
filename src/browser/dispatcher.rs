//! The events of all uploads of one `Uploader`, in the order of their arrival.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::global::spawn;
use crate::queue::Hub as Rules;

/// Owns the rules of the queue, which hold the events. Events are handled in a separate task, so a change of the
/// rules never runs a callback.
pub struct Dispatcher {
    rules: RefCell<Rules>,
    /// Handler of all events; `None` while there is no upload.
    run: RefCell<Option<Rc<dyn Fn()>>>,
    is_scheduled: Cell<bool>,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Events hold presigned URLs and tokens.
        formatter.debug_struct("Dispatcher").finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// Returns a dispatcher for at most `connections` PUTs in flight on each lane.
    pub fn new(connections: u32) -> Rc<Self> {
        Rc::new(Self {
            rules: RefCell::new(Rules::new(connections)),
            run: RefCell::default(),
            is_scheduled: Cell::default(),
        })
    }

    /// Changes the rules or adds an event, and schedules the handling of events.
    pub fn change<T>(self: &Rc<Self>, change: impl FnOnce(&mut Rules) -> T) -> T {
        self.schedule();
        self.with_rules(change)
    }

    /// Changes the rules or takes an event, while events are handled.
    pub fn with_rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut self.rules.borrow_mut())
    }

    /// Sets the handler of events, or `None` when no upload is left.
    pub fn set_run(&self, run: Option<Rc<dyn Fn()>>) {
        *self.run.borrow_mut() = run;
    }

    fn run(&self) {
        self.is_scheduled.set(false);
        let run = self.run.borrow().clone();
        run.inspect(|run| run());
    }

    fn schedule(self: &Rc<Self>) {
        if !self.is_scheduled.replace(true) {
            let dispatcher = Rc::clone(self);
            spawn(async move { dispatcher.run() });
        }
    }
}
