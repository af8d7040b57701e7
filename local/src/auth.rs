//! Stands in for API Gateway's JWT authorizer: says who calls, and lets nobody else reach the API.
//!
//! It answers as that does, with 401 and without a word about the reason (API Gateway Developer Guide, "Control
//! access to HTTP APIs with JWT authorizers"). Signatures are verified by the library `jsonwebtoken`.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directput_lambda::Caller;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Whose tokens are taken.
#[derive(Clone)]
pub struct Auth {
    keys: Arc<[Key]>,
    issuer: Option<String>,
    audience: Option<String>,
}

struct Key {
    /// A token that names a key is verified by that one only.
    id: Option<String>,
    /// What the key is for; what the token says it is signed by counts for nothing.
    algorithm: Algorithm,
    key: DecodingKey,
}

/// What of a token is of interest here.
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

/// `jwks:<file>` with a key set as an issuer publishes it (RFC 7517), or a shared secret: `hs256-file:<file>`,
/// `hs256-env:<variable>`, or `hs256:<secret>` itself, which every process of the machine can read in the command line.
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
                set.keys.iter().map(Key::of).collect::<Result<_, _>>()?
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
    /// RFC 7518, section 3.2: the secret is as long as the hash at least.
    fn of_secret(secret: &str) -> Result<Self, String> {
        if secret.len() < 32 {
            return Err("hs256: expected a secret of at least 32 characters".to_owned());
        }
        Ok(Self { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret.as_bytes()) })
    }

    fn of(jwk: &Jwk) -> Result<Self, String> {
        let algorithm = jwk.common.key_algorithm.ok_or("jwks: expected a key with `alg`")?;
        Ok(Self {
            id: jwk.common.key_id.clone(),
            algorithm: algorithm.try_into().map_err(|_| "jwks: expected an algorithm that signs")?,
            key: DecodingKey::from_jwk(jwk).map_err(|error| format!("jwks: {error}"))?,
        })
    }
}

impl Auth {
    /// Takes tokens of one issuer and for one audience only, where they are named.
    pub fn only(self, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { issuer, audience, ..self }
    }

    /// Who a request is from, if its token is good.
    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let id = decode_header(token).ok()?.kid;
        let fitting = self.keys.iter().filter(|key| id.is_none() || key.id.is_none() || key.id == id);
        let mut claims = fitting.filter_map(|key| {
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

/// Lets callers with a good token through, and says who they are.
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
