//! The client of the checks: calls of the API, preflights and PUTs, as a browser would send them.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use directput::checksum::{ChecksumAlgorithm, Crc64NvmeHasher, PartChecksum, Sha256Digest};
use directput::engine::CALL_TIMEOUT_MS;
use directput::protocol::{Endpoint, ErrorCode, TOKEN_HEADER, retry_after_ms, xml_element};
use reqwest::header::{HeaderMap, ORIGIN};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;

use super::opened::{Opened, opening};
use super::put::SignedPut;
use super::report::{Finding, Left, failed, warning};
use super::resolve::LikeBrowsers;

/// Timeout of a PUT. 8 MiB over 256 kbit/s take 262 s.
const PUT_TIMEOUT: Duration = Duration::from_secs(300);

/// Number of times that a request is sent again if the server is busy.
const RETRIES: u32 = 6;

/// Wait before a request is sent again if the answer has no `Retry-After`, in milliseconds.
const RETRY_MS: u64 = 700;

/// Maximum wait before a request is sent again, in milliseconds.
const MAX_RETRY_MS: u64 = 10_000;

/// Client of the API and of the bucket.
pub struct Probe {
    client: Client,
    endpoint: Endpoint,
    /// URL of the API.
    pub url: Url,
    /// Headers of every call of the API.
    pub headers: HeaderMap,
    /// Origin of the page.
    pub origin: String,
    /// Whether page and API have different origins. Otherwise the API needs no CORS rule.
    pub is_cross_origin: bool,
    /// Media type of the uploaded files, one that the API accepts.
    pub content_type: String,
    /// Checksum algorithm, one that the API accepts.
    pub algorithm: ChecksumAlgorithm,
    left: Mutex<Vec<Left>>,
}

/// An answer of the API or the bucket.
#[derive(Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the value of a header, or `None` if it is absent or not a text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns whether the status is from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns whether the request was refused because of its content: 4xx, or 501 for an unknown method.
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) || self.status == 501
    }

    /// Returns the body as JSON, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the code of a problem document.
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::parse(self.json()["code"].as_str()?)
    }

    /// Returns the status, and the code of the API or of S3. Other text of the answer is left out, because it may
    /// contain a secret.
    pub fn describe(&self) -> String {
        let of_s3 = || xml_element(&String::from_utf8_lossy(&self.body), "Code").filter(|code| is_plain(code));
        let code = self.code().map(|code| code.as_str().to_owned()).or_else(of_s3);
        code.map_or_else(|| self.status.to_string(), |code| format!("{} {code}", self.status))
    }
}

