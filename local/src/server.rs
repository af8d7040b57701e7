//! Both listeners: binds, says so, serves until told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use directput_lambda::config::Config;
use directput_lambda::keyring::Keyring;
use directput_lambda::storage::Storage;
use directput_lambda::token::TokenKeys;
use directput_lambda::{App, router};
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

/// The name of the own server's one bucket.
const BUCKET: &str = "directput-local";

/// The region that signatures are made for there.
const REGION: &str = "us-east-1";

/// How long requests under way may take once the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a call may take, its body's arrival included; API Gateway waits no longer either (API Gateway Developer
/// Guide, "Quotas for HTTP API").
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// Looks a setting up by its name.
pub type Settings = Box<dyn Fn(&str) -> Option<String> + Send>;

/// How to serve.
pub struct Options {
    /// Where the page and the API listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the S3 server listens; port 0 takes a free one.
    pub s3_listen: SocketAddr,
    /// The S3 address that browsers are told, if something stands in front of it.
    pub s3_url: Option<String>,
    /// Number of names under which browsers reach the own S3 server; 1 is its address alone.
    pub lanes: u8,
    /// The address of another S3 server to use, instead of the own one; `settings` say the rest.
    pub use_s3: Option<String>,
    /// The folder for objects, unfinished uploads and credentials.
    pub data: PathBuf,
    /// The folder of the demo page.
    pub www: PathBuf,
    /// The folder of the npm package.
    pub package: PathBuf,
    /// Origins whose pages may upload, besides the demo page's own.
    pub allow_origin: Vec<String>,
    /// Who may call the API; nothing lets everybody.
    pub auth: Option<Auth>,
    /// What befalls requests from the start.
    pub faults: Vec<Fault>,
    /// Whether any client of the page may change the faults and read the counters: for tests.
    pub control: bool,
    /// Whether the S3 server throws all bodies away and checks nothing, and any script may run in the page: for measuring.
    pub discard: bool,
    /// The link that stands in front of both listeners, if not this machine's own.
    pub link: Option<LinkSpeed>,
    /// Settings of the API by the names of the Lambda function's environment variables.
    pub settings: Settings,
}

/// A server that listens.
pub struct Server {
    page: (Listener, Router),
    /// The S3 server, unless another is used.
    own_s3: Option<(Listener, Router)>,
    /// Where the API reaches the own S3 server without the link.
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
    /// An address that is taken, a folder that can't be written, a setting that can't be used.
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
                let signed_for = options.s3_url.unwrap_or_else(|| url.clone());
                let port = listener.local_addr()?.port();
                let more = ('a'..).take(options.lanes.saturating_sub(1).into());
                let more = more.map(|name| format!("http://{name}.localhost:{port}"));
                let lanes = std::iter::once(signed_for.clone()).chain(more).collect();
                (Some(listener), inner, url, own_server(signed_for, &credentials), lanes)
            }
        };

        let mut allowed = options.allow_origin;
        allowed.push(page_url.clone());
        allowed.push(page_url.replace("127.0.0.1", "localhost"));

        let named = Hosts::of(allowed.iter().chain(&lanes).map(String::as_str));
        let known = || from_fn_with_state(named.clone(), only_known);
        let bucket = s3.bucket.clone();
        let app = App {
            config: Config::from_env(
                |name| if name == "BUCKET" { Some(bucket.clone()) } else { (options.settings)(name) },
            )?,
            storage: storage(&s3, &lanes, inner.as_ref()).await?,
            keys: Keyring::fixed(
                TokenKeys::new(credentials.token_key.as_bytes(), None, &s3.bucket)
                    .ok_or("the token key is too short")?,
            ),
        };
        let faults = Faults::default();
        faults.replace(options.faults);
        let faulty = || from_fn_with_state(faults.clone(), inject);
        let counts = Arc::new(Counts::default());
        let calls = from_fn_with_state(Arc::clone(&counts), count_call);
        let mut api = router(app).layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, API_TIMEOUT));
        if let Some(auth) = options.auth {
            api = api.layer(from_fn_with_state(auth, authorize));
        }
        // Preflights carry no token, so CORS stands before all else, as in API Gateway.
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

    /// The address of the page and the API.
    pub fn page_url(&self) -> &str {
        &self.page_url
    }

    /// The S3 server behind it.
    pub fn s3(&self) -> &S3Connection {
        &self.s3
    }

    /// What scripts wait for, with all that an S3 client needs. The keys of another S3 server are not ours to tell.
    pub fn ready_line(&self) -> String {
        let S3Connection { url, bucket, access_key, secret_key, .. } = &self.s3;
        let keys = match self.own_s3 {
            Some(_) => format!(" access_key={access_key} secret_key={secret_key}"),
            None => String::new(),
        };
        format!("ready page={} s3={url} bucket={bucket}{keys} s3_listen={}", self.page_url, self.s3_listen)
    }

    /// Serves until `stop` is done and every request under way is answered, or has had its time.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) {
        let (tell, told) = tokio::sync::watch::channel(());
        tokio::spawn(async move {
            stop.await;
            drop(tell);
        });
        let listeners = [Some(self.page), self.own_s3, self.inner].into_iter().flatten();
        let all = join_all(listeners.map(|(listener, router)| listener.serve(router, told.clone())));
        let mut stopping = told.clone();
        let last_call = async move {
            drop(stopping.changed().await);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = all => {}
            () = last_call => {}
        }
    }
}

fn bind(flag: &str, address: SocketAddr, link: Option<Arc<Link>>, has_small_buffer: bool) -> Result<Listener, Error> {
    Listener::bind(address, link, has_small_buffer).map_err(|error| format!("{flag} {address}: {error}").into())
}

async fn storage(s3: &S3Connection, lanes: &[String], inner: Option<&Listener>) -> Result<Storage, Error> {
    let url = match inner {
        None => s3.url.clone(),
        Some(inner) => format!("http://{}", inner.local_addr()?),
    };
    let outcome = match Storage::open(s3.config_at(&url), s3.credentials(), &s3.bucket).await {
        Ok(storage) => storage.with_lanes(lanes.iter().map(|lane| s3.config_at(lane))).await,
        refused => refused,
    };
    outcome.map_err(|error| format!("the bucket can't be signed for: {}", error.code.as_str()).into())
}

fn own_server(url: String, Credentials { access_key, secret_key, .. }: &Credentials) -> S3Connection {
    let [access_key, secret_key] = [access_key, secret_key].map(String::clone);
    let (region, bucket) = (REGION.to_owned(), BUCKET.to_owned());
    S3Connection { url, region, bucket, access_key, secret_key, session_token: None }
}
