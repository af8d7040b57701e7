//! Reads CORS headers as browsers do (Fetch standard, "CORS check" and "CORS-preflight fetch").
//!
//! Requests have no cookies by default, as in the browser module. A star then allows everything except the header
//! `authorization`. For requests with cookies, a star allows nothing.

use serde_json::json;

use super::probe::{Answer, Probe};
use super::put::SignedPut;
use super::report::Finding;

/// Outcome of a preflight: what a browser would object to.
#[derive(Debug, Default)]
pub struct Preflight {
    /// Status, if it is not from 200 to 299.
    pub bad_status: Option<u16>,
    /// Whether `Access-Control-Allow-Origin` admits the page.
    pub allows_origin: bool,
    /// Whether the method is allowed.
    pub allows_method: bool,
    /// Headers that are not allowed.
    pub refused_headers: Vec<String>,
    /// `Access-Control-Max-Age` in seconds.
    pub max_age: Option<u64>,
}

/// Returns the items of a header that is a list.
fn list<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let values = answer.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// The page whose requests a server has to allow.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Origin.
    pub origin: &'a str,
    /// Whether its requests have cookies.
    pub sends_cookies: bool,
}

impl<'a> Page<'a> {
    /// Returns the page as the API sees it: it may send cookies.
    pub fn to_api(probe: &'a Probe) -> Self {
        Self { origin: &probe.origin, sends_cookies: probe.headers.contains_key("cookie") }
    }

    /// Returns the page as the bucket sees it. It never sends cookies there.
    pub fn to_bucket(probe: &'a Probe) -> Self {
        Self { origin: &probe.origin, sends_cookies: false }
    }

    /// Returns whether the page may read the answer.
    pub fn may_read(self, answer: &Answer) -> bool {
        // Two headers of this name are joined by the browser, and the result equals no origin.
        let values: Vec<_> = answer.headers.get_all("access-control-allow-origin").iter().collect();
        let [only] = values.as_slice() else { return false };
        match self.sends_cookies {
            true => *only == self.origin && answer.header("access-control-allow-credentials") == Some("true"),
            false => *only == "*" || *only == self.origin,
        }
    }

    fn may_use(self, method: &str, answer: &Answer) -> bool {
        // The methods GET, HEAD and POST need no permission. Upper and lower case differ.
        let allowed = list(answer, "access-control-allow-methods");
        let has_star = !self.sends_cookies && allowed.contains(&"*");
        ["GET", "HEAD", "POST"].contains(&method) || has_star || allowed.contains(&method)
    }

    fn may_send(self, header: &str, answer: &Answer) -> bool {
        let is_starred = !self.sends_cookies && header != "authorization";
        let allowed = list(answer, "access-control-allow-headers");
        allowed.iter().any(|other| other.eq_ignore_ascii_case(header) || (*other == "*" && is_starred))
    }

    /// Returns the headers of `wanted` that the page can't read.
    pub fn hidden<'n>(self, answer: &Answer, wanted: &[&'n str]) -> Vec<&'n str> {
        let exposed = list(answer, "access-control-expose-headers");
        let has_star = !self.sends_cookies && exposed.contains(&"*");
        let is_exposed = |name: &str| has_star || exposed.iter().any(|other| other.eq_ignore_ascii_case(name));
        wanted.iter().copied().filter(|name| !is_exposed(name)).collect()
    }
}

impl Preflight {
    /// Sends the preflight of a request, and further ones if a server such as S3 refuses it as a whole, to find the
    /// reason.
    ///
    /// # Errors
    /// A failed check if there is no answer.
    pub async fn of(
        probe: &Probe,
        page: Page<'_>,
        url: &str,
        method: &str,
        headers: &[String],
    ) -> Result<Self, Finding> {
        let origin = page.origin;
        let whole = probe.preflight(url, origin, method, headers).await?;
        let max_age =
            |answer: &Answer| answer.header("access-control-max-age").and_then(|text| text.trim().parse().ok());
        let refused =
            |answer: &Answer| headers.iter().filter(|name| !page.may_send(name, answer)).cloned().collect::<Vec<_>>();
        if whole.is_success() {
            return Ok(Self {
                bad_status: None,
                allows_origin: page.may_read(&whole),
                allows_method: page.may_use(method, &whole),
                refused_headers: refused(&whole),
                max_age: max_age(&whole),
            });
        }
        let bare = probe.preflight(url, origin, method, &[]).await?;
        if bare.is_success() {
            let mut refused_headers = Vec::new();
            for header in headers {
                let single = probe.preflight(url, origin, method, std::slice::from_ref(header)).await?;
                if !single.is_success() || !page.may_send(header, &single) {
                    refused_headers.push(header.clone());
                }
            }
            return Ok(Self {
                // If each header alone is allowed, the status has another reason.
                bad_status: refused_headers.is_empty().then_some(whole.status),
                allows_origin: page.may_read(&bare),
                allows_method: page.may_use(method, &bare),
                refused_headers,
                max_age: max_age(&bare),
            });
        }
        for other in ["GET", "HEAD", "POST", "PUT", "DELETE"].iter().filter(|other| **other != method) {
            let answer = probe.preflight(url, origin, other, &[]).await?;
            if answer.is_success() && page.may_read(&answer) {
                return Ok(Self { allows_origin: true, max_age: max_age(&answer), ..Self::default() });
            }
        }
        Ok(Self { bad_status: Some(whole.status), allows_method: true, ..Self::default() })
    }
}

