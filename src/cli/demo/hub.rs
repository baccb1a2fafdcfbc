//! The real daemon, on a runtime and a thread of its own, watched from outside.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::call::record::CallRecord;
use crate::config::Deployment;
use crate::daemon::{Daemon, Failure, Observer, Order, Past};
use crate::switch::Event;

/// What the daemon lets its observers know.
#[derive(Debug)]
pub(super) enum News {
    /// Something happened, when.
    Event(Instant, Event),
    /// A call is over.
    Record(Box<CallRecord>),
}

/// A daemon that runs.
pub(super) struct Hub {
    /// Where it listens for SIP.
    pub(super) address: SocketAddr,
    /// Where it serves the web interface.
    pub(super) web: Option<SocketAddr>,
    /// What happens; ends when the daemon has.
    pub(super) news: mpsc::UnboundedReceiver<News>,
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<Result<(), Failure>>,
}

/// Why there is no daemon, or no longer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Down {
    /// It could not start or go on.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// It has no thread or runtime.
    #[error("cannot start the daemon's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// It ended in a way that it never should.
    #[error("the daemon panicked")]
    Panicked,
}

impl Hub {
    /// Starts the daemon and waits until it listens; `listener` is the position of the address wanted.
    pub(super) async fn open(deployment: Deployment, listener: usize) -> Result<Hub, Down> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, received) = mpsc::channel(8);
        let (teller, news) = mpsc::unbounded_channel();
        let (ready, started) = oneshot::channel();
        let thread = thread::Builder::new().name("hearken".into()).spawn(move || {
            runtime.block_on(async move {
                let daemon = Daemon::start(deployment, Past::default(), received, Teller(teller))?;
                let _ = ready.send((daemon.addresses(), daemon.web_address()));
                daemon.run().await.map(drop)
            })
        })?;
        let started = started.await.ok();
        match started.and_then(|(addresses, web)| Some((addresses.get(listener)?.1, web))) {
            Some((address, web)) => Ok(Hub { address, web, news, orders, thread }),
            None => Err(join(thread).err().unwrap_or(Down::Panicked)),
        }
    }

    /// Gives an order; one that a daemon which has ended cannot take is of no more use.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// Waits for the end of the daemon.
    pub(super) fn close(self) -> Result<(), Down> {
        join(self.thread)
    }
}

fn join(thread: JoinHandle<Result<(), Failure>>) -> Result<(), Down> {
    thread.join().map_err(|_| Down::Panicked)?.map_err(Down::Failed)
}

struct Teller(mpsc::UnboundedSender<News>);

impl Observer for Teller {
    fn event(&mut self, event: &Event) {
        let _ = self.0.send(News::Event(Instant::now(), event.clone()));
    }

    fn record(&mut self, record: &CallRecord) {
        let _ = self.0.send(News::Record(Box::new(record.clone())));
    }
}
