//! The gateway in a process of its own, for tests that read its memory: configured by the
//! environment, it prints its address and ends when its standard input does.

use std::error::Error;
use std::io::{Read as _, Write as _};

use gateway::{Config, Flags};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (config, _) = Config::resolve(&Flags::default(), std::env::vars())?;
    let gateway = gateway::start(config).await?;
    writeln!(std::io::stdout(), "{}", gateway.addr())?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    gateway.shutdown().await;
    Ok(())
}
