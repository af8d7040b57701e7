//! An axum app with a signing API below `/api`, and a page.

use std::error::Error;

use axum::Router;
use directput_server::host::{Host, Keyring, fixed, reqwest_client, router};
use directput_server::{Api, Bucket, Config, Credentials, TokenKeys};
use tower_http::services::ServeDir;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public");
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pkg");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = Router::new()
        .nest("/api", uploads(|name| std::env::var(name).ok())?)
        .nest_service("/directput", ServeDir::new(PACKAGE))
        .fallback_service(ServeDir::new(PAGE));
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// Returns the signing API. Everybody who reaches the page may upload. To change this, add a layer that checks the
/// caller and adds a `directput_server::host::Caller` to the request's extensions, and set `NEEDS_CALLER=true`.
fn uploads(env: impl Fn(&str) -> Option<String>) -> Result<Router, Box<dyn Error>> {
    let config = Config::from_env(&env)?;
    let bucket = Bucket::from_env(&config, &env)?;
    let secret = env("TOKEN_KEY").ok_or("TOKEN_KEY is not set")?;
    let keys = TokenKeys::new(secret.as_bytes(), None, &config.bucket).ok_or("TOKEN_KEY is too short")?;
    let credentials =
        fixed(Credentials::from_env(&env).ok_or("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")?);
    let api = Api { config, bucket, daily_limits: None };
    Ok(router(Host { api, keys: Keyring::fixed(keys), credentials, send: reqwest_client()?, count: None }))
}
