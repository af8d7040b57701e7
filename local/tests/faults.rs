//! Tests of fault injection: faults apply only to the selected requests, and invalid faults are refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Running, start_with_faults};
use directput_local::Fault;
use serde_json::{Value, json};

async fn create(server: &Running) -> reqwest::Result<reqwest::Response> {
    let body = json!({ "name": "a.bin", "type": "image/png", "size": 20 << 20, "network": "wifi" }).to_string();
    server.http.post(&server.api).header("content-type", "application/json").body(body).send().await
}

#[tokio::test]
async fn every_third_call_is_refused_up_to_the_set_number_of_times() {
    let fault = json!({ "on": "create", "status": 503, "retryAfter": 2, "every": 3, "times": 2 });
    let server = start_with_faults(vec![fault.to_string().parse().unwrap()], false).await;
    let mut statuses = Vec::new();
    for _ in 0..9 {
        let reply = create(&server).await.unwrap();
        statuses.push(reply.status().as_u16());
        assert_eq!(reply.headers().contains_key("retry-after"), reply.status().is_server_error());
    }
    assert_eq!(statuses, [201, 201, 503, 201, 201, 503, 201, 201, 201]);
}

#[tokio::test]
async fn a_connection_dropped_after_a_call_does_not_undo_the_call() {
    let fault = json!({ "on": "create", "drop": "after", "times": 1 });
    let server = start_with_faults(vec![fault.to_string().parse().unwrap()], false).await;
    let lost = async { create(&server).await?.bytes().await };
    assert!(lost.await.is_err(), "the answer breaks off");
    assert_eq!(server.open_uploads().await, 1);
    assert_eq!(create(&server).await.unwrap().status(), 201);
}

#[tokio::test]
async fn clients_can_change_the_faults_only_with_the_option_control() {
    let set = async |server: &Running, faults: Value| {
        let url = server.api.replace("/uploads", "/-/faults");
        server.http.put(url).body(faults.to_string()).send().await.unwrap().status().as_u16()
    };
    let closed = start_with_faults(Vec::new(), false).await;
    assert_ne!(set(&closed, json!([])).await, 204);
    let open = start_with_faults(Vec::new(), true).await;
    assert_eq!(set(&open, json!([{ "on": "any", "status": 500 }])).await, 204);
    assert_eq!(create(&open).await.unwrap().status(), 500);
    assert_eq!(set(&open, json!([{ "on": "any", "status": 200 }])).await, 400);
    assert_eq!(set(&open, json!([])).await, 204);
    assert_eq!(create(&open).await.unwrap().status(), 201);
}

#[test]
fn an_invalid_fault_is_refused_with_the_name_of_the_member() {
    let refused = |text: &str| text.parse::<Fault>().unwrap_err();
    assert!(refused(r#"{"on":"put","evry":3}"#).contains("evry"));
    assert!(refused(r#"{"on":"post"}"#).contains("post"));
    assert!(refused(r#"{"on":"put","every":0}"#).starts_with("every:"));
    assert!(refused(r#"{"on":"put","bytesPerSecond":0}"#).starts_with("bytesPerSecond:"));
}
