//! Addresses of host names, as browsers resolve them.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names that end with `.localhost` to this machine (RFC 6761, section 6.3). Browsers do the same, but not all
/// resolvers of operating systems. All other names are resolved by the operating system.
#[derive(Debug)]
pub struct LikeBrowsers;

impl Resolve for LikeBrowsers {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Addrs = match name.as_str().to_ascii_lowercase().ends_with(".localhost") {
                true => Box::new(std::iter::once(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))),
                false => Box::new(tokio::net::lookup_host((name.as_str(), 0)).await?.collect::<Vec<_>>().into_iter()),
            };
            Ok(addresses)
        })
    }
}
