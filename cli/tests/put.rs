//! Tests of `directput put` from a user's point of view: uploads, faults, resumption after Ctrl-C, and error messages.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{MIB, Running, digest, end, result, start};

/// Fault that slows all PUTs down, so that a test can act during an upload.
const SLOW: &str = r#"{"on":"put","bytesPerSecond":20000000}"#;
/// Fault without an effect, whose counter counts the PUTs.
const COUNTED: &str = r#"{"on":"put"}"#;

/// Runs the program until at least two parts are stored, and then interrupts it.
async fn interrupt(server: &Running, file: &std::path::Path) -> common::Run {
    // Six parts are sent at once, so the eighth PUT begins after at least two parts are stored.
    interrupt_at(server, file, &[], SLOW, 8).await
}

/// Runs the program until `fault` has applied to this number of requests, and then interrupts it.
async fn interrupt_at(server: &Running, file: &std::path::Path, args: &[&str], fault: &str, hits: u64) -> common::Run {
    server.set_faults(&[fault]).await;
    let child = server.command(file, args).spawn().unwrap();
    let pid = child.id().unwrap().to_string();
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if server.hits().await >= hits {
            break;
        }
    }
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    end(child).await
}

#[tokio::test]
async fn files_of_all_sizes_arrive_and_nothing_is_kept() {
    let server = start(None).await;
    for (name, bytes, parts) in [("empty.txt", 0, 1), ("small.png", 1234, 1), ("large.bin", 40 * MIB + 1, 6)] {
        let file = server.file(name, bytes);
        let printed = result(&server.put(&file, &["--json"]).await);
        let key = printed["key"].as_str().unwrap();
        assert_eq!(server.stored(key), digest(&file), "{name}");
        assert_eq!(printed["size"], bytes);
        let checksum = printed["checksum"].as_str().unwrap();
        assert_eq!(checksum.ends_with(&format!("-{parts}")), parts > 1, "{checksum}");
        assert_eq!(key.split('.').next_back(), name.split('.').next_back());
    }
    assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
}

#[tokio::test]
async fn piped_input_is_uploaded_under_the_given_name() {
    let server = start(None).await;
    let file = server.file("piped.bin", 20 * MIB);
    let mut piped = server.command(std::path::Path::new("-"), &["--json", "--name", "report.pdf"]);
    let from_input = end(piped.stdin(std::fs::File::open(&file).unwrap()).spawn().unwrap()).await;
    let pipe = server.folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (from, to) = (file.clone(), pipe.clone());
    let writing = std::thread::spawn(move || std::fs::copy(from, to).unwrap());
    let from_pipe = server.put(&pipe, &["--json"]).await;
    writing.join().unwrap();
    for (run, extension) in [(from_input, Some("pdf")), (from_pipe, None)] {
        let printed = result(&run);
        let key = printed["key"].as_str().unwrap();
        assert_eq!(server.stored(key), digest(&file));
        assert_eq!(key.rsplit_once('.').map(|(_, extension)| extension), extension, "{key}");
    }
    assert_eq!(server.unfinished(), 0);
    assert!(!server.folder.path().join("state").exists(), "piped input has no record");
}

#[tokio::test]
async fn other_checksums_arrive_too() {
    let server = start(None).await;
    let file = server.file("a.bin", 20 * MIB);
    let crc = result(&server.put(&file, &["--json", "--checksum", "crc64nvme"]).await);
    assert_eq!(crc["checksum"].as_str().unwrap().len(), 12);
    let after = result(&server.put(&file, &["--json", "--checksum", "crc64nvme-after"]).await);
    assert_eq!(after["checksum"], crc["checksum"]);
    let none = result(&server.put(&file, &["--json", "--checksum", "none"]).await);
    assert!(none["checksum"].is_null());
    for printed in [crc, after, none] {
        assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file));
    }
}

