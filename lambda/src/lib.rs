//! What the Lambda function adds to the signing API of `directput_server`: the token keys in Secrets Manager, daily quotas
//! in DynamoDB, metrics in CloudWatch, and the calls to S3 with the SDK's HTTP client.
//!
//! `main.rs` puts them together and runs the API's router in AWS Lambda.

pub mod log;
pub mod metrics;
pub mod quota_table;
pub mod s3_client;
pub mod secret;
