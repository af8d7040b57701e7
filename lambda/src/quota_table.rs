//! The DynamoDB table that daily quotas are counted in.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use directput::protocol::ErrorCode;
use tracing::warn;

use directput_server::host::Count;
use directput_server::quota::Use;

/// Returns a function that counts uploads in `table`. One conditional update checks the limits and counts the upload,
/// so concurrent uploads can't exceed the limits.
pub fn count_in(client: Client, table: String) -> Count {
    Box::new(move |wanted| {
        let (client, table) = (Client::clone(&client), table.clone());
        Box::pin(async move { count(&client, &table, &wanted).await })
    })
}

async fn count(client: &Client, table: &str, wanted: &Use) -> Result<(), ErrorCode> {
    let Some(room) = wanted.limits.bytes.checked_sub(wanted.bytes) else {
        return Err(ErrorCode::TooManyRequests);
    };
    let number = |value: u64| AttributeValue::N(value.to_string());
    let reply = client
        .update_item()
        .table_name(table)
        .key("id", AttributeValue::S(wanted.id.clone()))
        .update_expression("SET #expires = :expires ADD #uploads :one, #bytes :bytes")
        .condition_expression("attribute_not_exists(#uploads) OR (#uploads < :uploads AND #bytes <= :room)")
        .expression_attribute_names("#expires", "expires")
        .expression_attribute_names("#uploads", "uploads")
        .expression_attribute_names("#bytes", "bytes")
        .expression_attribute_values(":expires", number(wanted.expires))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":bytes", number(wanted.bytes))
        .expression_attribute_values(":uploads", number(wanted.limits.uploads))
        .expression_attribute_values(":room", number(room))
        .send()
        .await;
    match reply {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Err(ErrorCode::TooManyRequests),
        Err(error) => {
            let storage_code = error.code().unwrap_or_default();
            warn!(operation = "quota", storage_code, "the storage can't count");
            Err(ErrorCode::StorageUnavailable)
        }
    }
}
