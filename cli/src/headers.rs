//! Headers of every call of the API, from the options of the command line.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// Returns the headers of `--header` and `--authorization`. An empty `authorization` counts as absent.
///
/// # Errors
/// A message that names the option. It does not quote the option's value, because the value can be a secret.
pub fn parse(texts: &[String], authorization: Option<&str>) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::new();
    for text in texts {
        let (name, value) = text.split_once(':').ok_or("--header: expected a name, a colon and a value")?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| "--header: expected a valid name before the colon")?;
        let value = value_of(value).ok_or("--header: expected a value without control characters")?;
        headers.insert(name, value);
    }
    if let Some(text) = authorization.filter(|text| !text.trim().is_empty()) {
        let value = value_of(text);
        headers.insert(AUTHORIZATION, value.ok_or("--authorization: expected a value without control characters")?);
    }
    Ok(headers)
}

/// Returns the value of a header. Removes white space around it: a secret that is read from a file may end with a line
/// break.
fn value_of(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text.trim()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
