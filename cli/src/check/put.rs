//! A presigned PUT, and changed copies of it.

use reqwest::Method;

/// A presigned PUT that the API has signed, or a copy with a change.
#[derive(Debug, Clone)]
pub struct SignedPut {
    /// Method: PUT, unless changed.
    pub method: Method,
    /// Presigned URL. It is a secret until it expires.
    pub url: String,
    /// Headers that the API named.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Lifetime that the API named, in seconds.
    pub expires_in_seconds: u64,
}

impl SignedPut {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the name of the header with the checksum.
    pub fn checksum_header(&self) -> Option<&str> {
        let mut names = self.headers.iter().map(|(name, _)| name.as_str());
        names.find(|name| name.to_ascii_lowercase().starts_with("x-amz-checksum-"))
    }

    /// Returns the lower-case names of the headers, in alphabetical order, as a browser sends them in a preflight.
    pub fn header_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names
    }

    /// Returns the value of a parameter of the URL as it is, percent-encoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.url.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the names of the signed headers in the URL, or `None` if the URL has no signature of version 4.
    pub fn signed_headers(&self) -> Option<Vec<String>> {
        let names = self.query("X-Amz-SignedHeaders")?;
        Some(
            names
                .split("%3B")
                .flat_map(|names| names.split("%3b"))
                .flat_map(|names| names.split(';'))
                .map(str::to_ascii_lowercase)
                .collect(),
        )
    }

    /// Returns the URL without its query, which contains the signature.
    pub fn address(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// Returns the URL of the bucket: the address without the key. Returns `None` if the address does not end with the
    /// key.
    pub fn bucket_address(&self, key: &str) -> Option<&str> {
        self.address().strip_suffix(key)
    }

    /// Returns a copy with another body.
    pub fn with_body(&self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self.clone() }
    }

    /// Returns a copy with a header that is replaced or added.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut put = self.clone();
        put.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        put.headers.push((name.to_owned(), value.to_owned()));
        put
    }

    /// Returns a copy with another method, and without a body.
    pub fn with_method(&self, method: Method) -> Self {
        Self { method, body: Vec::new(), ..self.clone() }
    }

    /// Returns a copy for another key in the same folder. The first character of the last segment is changed.
    pub fn with_other_key(&self) -> Self {
        let at = self.address().rfind('/').map_or(0, |at| at + 1);
        let first = if self.url[at..].starts_with('0') { "1" } else { "0" };
        let rest = self.url[at..].char_indices().nth(1).map_or("", |(next, _)| &self.url[at + next..]);
        Self { url: format!("{}{first}{rest}", &self.url[..at]), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(url: &str) -> SignedPut {
        let headers = vec![("X-Amz-Checksum-Sha256".to_owned(), "x".to_owned()), ("a".to_owned(), "b".to_owned())];
        SignedPut { method: Method::PUT, url: url.to_owned(), headers, body: Vec::new(), expires_in_seconds: 60 }
    }

    #[test]
    fn the_parts_of_a_url_are_found() {
        let put = put("http://s3/b/uploads/ab.png?x=1&X-Amz-SignedHeaders=content-length%3Bhost");
        assert_eq!(put.signed_headers().unwrap_or_default(), ["content-length", "host"]);
        assert_eq!(put.bucket_address("uploads/ab.png"), Some("http://s3/b/"));
        assert_eq!(put.bucket_address("uploads/cd.png"), None);
        assert_eq!(put.header_names(), ["a", "x-amz-checksum-sha256"]);
        assert_eq!(put.checksum_header(), Some("X-Amz-Checksum-Sha256"));
        assert_eq!(put.with_other_key().address(), "http://s3/b/uploads/0b.png");
        assert_eq!(put.with_other_key().with_other_key().address(), "http://s3/b/uploads/1b.png");
    }
}