fn is_plain(code: &str) -> bool {
    !code.is_empty() && code.len() <= 48 && code.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// A call of the API.
#[derive(Debug, Clone)]
pub struct ApiRequest<'a> {
    /// Method.
    pub method: Method,
    /// Path after the endpoint's, empty or with a slash, and with a query if there is one.
    pub path: &'a str,
    /// Upload token.
    pub token: Option<&'a str>,
    /// Media type and bytes of the body.
    pub body: Option<(&'a str, Vec<u8>)>,
    /// Whether the call has the headers of `--header` and `--authorization`.
    pub has_credentials: bool,
}

impl<'a> ApiRequest<'a> {
    /// Returns a call without a body.
    pub fn new(method: Method, path: &'a str, token: Option<&'a str>) -> Self {
        Self { method, path, token, body: None, has_credentials: true }
    }

    /// Returns a POST with a JSON body.
    pub fn post(path: &'a str, token: Option<&'a str>, body: &Value) -> Self {
        Self { body: Some(("application/json", body.to_string().into_bytes())), ..Self::new(Method::POST, path, token) }
    }
}

impl Probe {
    /// Returns a probe of the API at `url`. Every call has `headers`. The page's origin is `origin`, by default the
    /// API's own.
    ///
    /// # Errors
    /// The HTTP client can't be built.
    pub fn new(url: Url, origin: Option<String>, headers: HeaderMap) -> reqwest::Result<Self> {
        // Browsers do not follow redirects of preflights, and following one would hide a wrong endpoint.
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .dns_resolver(std::sync::Arc::new(LikeBrowsers))
            .build()?;
        let own_origin = url.origin().ascii_serialization();
        let origin = origin.unwrap_or_else(|| own_origin.clone());
        Ok(Self {
            client,
            endpoint: Endpoint::new(url.as_str()),
            url,
            headers,
            is_cross_origin: origin != own_origin,
            origin,
            content_type: "image/png".to_owned(),
            algorithm: ChecksumAlgorithm::Sha256,
            left: Mutex::default(),
        })
    }

    /// Returns the lower-case names of the headers of every call that a browser names in a preflight. A page can't set
    /// the header `cookie` itself.
    pub fn header_names(&self) -> Vec<String> {
        self.headers.keys().map(|name| name.as_str().to_owned()).filter(|name| name != "cookie").collect()
    }

    /// Returns the address of a call.
    pub fn address(&self, path: &str) -> String {
        self.endpoint.of(path)
    }

    /// Makes a call of the API.
    ///
    /// # Errors
    /// A failed check if there is no answer.
    pub async fn call(&self, request: ApiRequest<'_>) -> Result<Answer, Finding> {
        let timeout = Duration::from_millis(CALL_TIMEOUT_MS.into());
        let mut builder = self.client.request(request.method, self.address(request.path)).timeout(timeout);
        builder = builder.header(ORIGIN, &self.origin);
        if request.has_credentials {
            builder = builder.headers(self.headers.clone());
        }
        if let Some(token) = request.token {
            builder = builder.header(TOKEN_HEADER, token);
        }
        if let Some((media_type, bytes)) = request.body {
            builder = builder.header("content-type", media_type).body(bytes);
        }
        self.exchange(builder).await.map_err(|reason| unanswered("the API", &reason))
    }

    /// Sends a preflight for a request with this method and these headers.
    ///
    /// # Errors
    /// A failed check if there is no answer.
    pub async fn preflight(
        &self,
        url: &str,
        origin: &str,
        method: &str,
        headers: &[String],
    ) -> Result<Answer, Finding> {
        let mut builder = self.client.request(Method::OPTIONS, url).timeout(Duration::from_secs(30));
        builder = builder.header(ORIGIN, origin).header("access-control-request-method", method);
        if !headers.is_empty() {
            builder = builder.header("access-control-request-headers", headers.join(","));
        }
        self.exchange(builder).await.map_err(|reason| unanswered("the preflight", &reason))
    }

    /// Sends a presigned request, or one without a signature. Returns `None` if the server closed the connection.
    /// Some servers do so when they refuse a body.
    pub async fn send(&self, put: &SignedPut) -> Option<Answer> {
        self.send_from(put, &self.origin).await
    }

    /// Sends a presigned request like [`Self::send`] from a page of another origin.
    pub async fn send_from(&self, put: &SignedPut, origin: &str) -> Option<Answer> {
        let mut builder = self.client.request(put.method.clone(), &put.url).timeout(PUT_TIMEOUT);
        builder = builder.header(ORIGIN, origin).body(put.body.clone());
        for (name, value) in &put.headers {
            builder = builder.header(name, value);
        }
        self.exchange(builder).await.ok()
    }

    /// Sends a request. Repeats it if the server is busy (429, 503), and once if the connection was closed.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn exchange(&self, builder: RequestBuilder) -> Result<Answer, String> {
        let mut closed = 0;
        for attempt in 0.. {
            // No body here is a stream, so a request can always be copied.
            let Some(request) = builder.try_clone() else { break };
            let outcome = match request.send().await {
                Ok(response) => read(response).await,
                Err(error) => Err(error),
            };
            let wait_ms = match outcome {
                Ok(answer) if attempt < RETRIES && matches!(answer.status, 429 | 503) => {
                    retry_after_ms(answer.header("retry-after")).unwrap_or(RETRY_MS).min(MAX_RETRY_MS)
                }
                Ok(answer) => return Ok(answer),
                Err(error) if closed == 0 && !error.is_timeout() && !error.is_connect() && !error.is_builder() => {
                    closed += 1;
                    0
                }
                Err(error) => return Err(explain(error)),
            };
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        Err("the request can't be sent".to_owned())
    }

    /// Opens an upload of a small file that the API signs at once.
    ///
    /// # Errors
    /// A warning if no upload can be opened. The check `opening` has the reason.
    pub async fn open(&self) -> Result<Opened, Finding> {
        self.open_named("directput-check.png").await
    }

    /// Opens an upload like [`Self::open`] for a file of this name.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn open_named(&self, name: &str) -> Result<Opened, Finding> {
        let bytes = self.new_bytes(100);
        let answer = self.call(ApiRequest::post("", None, &opening(self, name, &bytes))).await?;
        let opened = if answer.status == 201 { Opened::read(&answer.json(), &bytes).ok() } else { None };
        opened.ok_or_else(|| {
            let reason = format!("no upload could be opened for this check: {}", answer.describe());
            warning(reason, "Run the check again. If a rate limit or a quota is the reason, raise it.")
        })
    }

    /// Ends an upload that is not completed. Only a multipart upload has anything to remove.
    pub async fn abandon(&self, upload: &Opened) {
        if upload.is_multipart {
            // If the call fails, the bucket's lifecycle rule removes the parts.
            let _ = self.call(ApiRequest::new(Method::DELETE, "", Some(&upload.token))).await;
        }
    }

    /// Returns this many bytes that no other file of the check has.
    pub fn new_bytes(&self, length: usize) -> Vec<u8> {
        let line = format!("directput check {:016x}\n", fastrand::u64(..));
        let mut bytes = line.repeat(length.div_ceil(line.len())).into_bytes();
        bytes.truncate(length);
        bytes
    }

    /// Returns the checksum of some bytes by the algorithm of the check.
    pub fn checksum_of(&self, bytes: &[u8]) -> String {
        match self.algorithm {
            ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => {
                let mut hasher = Crc64NvmeHasher::default();
                hasher.update(bytes);
                PartChecksum::from(hasher.finish()).to_text()
            }
            ChecksumAlgorithm::Sha256 | ChecksumAlgorithm::None => Sha256Digest::of(bytes).to_text(),
        }
    }

    /// Notes that an object of this length in bytes stays in the bucket.
    pub fn leave(&self, key: &str, bytes: u64) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.iter().all(|object| object.key != key) {
            left.push(Left { key: key.to_owned(), bytes });
        }
    }

    /// Replaces the list of objects that stay in the bucket.
    pub fn set_left(&self, left: Vec<Left>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// Returns the objects that stay in the bucket.
    pub fn left(&self) -> Vec<Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Answer> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
}

/// Returns the reasons of an error without its URL, which may be presigned.
fn explain(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    let mut source = error.source();
    let mut reason = error.to_string();
    while let Some(error) = source {
        reason = error.to_string();
        source = error.source();
    }
    reason
}

fn unanswered(server: &str, reason: &str) -> Finding {
    failed(
        format!("no answer of {server}: {reason}"),
        "Check the address, its DNS entry, the firewall, the certificate, and that the server runs.",
    )
}
