//! Globals that have the same name in a page and in a worker, but different types.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Crypto, Performance, SubtleCrypto};

use crate::clock::Clock;
use crate::engine::Now;

fn global(name: &str) -> JsValue {
    Reflect::get(&js_sys::global(), &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Returns `crypto.subtle`; `None` outside of secure contexts, such as plain HTTP on a LAN.
pub fn subtle_crypto() -> Option<SubtleCrypto> {
    let crypto = global("crypto");
    if crypto.is_undefined() {
        return None;
    }
    let subtle: JsValue = crypto.unchecked_into::<Crypto>().subtle().into();
    (!subtle.is_undefined()).then(|| subtle.unchecked_into())
}

/// Runs a task to its end. The task is boxed, so that the module contains only one copy of the code that runs tasks.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    let task: Pin<Box<dyn Future<Output = ()>>> = Box::pin(task);
    spawn_local(task);
}

/// Returns a future that ends after `ms` milliseconds, never with an error.
pub fn sleep(ms: u32) -> JsFuture {
    JsFuture::from(Promise::new(&mut |resolve, _| {
        // The functions of a promise do not throw.
        Timeout::new(ms, move || drop(resolve.call0(&JsValue::UNDEFINED))).forget();
    }))
}

/// Reason for which a promise has no value.
pub enum Missed {
    /// The promise took too long.
    Late,
    /// The promise was rejected.
    Rejected,
}

/// Returns the value of a promise, with a timeout of `ms` milliseconds.
///
/// # Errors
/// [`Missed::Late`] after the timeout, [`Missed::Rejected`] if the promise is rejected.
pub async fn within(ms: u32, promise: &Promise) -> Result<JsValue, Missed> {
    let is_late = Rc::new(Cell::new(false));
    let mut timer = None;
    let late = Promise::new(&mut |_, reject| {
        let is_late = Rc::clone(&is_late);
        timer = Some(Timeout::new(ms, move || {
            is_late.set(true);
            // The functions of a promise do not throw.
            drop(reject.call0(&JsValue::UNDEFINED));
        }));
    });
    let outcome = JsFuture::from(Promise::race(&Array::of2(promise, &late))).await;
    drop(timer);
    outcome.map_err(|_| if is_late.get() { Missed::Late } else { Missed::Rejected })
}

thread_local! {
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::new()) };
}

/// Returns the current time and a random number for the engine.
pub fn now() -> Now {
    let monotonic_ms = global("performance").unchecked_into::<Performance>().now();
    let mut clock = CLOCK.get();
    let passed_ms = clock.passed_ms(monotonic_ms, Date::now());
    CLOCK.set(clock);
    let random = js_sys::Math::random() * f64::from(u32::MAX);
    Now { ms: passed_ms as u64, random: random as u32 }
}
