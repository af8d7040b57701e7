//! Starts a server behind two proxies, and runs `directput check` against it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use directput_local::{Auth, Options, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::proxy::{Fault, HONEST, Proxy, World};

pub const PAGE: &str = "https://app.example";

/// What a server is started with.
pub struct Setup {
    /// Change of the API's requests and answers.
    pub api: Fault,
    /// Change of the bucket's requests and answers.
    pub bucket: Fault,
    /// Settings of the API.
    pub settings: &'static [(&'static str, &'static str)],
    /// Keys of callers' tokens.
    pub auth: Option<&'static str>,
    /// Number of lanes. The bucket has no proxy if it is above 1.
    pub lanes: u8,
}

pub const PLAIN: Setup = Setup { api: HONEST, bucket: HONEST, settings: &[], auth: None, lanes: 1 };

/// A server behind its proxies.
pub struct Running {
    pub endpoint: String,
    pub world: Arc<World>,
    pub folder: TempDir,
    pub bucket: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

pub async fn start(setup: &Setup) -> Running {
    let world = Arc::new(World::new());
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let api = Proxy::start(setup.api, Arc::clone(&world), http.clone()).await;
    let bucket = Proxy::start(setup.bucket, Arc::clone(&world), http).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = setup.settings;
    let server = Server::start(Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        s3_listen: "127.0.0.1:0".parse().unwrap(),
        s3_url: (setup.lanes == 1).then(|| bucket.url.clone()),
        lanes: setup.lanes,
        use_s3: None,
        data: folder.path().join("data"),
        www: PathBuf::from("../www"),
        package: PathBuf::from("../pkg"),
        allow_origin: vec![PAGE.to_owned()],
        auth: setup.auth.map(|auth| auth.parse::<Auth>().unwrap()),
        faults: Vec::new(),
        control: false,
        discard: false,
        link: None,
        settings: Box::new(move |name| {
            settings.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        }),
    })
    .await
    .unwrap();
    api.lead_to(server.page_url().to_owned());
    let ready = server.ready_line();
    bucket.lead_to(ready.split("s3_listen=").nth(1).unwrap().to_owned());
    assert!(world.s3.set(server.s3().clone()).is_ok());
    let name = server.s3().bucket.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(server.serve(async move { drop(stopped.await) }));
    Running { endpoint: format!("{}/uploads", api.url), world, folder, bucket: name, _stop: stop }
}

/// Outcome of a run of the program.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Returns the checks with this verdict, by name, with their reasons and fixes.
    pub fn checks(&self, verdict: &str) -> BTreeMap<String, String> {
        let report: Value = serde_json::from_str(&self.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == verdict);
        let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        checks.map(|check| (text(check, "name"), text(check, "reason") + " " + &text(check, "fix"))).collect()
    }

    /// Returns the names of the checks with this verdict.
    pub fn names(&self, verdict: &str) -> Vec<String> {
        self.checks(verdict).into_keys().collect()
    }
}

/// Runs `directput` with these arguments.
pub async fn directput(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_directput"));
    command.args(arguments).env_remove("DIRECTPUT_AUTHORIZATION").env_remove("DIRECTPUT_ENDPOINT");
    let child = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(120), child).await.expect("it ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Run { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Running {
    /// Runs `directput check --json` from the page, and checks that it prints no secret.
    pub async fn check(&self, flags: &[&str]) -> Run {
        let arguments = [&["check", "--json", "--endpoint", &self.endpoint, "--origin", PAGE], flags].concat();
        let run = directput(&arguments).await;
        self.assert_no_secret(&run);
        run
    }

    pub fn assert_no_secret(&self, run: &Run) {
        let printed = format!("{}{}", run.stdout, run.stderr);
        assert!(!printed.contains("X-Amz-Signature="), "{printed}");
        for token in self.world.tokens.lock().unwrap().iter() {
            assert!(!printed.contains(token.as_str()), "{printed}");
        }
    }

    /// Returns the keys of all objects in the bucket.
    pub fn stored(&self) -> Vec<String> {
        let root = self.folder.path().join("data").join(&self.bucket);
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        keys.sort();
        keys
    }

    /// Returns the number of open multipart uploads.
    pub fn unfinished(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("data/.directput/uploads")).map_or(0, Iterator::count)
    }
}
