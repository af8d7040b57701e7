//! Messages between `npm/server` and the module.

use directput_server::config::AllowedTypes;
use directput_server::s3::S3Request;
use directput_server::{Credentials, Folder, Grant};
use serde::{Deserialize, Serialize};

/// A request without its body, and what the application knows about it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestHead {
    /// Id of the request.
    pub id: String,
    /// HTTP method.
    pub method: String,
    /// Path after the address of the API, such as `/uploads/parts`.
    pub path: String,
    /// Query without `?`.
    #[serde(default)]
    pub query: String,
    /// Header `Content-Type`.
    pub content_type: Option<String>,
    /// Header `Upload-Token`.
    pub token: Option<String>,
    /// Verified caller.
    pub caller: Option<String>,
    /// Narrower rules for this request.
    #[serde(default)]
    pub rules: Rules,
    /// Keys for S3.
    pub credentials: Keys,
}

/// Keys for S3.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl From<Keys> for Credentials {
    fn from(Keys { access_key_id, secret_access_key, session_token }: Keys) -> Self {
        Self { access_key_id, secret_access_key, session_token }
    }
}

/// Narrower rules for one request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// Maximum size of a file, in bytes.
    pub max_file_bytes: Option<u64>,
    /// Accepted media types, with commas between them.
    pub allowed_types: Option<String>,
    /// Folder of the object's key.
    pub folder: Option<String>,
}

impl Rules {
    /// Returns the rules as a grant.
    ///
    /// # Errors
    /// The name of the rule that is wrong.
    pub fn grant(&self) -> Result<Grant, &'static str> {
        let types = self.allowed_types.as_deref();
        let allowed_types = types.map(|text| AllowedTypes::parse(text).ok_or("allowedTypes")).transpose()?;
        let folder = self.folder.as_deref().map(|text| Folder::parse(text).ok_or("folder")).transpose()?;
        Ok(Grant { max_file_bytes: self.max_file_bytes, allowed_types, folder })
    }
}

/// A request to S3, without its body.
#[derive(Debug, Serialize)]
pub struct CallToSend {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl From<&S3Request> for CallToSend {
    fn from(request: &S3Request) -> Self {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        Self { method: request.method().to_string(), url: request.uri().to_string(), headers: headers.collect() }
    }
}
