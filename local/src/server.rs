//! The server: binds its listeners, builds their routers, and serves until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use directput_server::host::{Host, Keyring, fixed, reqwest_client, router};
use directput_server::{Api, Bucket, Config, TokenKeys};
use futures::future::join_all;
use tower_http::timeout::TimeoutLayer;

use crate::auth::{Auth, authorize};
use crate::credentials::Credentials;
use crate::emulation::count::{Counts, count_call, count_put, counters};
use crate::emulation::faults::{Fault, Faults, control, inject};
use crate::emulation::link::{Link, LinkSpeed};
use crate::host::{Hosts, only_known};
use crate::listener::Listener;
use crate::s3::{self, S3Connection, Store, drain, sink};
use crate::site::{Site, api_cors, bucket_cors, with_page};

/// Name of the embedded S3 server's only bucket.
const BUCKET: &str = "directput-local";

/// Region of the embedded S3 server.
const REGION: &str = "us-east-1";

/// Maximum time for the completion of requests that have begun when the server is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Timeout of a call of the API, from the headers of the request to the answer. Equal to API Gateway's timeout (API
/// Gateway Developer Guide, "Quotas for HTTP API").
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// Function that returns the value of a setting, or `None` if the setting is not set.
pub type Settings = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Options of a server.
pub struct Options {
    // Addresses
    /// Address of the page and the API. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// Address of the embedded S3 server. Port 0 takes a free port.
    pub s3_listen: SocketAddr,
    /// URL at which browsers reach the embedded S3 server, if it is behind a proxy.
    pub s3_url: Option<String>,
    /// Number of host names under which browsers reach the embedded S3 server, at least 1. The first is `s3_url` or
    /// `s3_listen`.
    pub lanes: u8,
    /// URL of another S3 server to use instead of the embedded one. Its bucket, region and keys come from `settings`.
    pub use_s3: Option<String>,

    // Folders
    /// Folder for objects, unfinished uploads and credentials.
    pub data: PathBuf,
    /// Folder of the demo page.
    pub www: PathBuf,
    /// Folder of the npm package.
    pub package: PathBuf,

    // API
    /// Origins whose pages may upload, besides the demo page.
    pub allow_origin: Vec<String>,
    /// Keys of the callers' tokens. `None` accepts calls without a token.
    pub auth: Option<Auth>,
    /// Settings of the API. They have the names of the Lambda function's environment variables.
    pub settings: Settings,

    // Tests and measurements
    /// Faults that are active from the start.
    pub faults: Vec<Fault>,
    /// Whether every client of the page may change the faults and read the counters.
    pub control: bool,
    /// Whether the S3 server discards all bodies and checks nothing. The page is then served without security headers.
    pub discard: bool,
    /// Emulated link in front of both listeners.
    pub link: Option<LinkSpeed>,
}

