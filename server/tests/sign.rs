//! Presigned URLs are equal to the SDK's, byte for byte, for random keys, headers and session tokens.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use directput::plan::Plan;
use directput::protocol::{ContentType, FileName, FileSize};
use directput_server::download::DownloadNames;
use directput_server::object_key::name_for_metadata;
use directput_server::s3::{Lane, Put as SignedPut, Target};
use directput_server::{Bucket, Credentials as OwnCredentials};
use proptest::prelude::*;
use tokio::runtime::Runtime;

fn client(credentials: &Credentials, endpoint: Option<&str>) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials.clone())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    let config = match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint).force_path_style(true),
        None => config,
    };
    Client::from_conf(config.build())
}

/// A PUT to sign.
#[derive(Debug, Clone)]
struct Put {
    key: String,
    upload_id: String,
    number: i32,
    length: u64,
    sha256: String,
    content_type: String,
    name: String,
    disposition: String,
    seconds: u64,
    at: u64,
}

fn put() -> impl Strategy<Value = Put> {
    (
        ("uploads/[a-zA-Z0-9 ~+/&=_.é-]{1,30}", "[ -~]{1,40}", 1..=10_000, 0..5_u64 << 30),
        ("[A-Za-z0-9+/]{43}=", "[a-z]{1,9}/[ -~]{1,20}[a-z]", "[a-zA-Z0-9%._~-]{1,60}", 1..=600_u64),
        (946_684_800..4_102_444_800_u64, any::<String>()),
    )
        .prop_map(|((key, upload_id, number, length), (sha256, content_type, name, seconds), (at, file))| Put {
            disposition: disposition_of(&file),
            // The SDK changes a double slash in a key to a single slash. No key of this API has a double slash.
            key: key.replace("//", "/a/"),
            upload_id,
            number,
            length,
            sha256,
            content_type,
            name,
            seconds,
            at,
        })
}

/// Returns the header `Content-Disposition` of a file.
fn disposition_of(file: &str) -> String {
    let name = name_for_metadata(&FileName::fit(file));
    DownloadNames::Attachment.disposition(&ContentType::unknown(), &name).into_owned()
}

async fn by_sdk(client: &Client, put: &Put, is_part: bool) -> String {
    let presigning = PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_secs(put.at))
        .expires_in(Duration::from_secs(put.seconds))
        .build()
        .unwrap();
    let length = i64::try_from(put.length).unwrap();
    let presigned = if is_part {
        let request = client.upload_part().bucket("bucket").key(&put.key).upload_id(&put.upload_id);
        let request = request.part_number(put.number).content_length(length).checksum_sha256(&put.sha256);
        request.presigned(presigning).await.unwrap()
    } else {
        let request = client.put_object().bucket("bucket").key(&put.key).content_type(&put.content_type);
        let request = request.content_disposition(&put.disposition).content_length(length).metadata("name", &put.name);
        let request = request.content_encoding("identity");
        request.checksum_sha256(&put.sha256).if_none_match("*").presigned(presigning).await.unwrap()
    };
    presigned.uri().to_owned()
}

/// Returns the credentials in the form of this API.
fn own(credentials: &Credentials) -> OwnCredentials {
    OwnCredentials {
        access_key_id: credentials.access_key_id().to_owned(),
        secret_access_key: credentials.secret_access_key().to_owned(),
        session_token: credentials.session_token().map(str::to_owned),
    }
}

fn bucket_at(endpoint: Option<&str>) -> Bucket {
    match endpoint {
        Some(endpoint) => Bucket::at(endpoint, "bucket", "eu-central-1").unwrap(),
        None => Bucket::in_aws("bucket", "eu-central-1", &[]),
    }
}

