//! Daily quotas in DynamoDB. `make test-quota` starts moto, which emulates DynamoDB, and runs these tests.
#![allow(missing_docs, clippy::unwrap_used)]

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_dynamodb::{Client, Config};
use directput::protocol::ErrorCode;
use directput_lambda::quota_table::count_in;
use directput_server::host::Count;
use directput_server::quota::{DailyLimits, Use};

const LIMITS: DailyLimits = DailyLimits { uploads: 3, bytes: 1_000 };

/// Creates a table with the keys of the template's table. Returns a client, and the function that counts uploads.
async fn table(name: &str) -> (Client, Count) {
    let endpoint = std::env::var("DYNAMODB_ENDPOINT").expect("make test-quota sets the address of DynamoDB");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint);
    let client = Client::from_conf(config.build());
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let id =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build().unwrap();
    let create = client.create_table().table_name(name).key_schema(key).attribute_definitions(id);
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    (client.clone(), count_in(client, name.to_owned()))
}

fn used(id: &str, bytes: u64) -> Use {
    Use { id: id.to_owned(), bytes, limits: LIMITS, expires: 1_800_000_000 }
}

#[tokio::test]
#[ignore = "needs DynamoDB: make test-quota"]
async fn a_caller_may_upload_until_the_uploads_or_the_bytes_are_used_up() {
    let (client, count) = table("counted").await;
    for bytes in [400, 600] {
        count(used("1#alice", bytes)).await.unwrap();
    }
    assert_eq!(count(used("1#alice", 1)).await, Err(ErrorCode::TooManyRequests), "the limit of bytes is reached");
    count(used("1#alice", 0)).await.unwrap();
    assert_eq!(count(used("1#alice", 0)).await, Err(ErrorCode::TooManyRequests), "the limit of uploads is reached");
    count(used("1#bob", 1_000)).await.unwrap();
    count(used("2#alice", 1_000)).await.unwrap();

    let item = client.get_item().table_name("counted").key("id", AttributeValue::S("1#alice".to_owned()));
    let item = item.send().await.unwrap().item.unwrap();
    let number = |name: &str| item[name].as_n().unwrap().as_str();
    assert_eq!(
        ["uploads", "bytes", "expires"].map(number),
        ["3", "1000", "1800000000"],
        "refused uploads are not counted"
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB: make test-quota"]
async fn an_upload_larger_than_the_daily_limit_is_refused_without_a_count() {
    let (client, count) = table("large").await;
    assert_eq!(count(used("1#alice", 1_001)).await, Err(ErrorCode::TooManyRequests));
    assert!(client.scan().table_name("large").send().await.unwrap().items().is_empty());
}

#[tokio::test]
#[ignore = "needs DynamoDB: make test-quota"]
async fn concurrent_uploads_do_not_exceed_the_limit() {
    let (_, count) = table("at-once").await;
    let all: Vec<_> = (0..20).map(|_| tokio::spawn(count(used("1#alice", 10)))).collect();
    let mut accepted = 0;
    for one in all {
        accepted += u32::from(one.await.unwrap().is_ok());
    }
    assert_eq!(accepted, 3);
}

#[tokio::test]
#[ignore = "needs DynamoDB: make test-quota"]
async fn a_missing_table_refuses_every_upload() {
    let (client, _) = table("there").await;
    let count = count_in(client, "not-there".to_owned());
    assert_eq!(count(used("1#alice", 1)).await, Err(ErrorCode::StorageUnavailable));
}
