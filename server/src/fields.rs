//! Reads a request from JSON or from a query. An error has the path of the wrong field and the error code of the
//! reason.
//!
//! serde's trait `de::Error` has one function for each kind of error, but `serde_json` reduces the errors to text.
//! Therefore [`Checked`] wraps the deserializer and reports a [`FieldError`], which keeps the code and the path.
//!
//! A body is read directly into its type, without a tree of JSON values. No list of parts grows beyond the call's
//! limit. So the memory for a request is at most proportional to the length of its body.

use std::cell::RefCell;
use std::fmt::{self, Display};

use directput::protocol::ErrorCode;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::request::{Request, Route};

/// Reads the JSON body of a request. No list of parts may have more than `max_parts` items.
///
/// # Errors
/// [`ErrorCode::UnsupportedMediaType`] if `Content-Type` is not `application/json`; [`ErrorCode::BodyTooLarge`];
/// [`ErrorCode::InvalidJson`]; or the error of a field, with the field's path.
pub fn read_body<T: DeserializeOwned>(route: Route, request: Request<'_>, max_parts: u32) -> Result<T, ApiError> {
    read_json(bytes_of(route, request)?, max_parts)
}

fn bytes_of(route: Route, request: Request<'_>) -> Result<&[u8], ApiError> {
    let essence = request.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    let max_bytes = route.max_body_bytes();
    let body = request.body.filter(|body| body.len() <= max_bytes);
    body.ok_or_else(|| ApiError::detail(ErrorCode::BodyTooLarge, format!("at most {max_bytes} bytes")))
}

/// Reads each item of the list `uploads`, the only field of a batch's body. A wrong item does not affect the other
/// items.
///
/// # Errors
/// The errors of [`read_body`] for the body as a whole; [`ErrorCode::EmptyField`] if the list is empty;
/// [`ErrorCode::OutOfRange`] if the list has more than `max_items` items.
pub fn read_uploads<T: DeserializeOwned>(
    request: Request<'_>,
    max_parts: u32,
    max_items: usize,
) -> Result<Vec<Result<T, ApiError>>, ApiError> {
    let bytes = bytes_of(Route::CreateBatch, request)?;
    let Ok(Texts { uploads }) = serde_json::from_slice(bytes) else {
        // The error of `from_slice` does not name the wrong field. The error of `read_json` does.
        read_json::<Shape>(bytes, u32::MAX)?;
        return Err(invalid_json(bytes));
    };
    if uploads.is_empty() {
        return Err(ApiError::field(ErrorCode::EmptyField, "uploads", "expected at least one file"));
    }
    if uploads.len() > max_items {
        return Err(ApiError::field(ErrorCode::OutOfRange, "uploads", format!("at most {max_items} files")));
    }
    Ok(uploads.into_iter().map(|item| read_json(item.get().as_bytes(), max_parts)).collect())
}

/// The body of a batch. Its items are skipped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(rename = "uploads")]
    _uploads: Vec<IgnoredAny>,
}

/// The body of a batch, with each item as unparsed JSON text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts<'a> {
    #[serde(borrow)]
    uploads: Vec<&'a RawValue>,
}

fn read_json<T: DeserializeOwned>(bytes: &[u8], max_parts: u32) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = read(&mut json, max_parts).map_err(|error| match error.code {
        // `FieldError` has no line and column, so the JSON parser reads the body once more to find them.
        ErrorCode::InvalidJson => invalid_json(bytes),
        _ => error.into(),
    })?;
    json.end().map_err(|_| invalid_json(bytes))?;
    Ok(value)
}

fn invalid_json(bytes: &[u8]) -> ApiError {
    let error = serde_json::from_slice::<IgnoredAny>(bytes).err();
    let place = error.map(|error| format!("line {}, column {}", error.line(), error.column()));
    ApiError { code: ErrorCode::InvalidJson, field: None, detail: place }
}

/// Reads a query (`a=1&b=2`) whose values are whole numbers.
///
/// # Errors
/// The error of the first wrong field, with the field's name.
pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let fields = form_urlencoded::parse(query.as_bytes()).map(|(name, text)| {
        let value = text.parse::<i64>().map_or_else(|_| Value::String(text.into_owned()), Value::from);
        (name.into_owned(), value)
    });
    read(Value::Object(fields.collect()), 0).map_err(ApiError::from)
}

fn read<'de, T: Deserialize<'de>>(format: impl Deserializer<'de>, max_parts: u32) -> Result<T, FieldError> {
    let context = Context { max_parts, error: RefCell::default() };
    T::deserialize(Checked { format, context: &context })
}

#[derive(Debug)]
struct FieldError {
    code: ErrorCode,
    path: String,
    detail: String,
}

impl From<FieldError> for ApiError {
    fn from(FieldError { code, path, detail }: FieldError) -> Self {
        Self { code, field: (!path.is_empty()).then_some(path), detail: Some(detail) }
    }
}