fn by_us(bucket: &Bucket, credentials: &Credentials, put: &Put, is_part: bool) -> String {
    let at: SystemTime = UNIX_EPOCH + Duration::from_secs(put.at);
    let (length, number) = (put.length.to_string(), put.number.to_string());
    let part_query = [("partNumber", number.as_str()), ("uploadId", &put.upload_id)];
    let part_headers = [("content-length", length.as_str()), ("x-amz-checksum-sha256", &put.sha256)];
    let object_headers = [
        ("content-disposition", put.disposition.as_str()),
        ("content-encoding", "identity"),
        ("content-length", &length),
        ("content-type", &put.content_type),
        ("if-none-match", "*"),
        ("x-amz-checksum-sha256", &put.sha256),
        ("x-amz-meta-name", &put.name),
    ];
    let signed = SignedPut {
        operation: if is_part { "UploadPart" } else { "PutObject" },
        key: &put.key,
        query: if is_part { &part_query } else { &[] },
        headers: if is_part { &part_headers } else { &object_headers },
        lifetime: Duration::from_secs(put.seconds),
    };
    bucket.sign(0, &own(credentials), at).expect("in range").url(&signed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_url_is_equal_to_the_sdks(
        put in put(),
        token in proptest::option::of("[A-Za-z0-9+/=]{1,80}"),
        endpoint in proptest::option::of(Just("http://127.0.0.1:8081")),
        is_part in any::<bool>(),
    ) {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", token, None, "test");
        let client = client(&credentials, endpoint);
        let runtime = Runtime::new().unwrap();
        let expected = runtime.block_on(by_sdk(&client, &put, is_part));
        prop_assert_eq!(by_us(&bucket_at(endpoint), &credentials, &put, is_part), expected);
    }
}

/// A signer is used for days, but S3 accepts a signing key for one day only. The key also depends on the credentials.
#[test]
fn each_day_and_each_credentials_have_their_own_signing_key() {
    let bucket = bucket_at(None);
    let put = |at| Put {
        key: "uploads/key".to_owned(),
        upload_id: "id".to_owned(),
        number: 1,
        length: 1,
        sha256: "x".to_owned(),
        content_type: "a/b".to_owned(),
        name: "n".to_owned(),
        disposition: disposition_of("n"),
        seconds: 60,
        at,
    };
    let runtime = Runtime::new().unwrap();
    for (id, at) in [("A", 1_700_000_000), ("A", 1_700_086_400), ("B", 1_700_086_400), ("A", 1_700_000_000)] {
        let credentials = Credentials::new(id, format!("secret of {id}"), None, None, "test");
        let expected = runtime.block_on(by_sdk(&client(&credentials, None), &put(at), true));
        assert_eq!(by_us(&bucket, &credentials, &put(at), true), expected);
    }
}

#[test]
fn debug_output_contains_no_keys() {
    let (bucket, credentials) = (bucket_at(None), Credentials::new("A", "hush", Some("hush".to_owned()), None, "test"));
    drop(bucket.sign(0, &own(&credentials), UNIX_EPOCH).expect("in range"));
    let printed = format!("{bucket:?} {:?}", own(&credentials));
    assert!(printed.contains("SigningKey { day: \"19700101\", .. }") && !printed.contains("hush"), "{printed}");
}

/// The `Content-Security-Policy` in the template has these addresses, so the page could not send to any other.
#[test]
fn addresses_are_the_sdks_in_each_region_and_lane() {
    let runtime = Runtime::new().unwrap();
    let credentials = Credentials::new("AKID", "secret", None, None, "test");
    let lanes = [Lane::Regional, Lane::DualStack, Lane::Path, Lane::DualStackPath, Lane::Accelerate];
    for region in ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"] {
        for name in ["directput-dev-123456789012", "with.dots"] {
            for lane in lanes {
                let config = aws_sdk_s3::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new(region))
                    .credentials_provider(credentials.clone());
                let config = match lane {
                    Lane::Regional => config,
                    Lane::DualStack => config.use_dual_stack(true),
                    Lane::Path => config.force_path_style(true),
                    Lane::DualStackPath => config.use_dual_stack(true).force_path_style(true),
                    Lane::Accelerate => config.accelerate(true),
                };
                let put = Client::from_conf(config.build()).put_object().bucket(name).key("uploads/key");
                let presigning = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
                // The SDK refuses acceleration where AWS does not offer it.
                let Ok(expected) = runtime.block_on(put.presigned(presigning)) else {
                    assert_eq!(lane, Lane::Accelerate, "{region} {name}");
                    continue;
                };
                let plan = Plan::new(FileSize::new(1).unwrap(), 1);
                let target = Target::Part { key: "uploads/key", upload_id: "id" };
                let bucket = Bucket::in_aws(name, region, &[lane]);
                let signing = bucket.sign(0, &own(&credentials), SystemTime::now()).unwrap();
                let url = signing.put(target, plan.last(), None, Duration::from_secs(60)).url;
                let address = |url: &str| url.split('?').next().unwrap().to_owned();
                assert_eq!(address(&url), address(expected.uri()), "{region} {name} {lane:?}");
            }
        }
    }
}
