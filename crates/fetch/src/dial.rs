//! From a URL to a connection: what is allowed is decided here, and nowhere else.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::address::{Reach, reach};
use crate::{Error, Network};

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin> Stream for T {}

/// A URL as we fetch it, relative to the one that redirects to it if there is one.
pub(crate) fn parse(text: &str, base: Option<&Url>) -> Result<Url, Error> {
    // The URL standard's own parser: whatever way a host is written in, it is one host afterwards.
    let url = Url::options().base_url(base).parse(text).map_err(|_| Error::NotAllowed)?;
    let plain = url.username().is_empty() && url.password().is_none();
    if plain && matches!(url.scheme(), "https" | "http") { Ok(url) } else { Err(Error::NotAllowed) }
}

/// Looks the host up once, checks every address, and connects to one of them.
pub(crate) async fn dial(
    url: &Url,
    network: &dyn Network,
    tls: &TlsConnector,
    allow_private: bool,
) -> Result<Box<dyn Stream>, Error> {
    let host = url.host().ok_or(Error::NotAllowed)?;
    let port = url.port_or_known_default().ok_or(Error::NotAllowed)?;
    let addresses = match host {
        Host::Domain(name) => network.resolve(name).await.map_err(|_| Error::NotAllowed)?,
        Host::Ipv4(address) => vec![address.into()],
        Host::Ipv6(address) => vec![address.into()],
    };
    let is_secure = url.scheme() == "https";
    let allowed = |address: &IpAddr| match reach(*address) {
        Reach::Public => is_secure,
        Reach::Private => allow_private,
        Reach::Never => false,
    };
    if addresses.is_empty() || !addresses.iter().all(allowed) {
        return Err(Error::NotAllowed);
    }
    let stream = connect(&addresses, port, network).await?;
    if !is_secure {
        return Ok(Box::new(stream));
    }
    let name = match host {
        Host::Domain(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| Error::NotAllowed)?
        }
        Host::Ipv4(address) => ServerName::from(IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(address)),
    };
    let secured = tls.connect(name, stream).await;
    Ok(Box::new(secured.map_err(|error| Error::NotConnected { source: error.into() })?))
}

/// The first address that answers.
async fn connect(
    addresses: &[IpAddr],
    port: u16,
    network: &dyn Network,
) -> Result<TcpStream, Error> {
    let mut last = Error::NotAllowed;
    for address in addresses {
        match network.connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Error::NotConnected { source: error.into() },
        }
    }
    Err(last)
}
