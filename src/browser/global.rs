//! What a page and a worker both have, under the same name but behind different types.

use std::cell::Cell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, Performance, SubtleCrypto};

use crate::engine::Now;

fn global(name: &str) -> JsValue {
    Reflect::get(&js_sys::global(), &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// `crypto.subtle`, which is missing outside of secure contexts (plain http on a LAN).
pub fn subtle_crypto() -> Option<SubtleCrypto> {
    let crypto = global("crypto");
    if crypto.is_undefined() {
        return None;
    }
    let subtle: JsValue = crypto.unchecked_into::<Crypto>().subtle().into();
    (!subtle.is_undefined()).then(|| subtle.unchecked_into())
}

/// Waits, in milliseconds; what it gives is never an error.
pub fn sleep(ms: u32) -> JsFuture {
    JsFuture::from(Promise::new(&mut |resolve, _| {
        // The promise's own function doesn't throw.
        Timeout::new(ms, move || drop(resolve.call0(&JsValue::UNDEFINED))).forget();
    }))
}

/// Why a promise has given nothing.
pub enum Missed {
    /// It took too long.
    Late,
    /// It was rejected.
    Rejected,
}

/// What a promise gives, if it does so within so many milliseconds. A promise that is never settled holds nothing up.
pub async fn within(ms: u32, promise: &Promise) -> Result<JsValue, Missed> {
    let is_late = Rc::new(Cell::new(false));
    let mut timer = None;
    let late = Promise::new(&mut |_, reject| {
        let is_late = Rc::clone(&is_late);
        timer = Some(Timeout::new(ms, move || {
            is_late.set(true);
            // The promise's own function doesn't throw.
            drop(reject.call0(&JsValue::UNDEFINED));
        }));
    });
    let outcome = JsFuture::from(Promise::race(&Array::of2(promise, &late))).await;
    drop(timer);
    outcome.map_err(|_| if is_late.get() { Missed::Late } else { Missed::Rejected })
}

/// What the clocks showed when they were last looked at, in milliseconds.
#[derive(Clone, Copy)]
struct Clocks {
    monotonic: f64,
    wall: f64,
    passed: f64,
}

thread_local! {
    static CLOCKS: Cell<Option<Clocks>> = const { Cell::new(None) };
}

/// The moment, as the engine wants it. `performance.now()` may stand still while the machine sleeps, and
/// the wall clock may be set back, so the time that has passed is what the faster of both says: a URL is
/// rather signed once too often than used too late.
pub fn now() -> Now {
    let monotonic = global("performance").unchecked_into::<Performance>().now();
    let wall = Date::now();
    let before = CLOCKS.get().unwrap_or(Clocks { monotonic, wall, passed: 0.0 });
    let step = (monotonic - before.monotonic).max(wall - before.wall).max(0.0);
    let passed = before.passed + step;
    CLOCKS.set(Some(Clocks { monotonic, wall, passed }));
    let random = js_sys::Math::random() * f64::from(u32::MAX);
    Now { ms: passed as u64, random: random as u32 }
}
