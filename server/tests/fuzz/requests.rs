//! Random requests of hostile or defective clients. Some are valid except for a few changes, others are entirely
//! random.

use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput_server::host::Caller;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Contents of a request.
#[derive(Debug, Clone)]
pub struct Input {
    method: &'static str,
    path: String,
    caller: Option<&'static str>,
    content_type: Option<Vec<u8>>,
    token: Token,
    header: Option<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// The upload token of a request.
#[derive(Debug, Clone)]
enum Token {
    None,
    /// A good token of the caller: 0 for the multipart upload, 1 for the single PUT.
    Own(usize),
    /// A good token, by its index in [`Tokens`].
    Good(usize),
    /// A good token with one changed byte: index of the token, position and value of the byte.
    Changed(usize, usize, u8),
    /// The beginning of a good token: index of the token, and length.
    Cut(usize, usize),
    /// The claims of one good token and the signature of another: the indices of both tokens.
    Mixed(usize, usize),
    Other(Vec<u8>),
}

/// Good tokens, in this order: two of alice, two of an anonymous caller. The first of each caller is for a multipart
/// upload, the second for a single PUT.
pub struct Tokens(pub Vec<String>);

impl Input {
    pub fn request(&self, tokens: &Tokens) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        let headers = request.headers_mut().unwrap();
        let mut set = |name: &'static str, value: &[u8]| {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        };
        if let Some(content_type) = &self.content_type {
            set(header::CONTENT_TYPE.as_str(), content_type);
        }
        if let Some(token) = self.token.bytes(&tokens.0, self.caller) {
            set("upload-token", &token);
        }
        if let Some((name, value)) = &self.header {
            set(name, value);
        }
        request.extension(Caller(self.caller.map(str::to_owned))).body(Body::from(self.body.clone())).unwrap()
    }
}

impl Token {
    fn bytes(&self, good: &[String], caller: Option<&str>) -> Option<Vec<u8>> {
        let of = |which: usize| good[which % good.len()].as_bytes();
        match self {
            Self::None => None,
            Self::Own(which) => Some(of(which % 2 + if caller.is_some() { 0 } else { 2 }).to_vec()),
            Self::Good(which) => Some(of(*which).to_vec()),
            Self::Changed(which, at, byte) => {
                let mut bytes = of(*which).to_vec();
                let at = at % bytes.len();
                bytes[at] = *byte;
                Some(bytes)
            }
            Self::Cut(which, at) => Some(of(*which)[..at % of(*which).len()].to_vec()),
            Self::Mixed(claims, signature) => {
                let end = |which: usize| of(which).iter().rposition(|byte| *byte == b'.').unwrap();
                Some([&of(*claims)[..end(*claims)], &of(*signature)[end(*signature)..]].concat())
            }
            Self::Other(bytes) => Some(bytes.clone()),
        }
    }
}

pub fn input() -> impl Strategy<Value = Input> {
    let token = prop_oneof![
        1 => Just(Token::None),
        20 => prop_oneof![4 => Just(0), 1 => Just(1_usize)].prop_map(Token::Own),
        2 => (0..4_usize).prop_map(Token::Good),
        1 => (0..4_usize, any::<usize>(), any::<u8>()).prop_map(|(which, at, byte)| Token::Changed(which, at, byte)),
        1 => (0..4_usize, any::<usize>()).prop_map(|(which, at)| Token::Cut(which, at)),
        1 => (0..4_usize, 0..4_usize).prop_map(|(claims, signature)| Token::Mixed(claims, signature)),
        1 => vec(any::<u8>(), 0..64).prop_map(Token::Other),
    ];
    let json = || Some(b"application/json".to_vec());
    let content_type = prop_oneof![
        12 => Just(json()),
        1 => Just(None),
        1 => vec(any::<u8>(), 0..32).prop_map(Some),
        1 => Just(Some(b"application/json; charset=utf-16".to_vec())),
    ];
    let names = ["authorization", "content-length", "host", "x-forwarded-for", "x-amz-acl", "x-request-id", "cookie"];
    let header = proptest::option::weighted(0.2, (select(names.to_vec()), vec(any::<u8>(), 0..48)));
    let caller = prop_oneof![5 => Just(Some("alice")), 4 => Just(None), 1 => Just(Some("bob")), 1 => Just(Some(""))];
    (route(), caller, content_type, token, header).prop_map(
        |((method, path, body), caller, content_type, token, header)| Input {
            method,
            path,
            caller,
            content_type,
            token,
            header,
            body,
        },
    )
}

/// Returns a method, a path and a body. The body may be valid for the path.
fn route() -> impl Strategy<Value = (&'static str, String, Vec<u8>)> {
    let at = |method: &'static str, path: &'static str, body: BoxedStrategy<Vec<u8>>| {
        body.prop_map(move |body| (method, path.to_owned(), body))
    };
    let query = prop_oneof![
        Just("after=1".to_owned()),
        any::<i64>().prop_map(|number| format!("after={number}")),
        "[ -~]{0,40}".prop_map(|text| text.replace([' ', '"', '<', '>', '#', '\\', '^', '`', '{', '|', '}'], "%")),
    ];
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    prop_oneof![
        6 => at("POST", "/uploads", near(create())),
        3 => at("POST", "/uploads/batch", near(batch())),
        4 => at("POST", "/uploads/parts", near(sign())),
        4 => at("POST", "/uploads/complete", near(complete())),
        1 => at("DELETE", "/uploads", Just(Vec::new()).boxed()),
        2 => query.prop_map(|query| ("GET", format!("/uploads/parts?{query}"), Vec::new())),
        1 => (select(methods.to_vec()), "/(uploads)?(/[a-z.%0-9]{0,9}){0,3}", near(create()))
            .prop_map(|(method, path, body)| (method, path, body)),
    ]
}