/// Headers of S3's answers that the browser module reads (`src/browser/put.rs`).
pub const BUCKET_EXPOSED: [&str; 5] =
    ["etag", "retry-after", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha256", "x-amz-request-id"];

/// Returns the CORS rule of a bucket that admits the page, in the form of `aws s3api put-bucket-cors`.
pub fn bucket_rule(origin: &str, put: &SignedPut) -> String {
    let known = ["content-disposition", "content-encoding", "content-type", "if-none-match"];
    let more = ["x-amz-checksum-crc64nvme", "x-amz-checksum-sha256", "x-amz-meta-name"];
    let mut headers: Vec<_> = known.iter().chain(&more).map(|name| (*name).to_owned()).collect();
    headers.extend(put.header_names());
    headers.sort();
    headers.dedup();
    let rule = json!({
        "AllowedOrigins": [origin],
        "AllowedMethods": ["PUT"],
        "AllowedHeaders": headers,
        "ExposeHeaders": BUCKET_EXPOSED,
        "MaxAgeSeconds": 3000,
    });
    format!("The bucket needs this CORS rule: {}", json!({ "CORSRules": [rule] }))
}

/// Returns the CORS headers that the API has to answer with.
pub fn api_rule(probe: &Probe) -> String {
    let mut headers = probe.header_names();
    headers.extend(["content-type", "upload-token"].map(str::to_owned));
    headers.sort();
    headers.dedup();
    let rule = json!({
        "AllowOrigins": [probe.origin],
        "AllowMethods": ["GET", "POST", "DELETE"],
        "AllowHeaders": headers,
        "ExposeHeaders": ["x-request-id", "retry-after"],
        "MaxAge": 3000,
        "AllowCredentials": probe.headers.contains_key("cookie"),
    });
    format!("The API needs this CORS configuration, here in the form of API Gateway: {rule}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let pairs = headers.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::try_from(*name).expect("a name");
            (name, reqwest::header::HeaderValue::try_from(*value).expect("a value"))
        });
        Answer { status: 200, headers: pairs.collect(), body: Vec::new() }
    }

    #[test]
    fn headers_are_read_as_browsers_read_them() {
        let page = Page { origin: "https://a.example", sends_cookies: false };
        let may_read = |value| page.may_read(&answer(&[("access-control-allow-origin", value)]));
        assert!(may_read("*") && may_read("https://a.example"));
        assert!(!may_read("https://a.example/") && !may_read("https://A.example") && !may_read("null"));
        let allowed = answer(&[("access-control-allow-headers", "*"), ("access-control-allow-methods", "PUT, delete")]);
        assert!(page.may_send("upload-token", &allowed) && !page.may_send("authorization", &allowed));
        assert!(page.may_use("PUT", &allowed) && page.may_use("POST", &allowed));
        assert!(!page.may_use("DELETE", &allowed), "methods have to be written in upper case");
        let exposed = answer(&[("access-control-expose-headers", "ETag,  Retry-After")]);
        assert_eq!(page.hidden(&exposed, &["etag", "retry-after", "x-request-id"]), ["x-request-id"]);
    }

    #[test]
    fn a_star_allows_nothing_to_requests_with_cookies() {
        let page = Page { origin: "https://a.example", sends_cookies: true };
        let named = [("access-control-allow-origin", "https://a.example")];
        let cookies = ("access-control-allow-credentials", "true");
        assert!(page.may_read(&answer(&[named[0], cookies])) && !page.may_read(&answer(&named)));
        let stars = answer(&[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "*"),
            ("access-control-allow-headers", "*"),
            ("access-control-expose-headers", "*"),
            cookies,
        ]);
        assert!(!page.may_read(&stars) && !page.may_use("DELETE", &stars) && !page.may_send("upload-token", &stars));
        assert_eq!(page.hidden(&stars, &["x-request-id"]), ["x-request-id"]);
    }
}
