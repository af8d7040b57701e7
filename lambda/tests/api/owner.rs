//! Calls are for a bucket of one account.

use directput_lambda::storage::Object;

use super::*;

const ACCOUNT: &str = "123456789012";

#[tokio::test]
async fn each_call_says_whose_the_bucket_has_to_be_where_that_is_known() {
    for (account, said) in [(Some(ACCOUNT.to_owned()), ACCOUNT), (None, "")] {
        let s3 = S3::default();
        let bucket = s3.bucket().await.owned_by(account);
        // What S3 answers doesn't matter here.
        for _ in 0..4 {
            s3.refuses(403, "AccessDenied");
        }
        let content_type = directput::protocol::ContentType::unknown();
        let object = Object { key: "uploads/a", content_type: &content_type, name: None, disposition: "attachment" };
        bucket.create(object, directput::checksum::ChecksumAlgorithm::Sha256).await.unwrap_err();
        bucket.list("uploads/a", "id", None).await.unwrap_err();
        bucket.complete("uploads/a", "id", 1, &[], None).await.unwrap_err();
        bucket.abort("uploads/a", "id").await.unwrap_err();
        let asked = s3.asked();
        assert_eq!(asked.len(), 4);
        for call in asked {
            assert_eq!(call.header("x-amz-expected-bucket-owner"), said, "{}", call.url);
        }
    }
}
