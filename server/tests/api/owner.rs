//! The expected owner of the bucket in the API's calls to S3.

use super::*;

const ACCOUNT: &str = "123456789012";

#[tokio::test]
async fn each_call_names_the_expected_owner_of_the_bucket_if_it_is_known() {
    for (account, expected) in [(Some(ACCOUNT.to_owned()), ACCOUNT), (None, "")] {
        let api = Api::of(Config::for_bucket(BUCKET), bucket().owned_by(account), None);
        api.s3.answers(200, CREATED);
        let (_, created) = api.post("/uploads", "", large_file()).await;
        let token = created["token"].as_str().unwrap();
        for call in [("GET", "/uploads/parts"), ("POST", "/uploads/complete"), ("DELETE", "/uploads")] {
            api.s3.refuses(403, "AccessDenied");
            api.call(call, None, token, completion()).await;
        }
        let calls = api.s3.take_calls();
        assert_eq!(calls.len(), 4);
        for call in calls {
            assert_eq!(call.header("x-amz-expected-bucket-owner"), expected, "{}", call.url);
        }
    }
}
