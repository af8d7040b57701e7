//! Daily quotas: which uploads are counted, and which are refused.

use std::sync::{Arc, Mutex};

use directput::protocol::ErrorCode;
use directput_server::host::Count;
use directput_server::quota::{DailyLimits, Use};

use super::*;

const LIMITS: DailyLimits = DailyLimits { uploads: 2, bytes: 10 };

/// Returns a function that answers every count with `answer`, and the list of the uploads to count.
fn quota(answer: Result<(), ErrorCode>) -> (Count, Arc<Mutex<Vec<Use>>>) {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&counted);
    let count = move |upload: Use| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
        list.lock().unwrap().push(upload);
        Box::pin(async move { answer })
    };
    (Box::new(count), counted)
}

fn api(count: Count) -> Api {
    Api::of(Config::for_bucket(BUCKET), bucket(), Some((LIMITS, count)))
}

#[tokio::test]
async fn an_upload_is_counted_for_its_caller_with_its_size_when_it_is_opened() {
    let (quota, counted) = quota(Ok(()));
    let api = api(quota);
    assert_eq!(api.call(CALLS[0], Some("alice"), "", small_file()).await.0, 201);
    api.s3.answers(200, CREATED);
    let (_, created) = api.call(CALLS[0], None, "", large_file()).await;
    let token = created["token"].as_str().unwrap();
    api.post("/uploads/parts", token, json!({ "parts": [part(1, DEFAULT_PART_BYTES)] })).await;
    let counted = counted.lock().unwrap();
    assert_eq!(counted.iter().map(|upload| upload.bytes).collect::<Vec<_>>(), [1_000, 20 << 20]);
    assert!(counted[0].id != counted[1].id && counted[1].id.ends_with("#anonymous"), "{counted:?}");
    assert!(counted.iter().all(|upload| upload.limits == LIMITS));
}

#[tokio::test]
async fn an_upload_over_the_quota_is_refused_before_it_is_opened() {
    let (quota, _) = quota(Err(ErrorCode::TooManyRequests));
    let api = api(quota);
    refused(&api.post("/uploads", "", large_file()).await, 429, "too-many-requests", Value::Null);
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn a_refused_request_is_not_counted() {
    let (quota, counted) = quota(Ok(()));
    let api = api(quota);
    for bad in [json!({}), json!({ "name": "a", "type": "image/png", "size": 1_u64 << 50 })] {
        assert!(api.post("/uploads", "", bad).await.0 >= 400);
    }
    assert!(counted.lock().unwrap().is_empty());
}
