//! Reads a request from JSON and says which field is wrong, and in which way.
//!
//! serde's errors are texts to most formats. Its `de::Error` trait tells the ways apart, though, so
//! this deserializer over `serde_json::Value` has an error of its own that keeps the code and the path.

use std::fmt::{self, Display};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use directput::protocol::ErrorCode;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};

use crate::error::ApiError;

/// Reads a JSON body of at most `max_bytes`.
pub async fn read_body<T: DeserializeOwned>(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<T, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    let bytes = to_bytes(body, max_bytes)
        .await
        .map_err(|_| ApiError::detail(ErrorCode::BodyTooLarge, format!("at most {max_bytes} bytes")))?;
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        ApiError::detail(ErrorCode::InvalidJson, place)
    })?;
    read_value(value)
}

/// Reads a query whose values are whole numbers.
pub fn read_query<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, ApiError> {
    let fields = pairs.into_iter().map(|(name, text)| {
        let value = text.parse::<i64>().map_or(Value::String(text), Value::from);
        (name, value)
    });
    read_value(Value::Object(fields.collect()))
}

fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    T::deserialize(Json(value)).map_err(|FieldError { code, path, detail }| ApiError {
        code,
        field: (!path.is_empty()).then_some(path),
        detail: Some(detail),
    })
}

struct Json(Value);

#[derive(Debug)]
struct FieldError {
    code: ErrorCode,
    path: String,
    detail: String,
}

impl FieldError {
    fn new(code: ErrorCode, detail: String) -> Self {
        Self { code, path: String::new(), detail }
    }

    /// The same error, seen from one level further out.
    fn inside(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.detail)
    }
}

impl std::error::Error for FieldError {}

impl de::Error for FieldError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(ErrorCode::InvalidValue, message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorCode::WrongType, format!("expected {expected}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let code = match unexpected {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) | Unexpected::Float(_) => ErrorCode::OutOfRange,
            _ => ErrorCode::InvalidValue,
        };
        Self::new(code, format!("expected {expected}"))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let code = if length == 0 { ErrorCode::EmptyField } else { ErrorCode::FieldTooLong };
        Self::new(code, format!("expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(ErrorCode::InvalidValue, format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        // The name is the client's, so not all of it is repeated.
        let path = field.chars().take(64).collect();
        Self { path, ..Self::new(ErrorCode::UnknownField, format!("expected one of {}", expected.join(", "))) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: field.to_owned(), ..Self::new(ErrorCode::MissingField, "it is required".to_owned()) }
    }
}

impl<'de> Deserializer<'de> for Json {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { rest: items.into_iter(), index: 0 }),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields)),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (_, Some(value)) => visitor.visit_i64(value),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0.as_str() {
            Some(name) => visitor.visit_enum(name.into_deserializer()),
            None => Err(de::Error::invalid_type(Unexpected::Other("no text"), &"a text")),
        }
    }

    /// serde would take an array for a struct, field by field; this API has names.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &"an object")),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Fields {
    rest: map::IntoIter,
    current: Option<(String, Value)>,
}

impl Fields {
    fn new(fields: Map<String, Value>) -> Self {
        Self { rest: fields.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else { return Ok(None) };
        seed.deserialize(StrDeserializer::<FieldError>::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FieldError> {
        let (name, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Json(value)).map_err(|error| error.inside(&name))
    }
}

struct Items {
    rest: std::vec::IntoIter<Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Json(item)).map(Some).map_err(|error| error.inside(&format!("[{index}]")))
    }
}
