//! The expected owner of the bucket in the API's calls to S3.

use directput_lambda::storage::Object;

use super::*;

const ACCOUNT: &str = "123456789012";

#[tokio::test]
async fn each_call_names_the_expected_owner_of_the_bucket_if_it_is_known() {
    for (account, expected) in [(Some(ACCOUNT.to_owned()), ACCOUNT), (None, "")] {
        let s3 = S3::default();
        let bucket = s3.bucket().await.owned_by(account);
        // The test checks only the requests, so all four calls are refused.
        for _ in 0..4 {
            s3.refuses(403, "AccessDenied");
        }
        let content_type = directput::protocol::ContentType::unknown();
        let object = Object { key: "uploads/a", content_type: &content_type, name: None, disposition: "attachment" };
        bucket.create(object, directput::checksum::ChecksumAlgorithm::Sha256).await.unwrap_err();
        bucket.list("uploads/a", "id", None).await.unwrap_err();
        bucket.complete("uploads/a", "id", 1, &[], None).await.unwrap_err();
        bucket.abort("uploads/a", "id").await.unwrap_err();
        let calls = s3.take_calls();
        assert_eq!(calls.len(), 4);
        for call in calls {
            assert_eq!(call.header("x-amz-expected-bucket-owner"), expected, "{}", call.url);
        }
    }
}
