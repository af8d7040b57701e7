//! What a page and a worker both have, under the same name but behind different types.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
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

/// The moment, as the engine wants it.
pub fn now() -> Now {
    let ms = global("performance").unchecked_into::<Performance>().now();
    let random = js_sys::Math::random() * f64::from(u32::MAX);
    Now { ms: ms as u64, random: random as u32 }
}
