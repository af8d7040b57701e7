//! The upload token: the state of an open upload, signed by the API and kept by the client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directput::checksum::{ChecksumAlgorithm, PartChecksum};
use directput::plan::Plan;
use directput::protocol::{ContentType, ErrorCode, FileSize};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

/// Version of the claims. A token of another version is refused.
const VERSION: u32 = 1;

/// Minimum length of a key, in bytes: the length of an HMAC-SHA-256 (RFC 7518, section 3.2).
pub const MIN_KEY_BYTES: usize = 32;

/// Maximum length of a token, in bytes. A token is a request header, and API Gateway limits all headers together to
/// 10,240 bytes.
const MAX_TOKEN_BYTES: usize = 8_000;

/// Maximum difference between the clocks of two machines, in seconds. A token that was issued further in the future is
/// refused.
const MAX_SKEW_SECONDS: u64 = 60;

/// Contents of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Version of the claims.
    v: u32,

    // Object
    /// Key of the object.
    pub key: String,
    /// S3's upload id, or `None` for a single PUT.
    pub upload: Option<String>,
    /// Size of the file, in bytes.
    pub size: FileSize,
    /// Length of a part, in bytes.
    #[serde(rename = "part")]
    pub part_bytes: u64,
    /// Media type of the file.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Percent-encoded name of the file, for the metadata of a single PUT.
    pub name: Option<String>,

    // Integrity
    /// Algorithm of the checksums.
    #[serde(rename = "sum")]
    pub algorithm: ChecksumAlgorithm,
    /// Checksum of the bytes of a single PUT. The API signs no other bytes for the key. `None` for an upload without
    /// checksums, and for a multipart upload, which accepts no parts after its completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<PartChecksum>,

    // Validity
    /// Caller that opened the upload, or `None` if the caller is anonymous.
    pub sub: Option<String>,
    /// Bucket of the deployment. Deployments with other buckets refuse the token.
    aud: String,
    /// Time of issue, in seconds since 1970.
    iat: u64,
    /// Time of expiry, in seconds since 1970.
    exp: u64,
}

impl Claims {
    /// Returns how the file is cut into parts, or `None` if size and part length do not fit together.
    pub fn plan(&self) -> Option<Plan> {
        Plan::restore(self.size, self.part_bytes, self.upload.is_some())
    }
}

/// A new upload, for which [`TokenKeys::seal`] makes a token.
#[derive(Debug)]
pub struct NewUpload {
    // Object
    /// Key of the object.
    pub key: String,
    /// S3's upload id, or `None` for a single PUT.
    pub upload: Option<String>,
    /// Size of the file, in bytes.
    pub size: FileSize,
    /// Length of a part, in bytes.
    pub part_bytes: u64,
    /// Media type of the file.
    pub content_type: ContentType,
    /// Percent-encoded name of the file, for a single PUT.
    pub name: Option<String>,

    // Integrity
    /// Algorithm of the checksums.
    pub algorithm: ChecksumAlgorithm,
    /// Checksum of the bytes of a single PUT.
    pub bytes: Option<PartChecksum>,

    /// Caller that opens the upload, or `None` if the caller is anonymous.
    pub caller: Option<String>,
}

/// Seals tokens with the current key. Opens tokens of the current and of the previous key, so that tokens stay valid
/// while keys are rotated.
pub struct TokenKeys {
    seal: EncodingKey,
    open: Vec<DecodingKey>,
    audience: String,
}

impl TokenKeys {
    /// Returns keys for tokens of one bucket, or `None` if a key is shorter than [`MIN_KEY_BYTES`].
    pub fn new(current: &[u8], previous: Option<&[u8]>, bucket: &str) -> Option<Self> {
        let keys = [Some(current), previous].into_iter().flatten();
        let is_long_enough = keys.clone().all(|key| key.len() >= MIN_KEY_BYTES);
        hmac_provider();
        is_long_enough.then(|| Self {
            seal: EncodingKey::from_secret(current),
            open: keys.map(DecodingKey::from_secret).collect(),
            audience: bucket.to_owned(),
        })
    }

    /// Seals a token at the time `now`. The token expires after `lifetime`.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if the claims can't be serialised or `now` is before 1970.
    pub fn seal(&self, upload: NewUpload, lifetime: Duration, now: SystemTime) -> Result<String, ErrorCode> {
        let now = seconds(now)?;
        let claims = Claims {
            v: VERSION,
            key: upload.key,
            upload: upload.upload,
            size: upload.size,
            part_bytes: upload.part_bytes,
            content_type: upload.content_type,
            name: upload.name,
            algorithm: upload.algorithm,
            bytes: upload.bytes,
            sub: upload.caller,
            aud: self.audience.clone(),
            iat: now,
            exp: now + lifetime.as_secs(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.seal).map_err(|_| ErrorCode::Internal)
    }

    /// Opens a token that `caller` presents at the time `now`.
    ///
    /// # Errors
    /// [`ErrorCode::TokenExpired`]; [`ErrorCode::NotYourUpload`] if another caller opened the upload;
    /// [`ErrorCode::TokenInvalid`] if no key opens the token or its claims are wrong.
    pub fn open(&self, token: &str, caller: Option<&str>, now: SystemTime) -> Result<Claims, ErrorCode> {
        let now = seconds(now)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(ErrorCode::TokenInvalid);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // jsonwebtoken would read the system's clock. `check` compares the expiry with `now`.
        validation.validate_exp = false;
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        let opened = self.open.iter().find_map(|key| decode::<Claims>(token, key, &validation).ok());
        check(opened.ok_or(ErrorCode::TokenInvalid)?.claims, caller, now)
    }
}

/// Chooses the library by which jsonwebtoken computes HMACs. jsonwebtoken panics if no library is chosen and the process
/// has several. An earlier choice of the process stays.
fn hmac_provider() {
    #[cfg(not(target_arch = "wasm32"))]
    let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(target_arch = "wasm32")]
    let provider = &crate::hmac::PROVIDER;
    let _ = provider.install_default();
}