fn name() -> impl Strategy<Value = Value> {
    let odd = ["../../etc/passwd", "a\u{0}b", "<img src=x onerror=alert(1)>", "\u{202e}gpj.exe", "CON", ".", "a.b.c.d"];
    prop_oneof![
        "[a-z]{1,8}\\.[a-z]{1,4}",
        any::<String>(),
        select(odd.to_vec()).prop_map(str::to_owned),
        (1..3_000_usize).prop_map(|length| "é".repeat(length)),
    ]
    .prop_map(Value::from)
}

fn create() -> impl Strategy<Value = Value> {
    let size = prop_oneof![0..100_000_u64, Just(20 << 20), any::<u64>()];
    let kind = prop_oneof![Just("image/png".to_owned()), Just("text/html".to_owned()), any::<String>()];
    let algorithm = select(vec!["sha256", "crc64nvme", "crc64nvme-after", "none"]);
    (name(), size, kind, algorithm, any::<bool>()).prop_map(|(name, size, kind, algorithm, has_parts)| {
        let checksum = match algorithm {
            "sha256" => json!(Sha256Digest::of(b"x").to_string()),
            "crc64nvme" | "crc64nvme-after" => json!("AAAAAAAAAAA="),
            _ => Value::Null,
        };
        let length = size.min(8 << 20);
        let parts =
            if has_parts { json!([{ "number": 1, "length": length, "checksum": checksum }]) } else { json!([]) };
        json!({ "name": name, "type": kind, "size": size, "algorithm": algorithm, "network": "4g", "parts": parts })
    })
}

fn batch() -> impl Strategy<Value = Value> {
    proptest::collection::vec(create(), 0..6).prop_map(|uploads| json!({ "uploads": uploads }))
}

/// Returns the parts of the multipart uploads in [`Tokens`].
fn parts() -> impl Iterator<Item = (u32, u64, Sha256Digest)> {
    [8 << 20, 8 << 20, 4 << 20].into_iter().zip(1..).map(|(length, number)| (number, length, Sha256Digest::of(b"x")))
}

fn sign() -> impl Strategy<Value = Value> {
    proptest::option::of(any::<u64>()).prop_map(|speed| {
        let part = |(number, length, digest): (u32, u64, Sha256Digest)| json!({ "number": number, "length": length, "checksum": digest.to_string() });
        json!({ "parts": parts().map(part).collect::<Vec<_>>(), "bitsPerSecond": speed })
    })
}

fn complete() -> impl Strategy<Value = Value> {
    Just(()).prop_map(|()| {
        let digests: Vec<_> = parts().map(|(_, _, digest)| digest).collect();
        let part = |(number, _, digest): (u32, u64, Sha256Digest)| json!({ "number": number, "etag": "e", "checksum": digest.to_string() });
        json!({ "parts": parts().map(part).collect::<Vec<_>>(), "checksum": CompositeChecksum::of(&digests).to_string() })
    })
}

/// A change of a value in a body.
#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Add(String, Value),
    Repeat(usize),
}

/// Returns a good body with up to two changes, random JSON, nested arrays, or random bytes.
fn near(good: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Vec<u8>> {
    let change = prop_oneof![
        4 => any_json().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        1 => (any::<String>(), any_json()).prop_map(|(name, value)| Change::Add(name, value)),
        1 => (2..200_usize).prop_map(Change::Repeat),
    ];
    let changed = (good, vec((any::<usize>(), change), 0..3)).prop_map(|(mut value, changes)| {
        for (which, change) in changes {
            let places = places(&value);
            apply(&mut value, &places[which % places.len()], change);
        }
        value.to_string().into_bytes()
    });
    prop_oneof![
        12 => changed,
        1 => vec(any::<u8>(), 0..200),
        1 => any_json().prop_map(|value| value.to_string().into_bytes()),
        1 => (1..2_000_usize).prop_map(|depth| "[".repeat(depth).into_bytes()),
    ]
    .boxed()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (0..12_u64).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let object =
            vec((any::<String>(), inner.clone()), 0..4).prop_map(|fields| Value::Object(Map::from_iter(fields)));
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    })
}

/// Returns the JSON pointers of a value and of all values inside it.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, item)| (name.replace('~', "~0").replace('/', "~1"), item)).collect()
        }
        _ => Vec::new(),
    };
    let deeper =
        inner.into_iter().flat_map(|(name, item)| places(item).into_iter().map(move |rest| format!("/{name}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

fn apply(value: &mut Value, place: &str, change: Change) {
    match change {
        Change::Replace(other) => *value.pointer_mut(place).unwrap() = other,
        Change::Add(name, other) => {
            if let Value::Object(fields) = value.pointer_mut(place).unwrap() {
                fields.insert(name, other);
            }
        }
        Change::Repeat(times) => {
            if let Value::Array(items) = value.pointer_mut(place).unwrap() {
                *items = items.iter().cycle().take(items.len() * times).cloned().collect();
            }
        }
        Change::Remove => {
            let Some((outer, name)) = place.rsplit_once('/') else { return };
            match value.pointer_mut(outer).unwrap() {
                Value::Object(fields) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => {}
            }
        }
    }
}
