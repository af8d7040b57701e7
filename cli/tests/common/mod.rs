//! Runs the program `directput` against a local server.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use directput_local::{Auth, Fault, Options, Server};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub const MIB: usize = 1 << 20;

pub struct Running {
    pub endpoint: String,
    pub folder: TempDir,
    pub bucket: String,
    http: reqwest::Client,
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// Outcome of a run of the program.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Starts a server whose faults can be changed.
pub async fn start(auth: Option<Auth>) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        s3_listen: "127.0.0.1:0".parse().unwrap(),
        s3_url: None,
        lanes: 1,
        use_s3: None,
        data: folder.path().join("data"),
        www: PathBuf::from("../www"),
        package: PathBuf::from("../pkg"),
        allow_origin: Vec::new(),
        auth,
        faults: Vec::new(),
        control: true,
        discard: false,
        link: None,
        settings: Box::new(|name| {
            (name == "ALLOWED_CHECKSUMS").then(|| "sha256,crc64nvme,crc64nvme-after,none".to_owned())
        }),
    };
    let server = Server::start(options).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = Running {
        endpoint: format!("{}/uploads", server.page_url()),
        bucket: server.s3().bucket.clone(),
        folder,
        http: reqwest::Client::new(),
        _stop: stop,
    };
    tokio::spawn(server.serve(async move { drop(stopped.await) }));
    running
}

impl Running {
    /// Writes a file of `bytes` bytes and returns its path. Adjacent mebibytes of the file differ.
    pub fn file(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.folder.path().join(name);
        let mut content = Vec::with_capacity(bytes);
        while content.len() < bytes {
            let mebibyte = (content.len() / MIB) as u8;
            content.resize((content.len() + MIB).min(bytes), mebibyte.wrapping_mul(31));
        }
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn command(&self, file: &Path, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_directput"));
        command
            .arg("put")
            .arg(file)
            .args(["--endpoint", &self.endpoint])
            .args(flags)
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env_remove("DIRECTPUT_AUTHORIZATION")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn put(&self, file: &Path, flags: &[&str]) -> Run {
        end(self.command(file, flags).spawn().unwrap()).await
    }

    /// Replaces the faults.
    pub async fn set_faults(&self, faults: &[&str]) {
        let body = format!("[{}]", faults.join(","));
        faults.iter().for_each(|fault| drop(fault.parse::<Fault>().unwrap()));
        let reply = self.http.put(self.control()).body(body).send().await.unwrap();
        assert_eq!(reply.status(), 204);
    }

    /// Returns the number of requests that the current faults have applied to.
    pub async fn hits(&self) -> u64 {
        let text = self.http.get(self.control()).send().await.unwrap().text().await.unwrap();
        let faults: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        faults.iter().map(|fault| fault["hits"].as_u64().unwrap()).sum()
    }

    fn control(&self) -> String {
        self.endpoint.replace("/uploads", "/-/faults")
    }

    /// Returns the digest of a stored object, in hexadecimal.
    pub fn stored(&self, key: &str) -> String {
        digest(&self.folder.path().join("data").join(&self.bucket).join(key))
    }

    /// Returns the number of open multipart uploads.
    pub fn unfinished(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("data/.directput/uploads")).map_or(0, Iterator::count)
    }

    /// Returns the files with records of unfinished uploads.
    pub fn kept(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("state/directput")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
    }
}

pub async fn end(child: Child) -> Run {
    let output = tokio::time::timeout(std::time::Duration::from_secs(60), child.wait_with_output());
    let output = output.await.expect("it ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Run { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

pub fn digest(path: &Path) -> String {
    Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that a run with `--json` has succeeded, and returns the printed result.
pub fn result(run: &Run) -> serde_json::Value {
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}