impl FieldError {
    fn new(code: ErrorCode, detail: String) -> Self {
        Self { code, path: String::new(), detail }
    }

    /// Puts `outer` before the path: the name of the enclosing field, or the index of the enclosing item in brackets.
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
        // The client chose the name, so its length is limited.
        let path = field.chars().take(64).collect();
        Self { path, ..Self::new(ErrorCode::UnknownField, format!("expected one of {}", expected.join(", "))) }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { path: field.to_owned(), ..Self::new(ErrorCode::InvalidValue, "this field occurs twice".to_owned()) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: field.to_owned(), ..Self::new(ErrorCode::MissingField, "this field is required".to_owned()) }
    }
}

/// State that the deserializers of all nested values of a request share.
struct Context {
    /// Maximum number of items in a list.
    max_parts: u32,
    /// The current error, with its code and path. The format's own error type would keep only its text.
    error: RefCell<Option<FieldError>>,
}

impl Context {
    /// Stores an error for [`Self::restore`]. Returns an empty error of the type that the format requires.
    fn store<E: de::Error>(&self, error: FieldError) -> E {
        *self.error.borrow_mut() = Some(error);
        E::custom("")
    }

    /// Returns the stored error. If there is none, the format itself has reported an error, so the JSON is invalid.
    fn restore<E>(&self, _: E) -> FieldError {
        self.error.take().unwrap_or_else(|| FieldError::new(ErrorCode::InvalidJson, String::new()))
    }
}

/// Wraps a deserializer or a seed, so that its errors keep their code and path.
struct Checked<'a, T> {
    format: T,
    context: &'a Context,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Checked<'_, D> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let Self { format, context } = self;
        format.deserialize_any(Watched { visitor, context, has_names: false }).map_err(|error| context.restore(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let Self { format, context } = self;
        format
            .deserialize_option(Watched { visitor, context, has_names: false })
            .map_err(|error| context.restore(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let name = String::deserialize(self)?;
        visitor.visit_enum(name.into_deserializer())
    }

    /// Rejects an array in place of a struct. By default, serde reads the items of such an array as the struct's
    /// fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let Self { format, context } = self;
        format.deserialize_any(Watched { visitor, context, has_names: true }).map_err(|error| context.restore(error))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Wraps the visitor of a type, so that its errors keep their code and path.
struct Watched<'a, V> {
    visitor: V,
    context: &'a Context,
    /// Whether the type is a struct with named fields. Then an array is an error.
    has_names: bool,
}

/// Passes each kind of JSON value to the wrapped visitor.
macro_rules! forward_to_visitor {
    ($($visit:ident($type:ty);)*) => {
        $(fn $visit<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$visit(value).map_err(|error| self.context.store(error))
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    /// Writes nothing, because only the format's own errors contain this text, and [`Context::restore`] drops those
    /// errors.
    fn expecting(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    forward_to_visitor! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit().map_err(|error| self.context.store(error))
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none().map_err(|error| self.context.store(error))
    }

    fn visit_some<D: Deserializer<'de>>(self, format: D) -> Result<V::Value, D::Error> {
        let Self { visitor, context, .. } = self;
        visitor.visit_some(Checked { format, context }).map_err(|error| context.store(error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, context, has_names } = self;
        let outcome = match has_names {
            true => Err(de::Error::invalid_type(Unexpected::Seq, &"an object")),
            false => visitor.visit_seq(Items { access, context, index: 0 }),
        };
        outcome.map_err(|error| context.store(error))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, context, .. } = self;
        visitor.visit_map(Fields { access, context, name: String::new() }).map_err(|error| context.store(error))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Checked<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, format: D) -> Result<S::Value, D::Error> {
        let Self { format: seed, context } = self;
        seed.deserialize(Checked { format, context }).map_err(|error| context.store(error))
    }
}

struct Fields<'a, A> {
    access: A,
    context: &'a Context,
    /// Name of the current field.
    name: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        let name = self.access.next_key::<String>().map_err(|error| self.context.restore(error))?;
        let Some(name) = name else { return Ok(None) };
        self.name = name;
        seed.deserialize(StrDeserializer::<FieldError>::new(&self.name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, FieldError> {
        let outcome = self.access.next_value_seed(Checked { format: seed, context: self.context });
        outcome.map_err(|error| self.context.restore(error).inside(&self.name))
    }
}

struct Items<'a, A> {
    access: A,
    context: &'a Context,
    index: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Self { access, context, index } = self;
        if *index >= context.max_parts as usize {
            let more = access.next_element::<IgnoredAny>().map_err(|error| context.restore(error))?;
            let detail = format!("at most {} parts", context.max_parts);
            return if more.is_none() { Ok(None) } else { Err(FieldError::new(ErrorCode::TooManyParts, detail)) };
        }
        let item = access.next_element_seed(Checked { format: seed, context });
        let item = item.map_err(|error| context.restore(error).inside(&format!("[{index}]")));
        *index += 1;
        item
    }
}