/// A server that is bound to its addresses.
pub struct Server {
    page: (Listener, Router),
    /// The embedded S3 server, or `None` if another S3 server is used.
    own_s3: Option<(Listener, Router)>,
    /// Second listener of the embedded S3 server. The API calls S3 by this listener, so that these calls do not pass
    /// the emulated link. `None` if there is no link.
    inner: Option<(Listener, Router)>,
    page_url: String,
    s3: S3Connection,
    s3_listen: String,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Server {
    /// Binds the addresses and opens the data folder.
    ///
    /// # Errors
    /// An address is in use, a folder can't be written, or a setting is missing or wrong.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let link = options.link.map(Link::new);
        let listener = bind("--listen", options.listen, link.clone(), false)?;
        let page_url = format!("http://{}", listener.local_addr()?);
        let store = Store::open(&options.data, BUCKET)?;
        let credentials = Credentials::load(&options.data.join(".directput/credentials.json"))?;
        let (own_s3, inner, s3_listen, s3, lanes) = match options.use_s3 {
            Some(url) => {
                let s3 = S3Connection::from_settings(url.clone(), &options.settings)?;
                (None, None, url.clone(), s3, vec![url])
            }
            None => {
                let free_port = SocketAddr::new(options.s3_listen.ip(), 0);
                let inner = link.as_ref().map(|_| bind("--s3-listen", free_port, None, false)).transpose()?;
                let listener = bind("--s3-listen", options.s3_listen, link, options.discard)?;
                let url = format!("http://{}", listener.local_addr()?);
                let public_url = options.s3_url.unwrap_or_else(|| url.clone());
                let port = listener.local_addr()?.port();
                let more = ('a'..).take(options.lanes.saturating_sub(1).into());
                let more = more.map(|name| format!("http://{name}.localhost:{port}"));
                let lanes = std::iter::once(public_url.clone()).chain(more).collect();
                (Some(listener), inner, url, embedded_s3(public_url, &credentials), lanes)
            }
        };

        let mut allowed = options.allow_origin;
        allowed.push(page_url.clone());
        allowed.push(page_url.replace("127.0.0.1", "localhost"));

        let hosts = Hosts::of(allowed.iter().chain(&lanes).map(String::as_str));
        let known = || from_fn_with_state(hosts.clone(), only_known);
        let setting = |name: &str| if name == "BUCKET" { Some(s3.bucket.clone()) } else { (options.settings)(name) };
        let keys = TokenKeys::new(credentials.token_key.as_bytes(), None, &s3.bucket);
        let host = Host {
            api: Api {
                config: Config::from_env(setting)?,
                bucket: bucket(&s3, &lanes, inner.as_ref())?,
                daily_limits: None,
            },
            keys: Keyring::fixed(keys.ok_or("the token key is too short")?),
            credentials: fixed(s3.credentials()),
            send: reqwest_client()?,
            count: None,
        };
        let faults = Faults::default();
        faults.replace(options.faults);
        let faulty = || from_fn_with_state(faults.clone(), inject);
        let counts = Arc::new(Counts::default());
        let calls = from_fn_with_state(Arc::clone(&counts), count_call);
        let mut api = router(host).layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, API_TIMEOUT));
        if let Some(auth) = options.auth {
            api = api.layer(from_fn_with_state(auth, authorize));
        }
        // The CORS layer must answer preflights before `authorize` sees them, because preflights have no token. API
        // Gateway does the same.
        let api = api.layer(faulty()).layer(api_cors(&allowed)).layer(calls);
        let site = Site {
            bucket_urls: &lanes,
            www: &options.www,
            package: &options.package,
            control: options.control,
            guarded: !options.discard,
        };
        let mut page = with_page(api, &site)?;
        if options.control {
            page = control(faults.clone()).merge(counters(Arc::clone(&counts))).merge(page);
        }
        let page = page.layer(known());
        let s3_routes = match options.discard {
            true => sink().layer(faulty()),
            false => s3::router(store, BUCKET, &credentials.access_key, &credentials.secret_key)
                .layer(faulty())
                .layer(from_fn(drain))
                .layer(bucket_cors(&allowed)),
        };
        let s3_routes = s3_routes.layer(from_fn_with_state(Arc::clone(&counts), count_put)).layer(known());
        Ok(Self {
            page: (listener, page),
            inner: inner.map(|listener| (listener, s3_routes.clone())),
            own_s3: own_s3.map(|listener| (listener, s3_routes)),
            page_url,
            s3,
            s3_listen,
        })
    }

    /// Returns the URL of the page and the API.
    pub fn page_url(&self) -> &str {
        &self.page_url
    }

    /// Returns the address and credentials of the S3 server.
    pub fn s3(&self) -> &S3Connection {
        &self.s3
    }

    /// Returns the line that scripts wait for. The line has the addresses and the bucket, and the keys of the embedded
    /// S3 server. It never has the keys of another S3 server.
    pub fn ready_line(&self) -> String {
        let S3Connection { url, bucket, access_key, secret_key, .. } = &self.s3;
        let keys = match self.own_s3 {
            Some(_) => format!(" access_key={access_key} secret_key={secret_key}"),
            None => String::new(),
        };
        format!("ready page={} s3={url} bucket={bucket}{keys} s3_listen={}", self.page_url, self.s3_listen)
    }

    /// Serves until `stop` completes. Then waits up to 5 s for the requests that have begun.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) {
        let (sender, stopped) = tokio::sync::watch::channel(());
        tokio::spawn(async move {
            stop.await;
            drop(sender);
        });
        let listeners = [Some(self.page), self.own_s3, self.inner].into_iter().flatten();
        let all = join_all(listeners.map(|(listener, router)| listener.serve(router, stopped.clone())));
        let mut stopping = stopped.clone();
        let grace_ends = async move {
            drop(stopping.changed().await);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = all => {}
            () = grace_ends => {}
        }
    }
}

fn bind(flag: &str, address: SocketAddr, link: Option<Arc<Link>>, has_small_buffer: bool) -> Result<Listener, Error> {
    Listener::bind(address, link, has_small_buffer).map_err(|error| format!("{flag} {address}: {error}").into())
}

fn bucket(s3: &S3Connection, lanes: &[String], inner: Option<&Listener>) -> Result<Bucket, Error> {
    let url = match inner {
        None => s3.url.clone(),
        Some(inner) => format!("http://{}", inner.local_addr()?),
    };
    let bucket = Bucket::at(&url, &s3.bucket, &s3.region)?;
    Ok(bucket.with_lanes_at(lanes.iter().map(String::as_str))?)
}

fn embedded_s3(url: String, Credentials { access_key, secret_key, .. }: &Credentials) -> S3Connection {
    let [access_key, secret_key] = [access_key, secret_key].map(String::clone);
    let (region, bucket) = (REGION.to_owned(), BUCKET.to_owned());
    S3Connection { url, region, bucket, access_key, secret_key, session_token: None }
}