#[tokio::test]
async fn uploads_succeed_despite_faults() {
    let server = start(None).await;
    let file = server.file("a.bin", 60 * MIB);
    for faults in [
        [r#"{"on":"put","status":503,"every":3}"#, r#"{"on":"sign","status":500,"every":2}"#],
        [r#"{"on":"put","drop":"midway","every":4,"times":3}"#, r#"{"on":"complete","drop":"after","times":1}"#],
        [r#"{"on":"put","corrupt":true,"every":5,"times":2}"#, r#"{"on":"put","clockAheadSeconds":3600,"times":2}"#],
    ] {
        server.set_faults(&faults).await;
        let printed = result(&server.put(&file, &["--json"]).await);
        assert!(server.hits().await >= 2, "the server has injected the faults");
        assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file), "{faults:?}");
    }
    assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
}

#[tokio::test]
async fn the_same_command_resumes_the_upload_after_ctrl_c() {
    let server = start(None).await;
    let file = server.file("a.bin", 100 * MIB);
    let interrupted = interrupt(&server, &file).await;
    assert_eq!(interrupted.code, Some(130), "{interrupted:?}");
    assert!(interrupted.stderr.contains("Run the same command again to resume"), "{interrupted:?}");
    assert_eq!((server.unfinished(), server.kept().len()), (1, 1));

    server.set_faults(&[COUNTED]).await;
    let printed = result(&server.put(&file, &["--json"]).await);
    let puts = server.hits().await;
    assert!(puts < 13, "the second run has sent {puts} of 13 parts");
    assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file));
    assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_a_record() {
    use std::os::unix::fs::PermissionsExt;
    let server = start(None).await;
    interrupt(&server, &server.file("a.bin", 100 * MIB)).await;
    let [kept] = server.kept().try_into().unwrap();
    assert_eq!(std::fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn an_unfinished_upload_is_removed_if_the_file_has_changed_or_the_user_restarts() {
    let server = start(None).await;
    let file = server.file("a.bin", 100 * MIB);
    for flags in [&["--json"][..], &["--json", "--restart"]] {
        interrupt(&server, &file).await;
        if flags.len() == 1 {
            server.file("a.bin", 50 * MIB);
        }
        server.set_faults(&[COUNTED]).await;
        let printed = result(&server.put(&file, flags).await);
        assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file));
        assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
        let parts: u64 = if flags.len() == 1 { 7 } else { 13 };
        assert_eq!(server.hits().await, parts, "the second run sends all parts of the file");
        server.file("a.bin", 100 * MIB);
    }
}

#[tokio::test]
async fn an_upload_fails_if_the_file_changes_meanwhile() {
    let server = start(None).await;
    let file = server.file("a.bin", 60 * MIB);
    server.set_faults(&[SLOW]).await;
    let child = server.command(&file, &[]).spawn().unwrap();
    while server.hits().await < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::write(&file, "something else").unwrap();
    let run = end(child).await;
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("code file-changed"), "{run:?}");
    assert_eq!(
        (server.unfinished(), server.kept().len()),
        (1, 1),
        "the upload is kept, because the parts that are stored may still match the file"
    );
    server.set_faults(&[]).await;
    let printed = result(&server.put(&file, &["--json"]).await);
    assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file));
    assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
}

#[tokio::test]
async fn an_upload_is_resumed_if_only_the_files_time_has_changed() {
    let server = start(None).await;
    let file = server.file("a.bin", 100 * MIB);
    for bytes_change in [false, true] {
        interrupt(&server, &file).await;
        if bytes_change {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[0] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        } else {
            std::fs::File::options().write(true).open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        server.set_faults(&[COUNTED]).await;
        let printed = result(&server.put(&file, &["--json"]).await);
        assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file));
        assert_eq!((server.unfinished(), server.kept().len()), (0, 0));
        assert_eq!(server.hits().await == 13, bytes_change, "all 13 parts are sent only if the bytes have changed");
    }
}

