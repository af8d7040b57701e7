//! Protection of the local server: its secrets stay secret, and requests for unknown hosts are refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use common::{Running, start, start_as};
use serde_json::{Value, json};

async fn status(server: &Running, url: &str, host: &str) -> u16 {
    server.http.get(url).header("host", host).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn requests_for_unknown_hosts_are_refused() {
    let server = start_as(&[], |options| {
        options.control = true;
        options.allow_origin = vec!["http://directput.test:8080".to_owned()];
    })
    .await;
    let page = server.api.trim_end_matches("/uploads");
    let object = format!("{}/{}/uploads/x", server.s3_url, server.bucket);
    let reached = |host: &'static str| {
        let (server, object) = (&server, &object);
        async move {
            let paths = ["/-/faults", "/-/counts", "/config.json", "/uploads"].map(|path| format!("{page}{path}"));
            let mut all = Vec::new();
            for url in paths.iter().chain([object]) {
                all.push(status(server, url, host).await);
            }
            all
        }
    };
    for unknown in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "evil@x"] {
        assert_eq!(reached(unknown).await, [421; 5], "{unknown}");
    }
    for known in ["127.0.0.1:1", "localhost", "LOCALHOST:8080", "192.168.1.2:8080", "[::1]:8080", "directput.test"] {
        assert_eq!(reached(known).await, [200, 200, 200, 405, 403], "{known}");
    }
}

#[tokio::test]
async fn the_keys_of_another_s3_server_are_used_and_not_printed() {
    let own = start().await;
    let printed = ["access_key", "secret_key"].map(|name| own.ready.split(name).nth(1).is_some());
    assert_eq!(printed, [true, true], "the line has the keys of the embedded server: {}", own.ready);
    let settings = [
        ("BUCKET", "a-bucket"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIASOMEBODYS"),
        ("AWS_SECRET_ACCESS_KEY", "somebody's secret"),
        ("AWS_SESSION_TOKEN", "somebodys/session"),
    ];
    let server = start_as(&settings, |options| options.use_s3 = Some("http://127.0.0.1:9".to_owned())).await;
    for secret in ["ASIASOMEBODYS", "somebody's secret", "somebodys/session"] {
        assert!(!server.ready.contains(secret), "{}", server.ready);
    }
    let part = json!({ "number": 1, "length": 1, "checksum": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" });
    let file = json!({ "name": "a", "type": "a/b", "size": 1, "parts": [part] });
    let created: Value = server.http.post(&server.api).json(&file).send().await.unwrap().json().await.unwrap();
    let url = created["parts"][0]["url"].as_str().unwrap();
    assert!(url.contains("&X-Amz-Security-Token=somebodys%2Fsession"), "{url}");
}

#[tokio::test]
async fn only_the_owner_can_read_the_credentials() {
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let server = start().await;
    let path = server.folder.path().join(".directput/credentials.json");
    assert_eq!(mode(&path), 0o600);
    // Earlier versions let other users read the file. A new start changes its mode.
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let again = start_as(&[], |options| options.data = server.folder.path().to_owned()).await;
    assert_eq!((mode(&path), &again.ready.split("secret_key=").nth(1).is_some()), (0o600, &true));
}
