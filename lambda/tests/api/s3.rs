//! A fake S3. It records the calls that it receives, and gives the answers that the test sets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use directput_lambda::storage::Storage;

pub const BUCKET: &str = "bucket";

/// A call that S3 has received.
#[derive(Debug, Clone)]
pub struct S3Call {
    pub method: String,
    pub url: String,
    pub body: String,
    headers: Vec<(String, String)>,
}

impl S3Call {
    /// Returns the value of a header, or an empty text if the header is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(candidate, _)| candidate == name).map_or("", |(_, value)| value)
    }
}

#[derive(Debug, Clone, Default)]
pub struct S3 {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    calls: Arc<Mutex<Vec<S3Call>>>,
}

impl S3 {
    /// Adds an answer. Each call gets the next answer, in the order in which they were added.
    pub fn answers(&self, status: u16, xml: &str) {
        self.answers.lock().unwrap().push_back((status, xml.to_owned()));
    }

    /// Adds a call without an answer: the call never ends.
    pub fn is_silent(&self) {
        self.answers(0, "");
    }

    /// Adds an answer with an error code of S3.
    pub fn refuses(&self, status: u16, code: &str) {
        self.answers(status, &format!("<Error><Code>{code}</Code><RequestId>R</RequestId></Error>"));
    }

    /// Returns the calls that were received since the previous `take_calls`.
    pub fn take_calls(&self) -> Vec<S3Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Returns a bucket in this S3.
    pub async fn bucket(&self) -> Storage {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Storage::open(config, Credentials::new("AKID", "secret", None, None, "test"), BUCKET).await.unwrap()
    }
}

impl HttpConnector for S3 {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.calls.lock().unwrap().push(S3Call {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
            headers: headers.collect(),
        });
        let (status, xml) = self.answers.lock().unwrap().pop_front().expect("the test sets an answer for each call");
        if status == 0 {
            return HttpConnectorFuture::new(std::future::pending());
        }
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(xml))))
    }
}