/// The engine then compares no bytes, so the time of the last change decides.
#[tokio::test]
async fn a_changed_file_is_sent_anew_if_no_bytes_are_compared() {
    let server = start(None).await;
    let not_completed = r#"{"on":"complete","status":503}"#;
    for (args, fault, hits) in [(&["--checksum", "none"][..], SLOW, 8), (&[], not_completed, 1)] {
        let file = server.file("a.bin", 100 * MIB);
        interrupt_at(&server, &file, args, fault, hits).await;
        assert_eq!(server.kept().len(), 1, "{args:?}: the upload can be resumed");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        server.set_faults(&[COUNTED]).await;
        let printed = result(&server.put(&file, &[args, &["--json"]].concat()).await);
        assert_eq!(server.stored(printed["key"].as_str().unwrap()), digest(&file), "{args:?}");
        assert_eq!((server.hits().await, server.unfinished(), server.kept().len()), (13, 0, 0), "{args:?}");
    }
}

#[tokio::test]
async fn a_second_process_can_not_upload_the_same_file() {
    let server = start(None).await;
    let file = server.file("a.bin", 60 * MIB);
    server.set_faults(&[SLOW]).await;
    let first = server.command(&file, &["--json"]).spawn().unwrap();
    while server.hits().await < 1 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = server.put(&file, &[]).await;
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("code in-use"), "{second:?}");
    result(&end(first).await);
}

#[tokio::test]
async fn an_upload_without_a_token_is_refused_and_a_header_signs_in() {
    let server = start(Some("hs256:a secret of the tests, and of nothing else".parse().unwrap())).await;
    let file = server.file("a.bin", 10);
    let run = server.put(&file, &[]).await;
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("code unauthorized"), "{run:?}");

    let token = sign_in("a secret of the tests, and of nothing else");
    let by_flag = server.put(&file, &["--json", "--header", &format!("Authorization: Bearer {token}")]).await;
    result(&by_flag);
    // A secret that is read from a file may end with a line break.
    let by_environment =
        server.command(&file, &["--json"]).env("DIRECTPUT_AUTHORIZATION", format!("Bearer {token}\n")).spawn();
    result(&end(by_environment.unwrap()).await);
    assert!(!by_flag.stderr.contains(&token) && !by_flag.stdout.contains("X-Amz-Signature"));
}

/// Returns a JWT that expires in an hour.
fn sign_in(secret: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = serde_json::json!({ "sub": "somebody", "iat": now, "exp": now + 3600 });
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

#[tokio::test]
async fn errors_are_explained() {
    let server = start(None).await;
    let missing = server.put(&server.folder.path().join("missing"), &[]).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("No such file"), "{missing:?}");
    assert!(!missing.stderr.contains("code"), "a missing file is not a changed file: {missing:?}");
    let folder = server.put(server.folder.path(), &[]).await;
    assert!(folder.stderr.contains("it is a folder, not a file"), "{folder:?}");
    let file = server.file("a.bin", 10);
    for (flags, message) in [
        (&["--checksum", "md5"][..], "unknown name"),
        (&["--parts-in-flight", "65"], "1..=64"),
        (&["--type", "nonsense"], "expected a media type"),
        (&["--header", "a secret"], "--header: expected a name, a colon and a value"),
        (&["--header", "a b: a secret"], "--header: expected a valid name"),
        (&["--header", "a: a secret\u{1}"], "--header: expected a value without control characters"),
        (&["--authorization", "a secret\u{1}"], "--authorization: expected a value without control characters"),
    ] {
        let run = server.put(&file, flags).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(message) && !run.stderr.contains("secret"), "{run:?}");
    }
    let without_host = std::process::Command::new(env!("CARGO_BIN_EXE_directput"))
        .args(["put", "a.bin"])
        .env("DIRECTPUT_ENDPOINT", "/uploads")
        .output()
        .unwrap();
    assert_eq!(without_host.status.code(), Some(2));
    assert!(String::from_utf8(without_host.stderr).unwrap().contains("relative URL without a base"));
}
