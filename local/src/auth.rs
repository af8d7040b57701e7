//! Emulates API Gateway's JWT authorizer: verifies the caller's token, and refuses requests without a valid token.
//!
//! As in API Gateway, a refusal is a 401 without a reason (API Gateway Developer Guide, "Control access to HTTP APIs
//! with JWT authorizers"). The crate `jsonwebtoken` verifies the signatures.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directput_server::host::Caller;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Keys, issuer and audience of accepted tokens.
#[derive(Clone)]
pub struct Auth {
    keys: Arc<[Key]>,
    issuer: Option<String>,
    audience: Option<String>,
}

struct Key {
    /// Key id. A token that names a key id is verified with that key only.
    id: Option<String>,
    /// Algorithm of the key. A token that names another algorithm is refused.
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The claims that identify the caller.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Auth").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Reads the keys from the place that the text names. `jwks:<file>` is a file with an issuer's key set (RFC 7517).
/// `hs256-file:<file>`, `hs256-env:<variable>` and `hs256:<secret>` are shared secrets in a file, in an environment
/// variable, and in the text. All processes of the machine can read a secret in the command line.
///
/// Fails if the file or the variable can't be read, or if a key can't be used.
impl FromStr for Auth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let keys = match text.split_once(':') {
            Some(("hs256", secret)) => vec![Key::of_secret(secret)?],
            Some(("hs256-file", path)) => {
                let secret = std::fs::read_to_string(path).map_err(|error| format!("hs256-file: {error}"))?;
                vec![Key::of_secret(secret.trim_end())?]
            }
            Some(("hs256-env", name)) => {
                let secret = std::env::var(name).map_err(|_| format!("hs256-env: {name} is not set"))?;
                vec![Key::of_secret(&secret)?]
            }
            Some(("jwks", path)) => {
                let json = std::fs::read_to_string(path).map_err(|error| format!("jwks: {error}"))?;
                let set: JwkSet = serde_json::from_str(&json).map_err(|error| format!("jwks: {error}"))?;
                set.keys.iter().map(Key::of_jwk).collect::<Result<_, _>>()?
            }
            _ => {
                return Err(
                    "expected jwks:<file>, hs256-file:<file>, hs256-env:<variable> or hs256:<secret>".to_owned()
                );
            }
        };
        if keys.is_empty() {
            return Err("jwks: expected at least one key".to_owned());
        }
        Ok(Self { keys: keys.into(), issuer: None, audience: None })
    }
}

impl Key {
    /// Returns the key of a shared secret. The secret must be at least as long as the hash (RFC 7518, section 3.2).
    fn of_secret(secret: &str) -> Result<Self, String> {
        if secret.len() < 32 {
            return Err("hs256: expected a secret of at least 32 characters".to_owned());
        }
        Ok(Self { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret.as_bytes()) })
    }

    fn of_jwk(jwk: &Jwk) -> Result<Self, String> {
        let algorithm = jwk.common.key_algorithm.ok_or("jwks: expected a key with `alg`")?;
        Ok(Self {
            id: jwk.common.key_id.clone(),
            algorithm: algorithm.try_into().map_err(|_| "jwks: expected an algorithm that signs")?,
            key: DecodingKey::from_jwk(jwk).map_err(|error| format!("jwks: {error}"))?,
        })
    }
}

impl Auth {
    /// Restricts the accepted tokens to this issuer and this audience. `None` accepts all issuers or all audiences.
    pub fn only(self, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { issuer, audience, ..self }
    }

    /// Returns the caller that a request's token names, or `None` if the token is missing or invalid.
    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let id = decode_header(token).ok()?.kid;
        let candidates = self.keys.iter().filter(|key| id.is_none() || key.id.is_none() || key.id == id);
        let mut claims = candidates.filter_map(|key| {
            let mut validation = Validation::new(key.algorithm);
            validation.leeway = 0;
            validation.validate_nbf = true;
            validation.validate_aud = self.audience.is_some();
            validation.aud = self.audience.clone().map(|audience| [audience].into());
            validation.iss = self.issuer.clone().map(|issuer| [issuer].into());
            if self.issuer.is_some() {
                validation.required_spec_claims.insert("iss".to_owned());
            }
            if self.audience.is_some() {
                validation.required_spec_claims.insert("aud".to_owned());
            }
            decode::<Claims>(token, &key.key, &validation).ok()
        });
        let Claims { iss, sub } = claims.next()?.claims;
        let caller = Caller::of(iss.as_deref(), Some(&sub), self.issuer.as_deref());
        caller.0.is_some().then_some(caller)
    }
}

/// Adds the caller to the extensions of a request with a valid token, and passes the request to `next`. Answers 401 to
/// all other requests.
pub(crate) async fn authorize(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    match auth.caller(request.headers()) {
        Some(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => {
            let body = Json(serde_json::json!({ "message": "Unauthorized" }));
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response()
        }
    }
}
