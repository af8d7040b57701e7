//! What a quota stops, and what it never hears of.

use std::sync::{Arc, Mutex};

use axum::Extension;
use directput::protocol::ErrorCode;
use directput_lambda::quota::{DailyLimits, Quota, Use};

use super::*;

const LIMITS: DailyLimits = DailyLimits { uploads: 2, bytes: 10 };

/// A quota that answers as it is told, and what it was asked.
fn quota(answer: Result<(), ErrorCode>) -> (Arc<Quota>, Arc<Mutex<Vec<Use>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let count = move |wanted: Use| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
        seen.lock().unwrap().push(wanted);
        Box::pin(async move { answer })
    };
    (Arc::new(Quota::new(LIMITS, Box::new(count))), asked)
}

async fn api(quota: Arc<Quota>) -> Api {
    let Api { router, s3 } = Api::new().await;
    Api { router: router.layer(Extension(quota)), s3 }
}

#[tokio::test]
async fn an_upload_is_counted_for_its_caller_with_its_size_when_it_is_opened() {
    let (quota, asked) = quota(Ok(()));
    let api = api(quota).await;
    assert_eq!(api.call(CALLS[0], Some("alice"), "", small_file()).await.0, 201);
    api.s3.answers(200, CREATED);
    let (_, created) = api.call(CALLS[0], None, "", large_file()).await;
    let token = created["token"].as_str().unwrap();
    api.post("/uploads/parts", token, json!({ "parts": [part(1, DEFAULT_PART_BYTES)] })).await;
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().map(|wanted| wanted.bytes).collect::<Vec<_>>(), [1_000, 20 << 20]);
    assert!(asked[0].id != asked[1].id && asked[1].id.ends_with("#anonymous"), "{asked:?}");
    assert!(asked.iter().all(|wanted| wanted.limits == LIMITS));
}

#[tokio::test]
async fn what_is_over_the_quota_is_refused_before_anything_is_opened() {
    let (quota, _) = quota(Err(ErrorCode::TooManyRequests));
    let api = api(quota).await;
    refused(&api.post("/uploads", "", large_file()).await, 429, "too-many-requests", Value::Null);
    assert!(api.s3.asked().is_empty());
}

#[tokio::test]
async fn what_is_refused_anyway_is_not_counted() {
    let (quota, asked) = quota(Ok(()));
    let api = api(quota).await;
    for bad in [json!({}), json!({ "name": "a", "type": "image/png", "size": 1_u64 << 50 })] {
        assert!(api.post("/uploads", "", bad).await.0 >= 400);
    }
    assert!(asked.lock().unwrap().is_empty());
}
