//! Names and connections: the system's, or those of a test, which can lie about a name and see
//! where it is connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::net::{TcpStream, lookup_host};

/// Finds and reaches hosts.
pub trait Network: fmt::Debug + Send + Sync {
    /// Every address of a host name.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// A connection to exactly this address.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// The system's resolver and sockets.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Network for System {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async move { Ok(lookup_host((host, 0)).await?.map(|found| found.ip()).collect()) }.boxed()
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        TcpStream::connect(address).boxed()
    }
}