/// Returns a time in seconds since 1970.
fn seconds(time: SystemTime) -> Result<u64, ErrorCode> {
    let since = time.duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).map_err(|_| ErrorCode::Internal)
}

fn check(claims: Claims, caller: Option<&str>, now: u64) -> Result<Claims, ErrorCode> {
    if claims.exp < now {
        return Err(ErrorCode::TokenExpired);
    }
    let is_from_future = claims.iat > now.saturating_add(MAX_SKEW_SECONDS);
    if claims.v != VERSION || claims.plan().is_none() || is_from_future {
        return Err(ErrorCode::TokenInvalid);
    }
    if claims.sub.as_deref() != caller {
        return Err(ErrorCode::NotYourUpload);
    }
    // Early versions of the API sealed tokens of single PUTs without a checksum. `TokenExpired` makes the client start
    // such an upload from the beginning.
    let algorithm = claims.bytes.map_or(ChecksumAlgorithm::None, |checksum| checksum.algorithm());
    if claims.upload.is_none() && algorithm != claims.algorithm {
        return Err(ErrorCode::TokenExpired);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
    const OTHER: &[u8; 32] = b"fedcba9876543210fedcba9876543210";
    const DAY: Duration = Duration::from_secs(86_400);

    fn keys(current: &[u8], previous: Option<&[u8]>) -> TokenKeys {
        TokenKeys::new(current, previous, "bucket").expect("long enough")
    }

    /// Any time after 1970.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn upload(caller: Option<&str>) -> NewUpload {
        NewUpload {
            key: "uploads/key".to_owned(),
            upload: Some("id".to_owned()),
            size: FileSize::new(20 << 20).expect("in range"),
            part_bytes: 8 << 20,
            content_type: ContentType::unknown(),
            name: None,
            algorithm: ChecksumAlgorithm::Sha256,
            bytes: None,
            caller: caller.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_opens_for_the_caller_that_it_was_sealed_for() {
        let token = keys(KEY, None).seal(upload(Some("alice")), DAY, now()).expect("sealed");
        let claims = keys(KEY, None).open(&token, Some("alice"), now()).expect("opened");
        assert_eq!((claims.key.as_str(), claims.upload.as_deref()), ("uploads/key", Some("id")));
        assert_eq!(claims.plan().map(|plan| plan.part_count()), Some(3));
    }

    #[test]
    fn another_callers_token_is_refused() {
        let sealed = |caller| keys(KEY, None).seal(upload(caller), DAY, now()).expect("sealed");
        for (owner, caller) in [(Some("alice"), Some("bob")), (Some("alice"), None), (None, Some("bob"))] {
            assert_eq!(keys(KEY, None).open(&sealed(owner), caller, now()), Err(ErrorCode::NotYourUpload));
        }
    }

    #[test]
    fn a_tampered_token_is_refused_wherever_it_was_changed() {
        let token = keys(KEY, None).seal(upload(None), DAY, now()).expect("sealed");
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).expect("ASCII");
            // The last character of a Base64 text can have bits that decoders ignore.
            match keys(KEY, None).open(&tampered, None, now()) {
                Err(code) => assert_eq!(code, ErrorCode::TokenInvalid, "at {at}"),
                Ok(claims) => assert_eq!(claims, keys(KEY, None).open(&token, None, now()).expect("opened"), "at {at}"),
            }
        }
        for token in ["", "a", "a.b.c", &token[..token.len() - 1], &format!("{token}x"), &"x".repeat(10_000)] {
            assert_eq!(keys(KEY, None).open(token, None, now()), Err(ErrorCode::TokenInvalid));
        }
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let token = keys(KEY, None).seal(upload(None), DAY, now()).expect("sealed");
        let payload = token.split('.').nth(1).expect("a payload");
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
        assert_eq!(keys(KEY, None).open(&unsigned, None, now()), Err(ErrorCode::TokenInvalid));
    }

    #[test]
    fn an_expired_token_is_refused_as_expired() {
        let token = keys(KEY, None).seal(upload(None), Duration::ZERO, now()).expect("sealed");
        let second_after = now() + Duration::from_secs(1);
        assert!(keys(KEY, None).open(&token, None, now()).is_ok());
        assert_eq!(keys(KEY, None).open(&token, None, second_after), Err(ErrorCode::TokenExpired));
    }

    #[test]
    fn the_previous_key_is_accepted_while_keys_are_rotated() {
        let token = keys(KEY, None).seal(upload(None), DAY, now()).expect("sealed");
        assert!(keys(OTHER, Some(KEY)).open(&token, None, now()).is_ok());
        assert_eq!(keys(OTHER, None).open(&token, None, now()), Err(ErrorCode::TokenInvalid));
    }

    #[test]
    fn a_token_of_another_bucket_is_refused() {
        let elsewhere = TokenKeys::new(KEY, None, "elsewhere").expect("long enough");
        let token = elsewhere.seal(upload(None), DAY, now()).expect("sealed");
        assert_eq!(keys(KEY, None).open(&token, None, now()), Err(ErrorCode::TokenInvalid));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(TokenKeys::new(b"short", None, "bucket").is_none());
        assert!(TokenKeys::new(KEY, Some(b"short"), "bucket").is_none());
    }
}
