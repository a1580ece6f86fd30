//! One request whose answer is the same each time, put to the gateway and, at the same number of
//! bytes, to the floor.

use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::Value;

use super::{Plan, pairwise, side_figures};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::load::{Operation, Round, Side, steadily, take_turns};
use crate::server::{Running, Server};

pub(super) const CONNECTIONS: usize = 32;

/// A request of a gateway's.
pub(super) struct Question<'a> {
    /// The gateway.
    pub(super) gateway: &'a Running,
    /// Makes the request for whoever listens there.
    pub(super) request: &'a dyn Fn(SocketAddr) -> Vec<u8>,
    /// What the answer must hold, as a JSON pointer.
    pub(super) member: &'static str,
}

/// What it came to.
pub(super) struct Compared {
    /// The length of each answer.
    pub(super) answer_bytes: usize,
    /// The figures.
    pub(super) figures: Vec<Figure>,
    /// The gateway's rounds.
    pub(super) gateway: Vec<Round>,
}

impl Question<'_> {
    /// Asks both in turn, as fast as they answer; the gateway is hoped to reach the share `least` of
    /// the floor's throughput.
    pub(super) async fn against_floor(&self, plan: &Plan, least: f64) -> Result<Compared, Error> {
        let gateway_side = self.side(self.gateway).await?;
        let answer = &gateway_side.operation.answer;
        let holds = |answer: Value| answer.pointer(self.member).is_some();
        if !serde_json::from_slice(answer).is_ok_and(holds) {
            return Err(Error::wrong(self.member, answer));
        }
        let answer_bytes = answer.len();
        let floor = Running::start(&Server::Floor { answer_bytes }).await?;
        let floor_side = self.side(&floor).await?;
        if floor_side.operation.answer.len() != answer_bytes {
            return Err(Error::wrong("the gateway's length", &floor_side.operation.answer));
        }
        let [floor, gateway] = take_turns(plan, CONNECTIONS, &[floor_side, gateway_side]).await?;
        let mut figures = side_figures("floor", &floor);
        figures.extend(side_figures("gateway", &gateway));
        let ratios =
            pairwise(&floor, &gateway, |floor, gateway| gateway.per_second() / floor.per_second());
        let ratio = Figure::new("throughput, gateway / floor", Unit::Ratio, ratios);
        figures.push(ratio.hoped(Target::AtLeast(least)));
        Ok(Compared { answer_bytes, figures, gateway })
    }

    /// Asks the gateway alone, at a steady rate.
    pub(super) async fn at_rate(&self, plan: &Plan, per_second: f64) -> Result<Vec<Round>, Error> {
        let side = self.side(self.gateway).await?;
        steadily(plan, CONNECTIONS, per_second, &side).await
    }

    /// A server with the request that it is to answer as it does the first time.
    pub(super) async fn side<'s>(&self, server: &'s Running) -> Result<Side<'s, Same>, Error> {
        let request = (self.request)(server.addr);
        let mut connection = Connection::open(server.addr).await?;
        let answer = Bytes::copy_from_slice(connection.ask(&request).await?);
        Ok(Side { server, operation: Same { request: request.into(), answer } })
    }
}

/// One request again and again, whose answer is the same bytes each time.
#[derive(Debug, Clone)]
pub(super) struct Same {
    request: Bytes,
    answer: Bytes,
}

impl Operation for Same {
    async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let answer = connection.ask(&self.request).await?;
        if answer == self.answer {
            Ok(())
        } else {
            Err(Error::wrong("the same answer as before", answer))
        }
    }
}
