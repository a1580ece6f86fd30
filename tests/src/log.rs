//! Everything that is logged on one thread, at every level, from every crate.
//!
//! One subscriber serves the whole process and asks each thread whether its lines are kept. A
//! subscriber of a thread's own would miss lines: what is logged first on a thread without one is
//! taken for silenced everywhere.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

thread_local! {
    static KEPT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// The lines of a log. Tests that read it run on a current-thread runtime, so that the services'
/// tasks log on their thread.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
}

/// Ends the keeping when dropped.
#[derive(Debug)]
pub struct Keeping(());

impl Log {
    /// Keeps what is logged on this thread until the guard is dropped.
    pub fn keep() -> (Self, Keeping) {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
            let lines = lines.with_filter(dynamic_filter_fn(|_, _| kept().is_some()));
            let subscriber = tracing_subscriber::registry().with(lines);
            tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
        });
        let log = Self::default();
        KEPT.set(Some(log.clone()));
        (log, Keeping(()))
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&lines).into_owned()
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

/// The log of this thread, if its lines are kept. A thread that ends keeps nothing.
fn kept() -> Option<Log> {
    KEPT.try_with(|kept| kept.borrow().clone()).ok().flatten()
}

fn writer() -> Box<dyn io::Write> {
    match kept() {
        Some(log) => Box::new(log),
        None => Box::new(io::sink()),
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
