//! Starts a local server on free ports with its own folder. The tests use the official SDK as the client.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use directput_local::{Auth, Fault, Options, S3Connection, Server};
use tempfile::TempDir;

pub struct Running {
    pub api: String,
    /// The line that scripts wait for, see `Server::ready_line`.
    pub ready: String,
    pub bucket: String,
    pub s3_url: String,
    pub s3: Client,
    pub config: Builder,
    pub connection: S3Connection,
    pub folder: TempDir,
    pub http: reqwest::Client,
    _host: Option<OtherHost>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

pub async fn start() -> Running {
    start_with(&[]).await
}

pub async fn start_with(settings: &[(&str, &str)]) -> Running {
    start_as(settings, |_| {}).await
}

pub async fn start_with_faults(faults: Vec<Fault>, control: bool) -> Running {
    start_as(&[], |options| (options.faults, options.control) = (faults, control)).await
}

/// Returns the URL in `USE_S3`: an S3 server that the tests use instead of the embedded one. Returns `None` if `USE_S3`
/// is not set.
pub fn other_s3() -> Option<String> {
    std::env::var("USE_S3").ok()
}

/// Starts a server that uses the S3 server of [`other_s3`], or the embedded S3 server.
pub async fn start_against(settings: &[(&str, &str)], auth: Option<Auth>) -> Running {
    let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    start_as(&[], |options| {
        (options.use_s3, options.auth) = (other_s3(), auth);
        options.settings = Box::new(move |name| {
            let set = settings.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
            set.or_else(|| std::env::var(name).ok())
        });
    })
    .await
}

/// Settings of the API that another host gets as environment variables.
const SETTINGS: [&str; 11] = [
    "ALLOWED_CHECKSUMS",
    "ALLOWED_TYPES",
    "DOWNLOAD_NAMES",
    "MAX_FILE_BYTES",
    "MAX_PARTS_PER_REQUEST",
    "SINGLE_PUT_BYTES",
    "TOKEN_SECONDS",
    "URL_MAX_SECONDS",
    "URL_MIN_SECONDS",
    "NEEDS_CALLER",
    "LANES",
];

/// Another host of the API, which the tests call instead of the server's own. The environment variable `API_HOST` names
/// a JavaScript file: `tests/server/host.mjs` or `tests/server/workerd.mjs`.
pub struct OtherHost {
    api: String,
    /// The host ends when its standard input is closed.
    child: std::process::Child,
}

impl OtherHost {
    fn start<const N: usize>(
        program: &str,
        server: &Server,
        folder: &std::path::Path,
        settings: [(&str, Option<String>); N],
        has_auth: bool,
    ) -> Self {
        use std::io::BufRead;
        use std::process::{Command, Stdio};
        let s3 = server.s3();
        let file = std::fs::read(folder.join(".directput/credentials.json")).unwrap();
        let credentials: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let mut child = Command::new("node");
        child.arg(std::path::Path::new("..").join(program)).stdin(Stdio::piped()).stdout(Stdio::piped());
        child.env("BUCKET", &s3.bucket).env("AWS_REGION", &s3.region).env("S3_ENDPOINT", &s3.url);
        child.env("AWS_ACCESS_KEY_ID", &s3.access_key).env("AWS_SECRET_ACCESS_KEY", &s3.secret_key);
        child.env("TOKEN_KEY", credentials["token_key"].as_str().unwrap());
        child.env("HAS_AUTH", if has_auth { "true" } else { "" });
        child.envs(settings.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let mut child = child.spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let api = line.trim().strip_prefix("ready api=").expect("the host prints its address").to_owned();
        Self { api, child }
    }
}

impl Drop for OtherHost {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Writes the API's log to a file, without the log of the S3 server. `tests/logs` searches the file for text that a log
/// must not have.
fn keep_log() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("logs");
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::File::options().create(true).append(true).open(folder.join("local.log")).unwrap();
    directput_server::host::log_as_json_to(std::sync::Mutex::new(file), "info,s3s=off", None);
}

fn sdk_credentials(s3: &S3Connection) -> Credentials {
    Credentials::new(&s3.access_key, &s3.secret_key, s3.session_token.clone(), None, "local")
}

/// Returns the configuration of an S3 client.
fn config_of(s3: &S3Connection) -> Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(s3.region.clone()))
        .credentials_provider(sdk_credentials(s3))
        .endpoint_url(&s3.url)
        .force_path_style(true)
}

/// Starts a server with these settings of the API. `change` changes the other options.
pub async fn start_as(settings: &[(&str, &str)], change: impl FnOnce(&mut Options)) -> Running {
    keep_log();
    let folder = tempfile::tempdir().unwrap();
    let settings: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        s3_listen: "127.0.0.1:0".parse().unwrap(),
        s3_url: None,
        lanes: 1,
        use_s3: None,
        data: folder.path().to_owned(),
        www: PathBuf::from("../www"),
        package: PathBuf::from("../pkg"),
        allow_origin: Vec::new(),
        auth: None,
        faults: Vec::new(),
        control: false,
        discard: false,
        link: None,
        settings: Box::new(move |name| settings.get(name).cloned()),
    };
    change(&mut options);
    let settings = SETTINGS.map(|name| (name, (options.settings)(name)));
    let has_auth = options.auth.is_some();
    let server = Server::start(options).await.unwrap();
    let host = std::env::var("API_HOST")
        .ok()
        .map(|program| OtherHost::start(&program, &server, folder.path(), settings, has_auth));
    let config = config_of(server.s3())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = Running {
        ready: server.ready_line(),
        api: host.as_ref().map_or_else(|| format!("{}/uploads", server.page_url()), |host| host.api.clone()),
        bucket: server.s3().bucket.clone(),
        s3_url: server.s3().url.clone(),
        s3: Client::from_conf(config),
        config: config_of(server.s3()),
        connection: server.s3().clone(),
        folder,
        // The hosts in JavaScript close a connection that is idle for 5 s, while a test may be hashing.
        http: reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2)).build().unwrap(),
        _host: host,
        _stop: stop,
    };
    tokio::spawn(server.serve(async move { drop(stopped.await) }));
    running
}

impl Running {
    /// Returns the number of open multipart uploads.
    pub async fn open_uploads(&self) -> usize {
        self.s3.list_multipart_uploads().bucket(&self.bucket).send().await.unwrap().uploads().len()
    }

    /// Returns the keys of all objects.
    pub async fn keys(&self) -> BTreeSet<String> {
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await.unwrap();
        assert_ne!(listed.is_truncated(), Some(true));
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Returns the bytes of an object, or `None` if it does not exist.
    pub async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let reply = self.s3.get_object().bucket(&self.bucket).key(key).send().await.ok()?;
        Some(reply.body.collect().await.unwrap().to_vec())
    }

    /// Returns the numbers of files in the folders of received bodies, of objects and of unfinished uploads.
    pub fn leftovers(&self) -> (usize, usize, usize) {
        let count = |path: &str| walk(&self.folder.path().join(path));
        (count(".directput/incoming"), count(&self.bucket), count(".directput/uploads"))
    }
}

fn walk(path: &std::path::Path) -> usize {
    std::fs::read_dir(path)
        .map(|entries| entries.flatten().map(|e| if e.path().is_dir() { walk(&e.path()) } else { 1 }).sum())
        .unwrap_or(0)
}
