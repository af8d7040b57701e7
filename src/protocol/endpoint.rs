//! The address of the signing API.

/// Address of the API, such as `https://example.com/uploads?tenant=7`. Every call has the query of this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    query: Option<String>,
}

impl Endpoint {
    /// Creates an endpoint from a URL or a path. Drops slashes at the end of the path, and a fragment.
    pub fn new(address: &str) -> Self {
        let address = address.split_once('#').map_or(address, |(address, _)| address);
        let (base, query) = match address.split_once('?') {
            Some((base, query)) => (base, Some(query.to_owned()).filter(|query| !query.is_empty())),
            None => (address, None),
        };
        Self { base: base.trim_end_matches('/').to_owned(), query }
    }

    /// Returns the address of a call. `path` is empty or begins with a slash, and may have a query.
    pub fn of(&self, path: &str) -> String {
        let mut address = self.base.clone() + path;
        if let Some(query) = &self.query {
            address.push(if path.contains('?') { '&' } else { '?' });
            address.push_str(query);
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_the_query_of_the_endpoint() {
        for (address, path, expected) in [
            ("/uploads", "", "/uploads"),
            ("/uploads/", "/parts", "/uploads/parts"),
            ("https://a.example/uploads?tenant=7", "", "https://a.example/uploads?tenant=7"),
            ("/uploads/?tenant=7", "/parts?after=3", "/uploads/parts?after=3&tenant=7"),
            ("/uploads?a=1&b=/", "/complete", "/uploads/complete?a=1&b=/"),
            ("/uploads?", "/parts", "/uploads/parts"),
            ("/uploads?a=1#top", "/parts", "/uploads/parts?a=1"),
        ] {
            assert_eq!(Endpoint::new(address).of(path), expected, "{address} {path}");
        }
    }
}
