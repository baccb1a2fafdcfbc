//! What people see of the daemon over HTTP: the board, orders, health, metrics, and the pages.
//!
//! It has a thread and a runtime of its own and never delays the control thread: what it wants to know or ordered it
//! asks over a bounded channel ([`Ask`]), which is answered between two batches; what happens it is told over another
//! ([`Web::tell`]), which loses news rather than wait. Everything is bounded: connections, headers, bodies, streams,
//! sessions, what one user may ask, and what is kept of the past.
//!
//! | file | holds |
//! |---|---|
//! | `routes` | every route, who may use it, and what serves it |
//! | `server` | connections: limits, time-outs, headers of every answer |
//! | `gate`, `users`, `sessions`, `cookies`, `limits` | who asks, whether they may, and not too often |
//! | `oidc` | signing in by a provider |
//! | `board`, `day`, `news`, `stream`, `glance` | what is shown, counted and told, once for all who look |
//! | `orders`, `once` | what is ordered, and only once |
//! | `ladder` | one call, message by message |
//! | `audit` | who ordered what |
//! | `metrics` | health, and figures for Prometheus |
//! | `transports` | where SIP is spoken |
//! | `openapi` | the description for programs |
//! | `plans` | the configuration, shown and tried |
//! | `reports` | reports from the ledger |
//! | `pages` | the pages that are built in |

mod audit;
mod board;
mod cookies;
mod day;
mod gate;
mod glance;
mod ladder;
mod limits;
mod metrics;
mod news;
mod oidc;
mod once;
mod openapi;
mod orders;
mod pages;
mod plans;
mod problem;
mod reports;
mod routes;
mod server;
mod sessions;
mod stream;
mod transports;
mod users;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

pub use day::{Day, End, Finished, Targets};
pub use ladder::{Ladders, NoLadder};
pub use metrics::{Figures, Sample};
pub use plans::{Applied, Change, Checked, Found, NotApplied, Plans, Question, Version};
pub use reports::{Answer, Asked, Format, Kind, Limit, NoReport, Offer, Practice, Reports};
pub use transports::{Datagrams, Listener, Streams, Transports};
pub use users::{Users, digest, hashed};

use crate::access::Provider;
use crate::id::CallId;
use crate::switch::board::{Board, Callback, Caller, Case, Desk};
use crate::switch::{Event, Order, Refused};
use crate::time::Wall;

/// How many questions may wait for the control thread.
pub const MOST_ASKED: usize = 64;
/// How many events may wait to be told.
const MOST_UNTOLD: usize = 16_384;
/// How long what happens is gathered before it is counted and told.
const GATHER: Duration = Duration::from_millis(50);
/// How much lower the thread's priority is than that of calls: while they want the core too, it has a tenth of what they have.
const NICER: i32 = 10;
/// The lowest priority that Linux knows, by its own count, and the highest.
const LOWEST: i32 = 19;
const HIGHEST: i32 = -20;

/// What is asked of the control thread; whoever asks may be gone when the answer comes.
#[derive(Debug)]
pub enum Ask {
    /// The whole service.
    Board(oneshot::Sender<Board>),
    /// Every call that is up.
    Calls(oneshot::Sender<Vec<Caller>>),
    /// One call that is up.
    Call(CallId, oneshot::Sender<Option<Caller>>),
    /// What the agent of this name sees.
    Desk(String, oneshot::Sender<Option<Desk>>),
    /// The number of the last call.
    LastCall(oneshot::Sender<CallId>),
    /// Promised callbacks.
    Callbacks(oneshot::Sender<Vec<Callback>>),
    /// Cases that are not closed.
    Cases(oneshot::Sender<Vec<Case>>),
    /// Somebody's order; the error says why it was not obeyed.
    Order(Order, oneshot::Sender<Result<(), Refused>>),
    /// Where SIP is spoken.
    Transports(oneshot::Sender<Transports>),
    /// What is unwell, for people; nothing when all is well.
    Health(oneshot::Sender<Vec<String>>),
    /// Health and counts.
    Figures(oneshot::Sender<Figures>),
}

/// What it is started with.
pub struct Settings {
    /// The run of the daemon, by which clients tell one from the next.
    pub run: i64,
    /// Who may use it.
    pub users: Users,
    /// Who signs people in beside the interface itself.
    pub provider: Option<Provider>,
    /// How many requests of one user or address are served in the long run.
    pub requests_per_second: u32,
    /// The day, of which nothing is counted yet.
    pub day: Day,
    /// Calls that go on, which were there before.
    pub up: Vec<Caller>,
    /// Gives the calls of the day that were over before; it may take long, and holds nobody up.
    pub earlier: Box<dyn FnOnce() -> Vec<Finished> + Send>,
    /// When it began.
    pub since: Wall,
}

/// The interface, as the daemon holds it; it ends when this is dropped.
pub struct Web {
    address: SocketAddr,
    /// The thread ends when nobody can tell it anything any more.
    news: mpsc::Sender<(Wall, Event)>,
    shared: Arc<Shared>,
}

/// What all requests share.
struct Shared {
    run: i64,
    asks: mpsc::Sender<Ask>,
    users: RwLock<Arc<Users>>,
    sessions: Mutex<sessions::Sessions>,
    oidc: RwLock<Option<Arc<oidc::Oidc>>>,
    limits: Mutex<limits::Limits>,
    audit: Mutex<audit::Audit>,
    once: Mutex<once::Once>,
    day: Mutex<Day>,
    news: Mutex<news::News>,
    /// The number of the newest.
    newest: watch::Sender<u64>,
    /// News that did not fit through the channel.
    lost: AtomicBool,
    board: glance::Glance<board::Shown>,
    calls: glance::Glance<Arc<Vec<Caller>>>,
    metrics: glance::Glance<Bytes>,
    since: Wall,
    plans: Mutex<Option<Arc<dyn Plans>>>,
    reports: reports::Bureau,
    ladders: Mutex<Option<Arc<dyn Ladders>>>,
    /// One ladder at a time is read.
    reading: Arc<tokio::sync::Semaphore>,
    /// One password at a time is tried.
    trying: tokio::sync::Semaphore,
    /// One question about configurations at a time is answered.
    planning: Arc<tokio::sync::Semaphore>,
    /// And one simulation.
    simulating: Arc<tokio::sync::Semaphore>,
    /// Clients that are told news.
    streams: Arc<tokio::sync::Semaphore>,
}

impl Web {
    /// Serves on a listening socket; questions go to `asks`.
    pub fn start(listener: TcpListener, settings: Settings, asks: mpsc::Sender<Ask>) -> io::Result<Web> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let (news, told) = mpsc::channel(MOST_UNTOLD);
        let Settings { run, users, provider, requests_per_second, mut day, up, earlier, since } = settings;
        up.iter().for_each(|call| day.take_up(call));
        let shared = Arc::new(Shared {
            run,
            asks,
            users: RwLock::new(Arc::new(users)),
            sessions: Mutex::default(),
            oidc: RwLock::new(provider.map(|provider| Arc::new(oidc::Oidc::new(provider)))),
            limits: Mutex::new(limits::Limits::new(requests_per_second)),
            audit: Mutex::default(),
            once: Mutex::default(),
            day: Mutex::new(day),
            news: Mutex::new(news::News::of(run)),
            newest: watch::Sender::new(0),
            lost: AtomicBool::new(false),
            board: glance::Glance::default(),
            calls: glance::Glance::default(),
            metrics: glance::Glance::default(),
            since,
            plans: Mutex::default(),
            reports: reports::Bureau::default(),
            ladders: Mutex::default(),
            reading: Arc::new(tokio::sync::Semaphore::new(1)),
            trying: tokio::sync::Semaphore::new(1),
            planning: Arc::new(tokio::sync::Semaphore::new(1)),
            simulating: Arc::new(tokio::sync::Semaphore::new(1)),
            streams: Arc::new(tokio::sync::Semaphore::new(stream::MOST)),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = Arc::clone(&shared);
        thread::Builder::new().name("web".into()).spawn(move || {
            be_nicer_by(NICER);
            runtime.block_on(async {
                tokio::spawn(count(earlier, Arc::clone(&served)));
                tokio::select! {
                    () = server::serve(listener, Arc::clone(&served)) => {}
                    () = follow(told, &served) => {}
                }
            });
            // A password that is being tried is nobody's concern any more.
            runtime.shutdown_background();
        })?;
        Ok(Web { address, news, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Something happened; costs a copy and never waits.
    pub fn tell(&self, at: Wall, event: &Event) {
        if !news::is_told(event) {
            return;
        }
        if self.news.try_send((at, event.clone())).is_err() {
            self.shared.lost.store(true, Relaxed);
        }
    }

    /// Lets configurations be shown and tried.
    pub fn show_plans(&self, plans: Arc<dyn Plans>) {
        *locked(&self.shared.plans) = Some(plans);
    }

    /// Lets reports be made.
    pub fn show_reports(&self, reports: Arc<dyn Reports>) {
        self.shared.reports.open(reports);
    }

    /// Lets the ladders of calls be read.
    pub fn show_ladders(&self, ladders: Arc<dyn Ladders>) {
        *locked(&self.shared.ladders) = Some(ladders);
    }

    /// Other users from now on. Sessions of those who are gone end with them.
    pub fn set_users(&self, users: Users) {
        *self.shared.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
    }

    /// Another provider from now on, or none; whoever is at the old one just now begins again.
    pub fn set_provider(&self, provider: Option<Provider>) {
        let mut oidc = self.shared.oidc.write().unwrap_or_else(PoisonError::into_inner);
        if oidc.as_ref().map(|oidc| oidc.provider()) != provider.as_ref() {
            *oidc = provider.map(|provider| Arc::new(oidc::Oidc::new(provider)));
        }
    }
}

/// Counts the calls of the day that were over before.
async fn count(earlier: Box<dyn FnOnce() -> Vec<Finished> + Send>, shared: Arc<Shared>) {
    // Should it panic, the day's counts begin at nothing.
    let over = tokio::task::spawn_blocking(earlier).await.unwrap_or_default();
    let mut day = locked(&shared.day);
    over.iter().for_each(|call| day.count(call));
}

/// Takes in what happens, until nobody is there to tell it: what came within [`GATHER`] together, so that the control
/// thread, which tells it, has not this thread to wake and to share its core with at every event.
async fn follow(mut told: mpsc::Receiver<(Wall, Event)>, shared: &Shared) {
    let mut gathered = Vec::new();
    while told.recv_many(&mut gathered, MOST_UNTOLD).await > 0 {
        take_in(gathered.drain(..), shared);
        tokio::time::sleep(GATHER).await;
    }
}

/// Counts what happened and makes it news.
fn take_in(happened: impl Iterator<Item = (Wall, Event)>, shared: &Shared) {
    let mut day = locked(&shared.day);
    let mut news = locked(&shared.news);
    if shared.lost.swap(false, Relaxed) {
        news.lose(wall());
    }
    for (at, event) in happened {
        day.event(at, &event);
        news.push(at, event);
    }
    shared.newest.send_replace(news.last());
}

impl Shared {
    /// Asks the control thread.
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, problem::Problem> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| problem::Problem::gone())?;
        answered.await.map_err(|_| problem::Problem::gone())
    }

    fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn oidc(&self) -> Option<Arc<oidc::Oidc>> {
        self.oidc.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes room for one more, where there are as many as may be: whatever is the first by `at` goes.
fn make_room<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, most: usize, at: impl Fn(&V) -> Instant) {
    if map.len() >= most
        && let Some(first) = map.iter().min_by_key(|(_, entry)| at(entry)).map(|(key, _)| key.clone())
    {
        map.remove(&first);
    }
}

/// A lock that another request cannot have left in disorder: each changes one thing at a time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on this thread takes of the machine's time what no other wants; so it must hold nothing that others wait for.
pub fn give_way() {
    be_nicer_by(LOWEST - HIGHEST);
}

/// Lowers the priority of this thread by so much.
fn be_nicer_by(more: i32) {
    // Linux has priorities by thread, whatever the names of the calls say.
    let now = rustix::process::getpriority_process(None);
    let lowered = now.and_then(|now| rustix::process::setpriority_process(None, LOWEST.min(now + more)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "this is done at the usual priority");
    }
}

/// Set once nobody waits for an answer any more.
#[derive(Default)]
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// The wall clock.
fn wall() -> Wall {
    Wall(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// An interface of which nobody is a user.
    pub(super) fn started(earlier: Box<dyn FnOnce() -> Vec<Finished> + Send>) -> (Web, mpsc::Receiver<Ask>) {
        let targets = Targets { routine: Duration::from_secs(60), emergency: Duration::from_secs(5) };
        let settings = Settings {
            run: 1,
            users: Users::default(),
            provider: None,
            requests_per_second: 20,
            day: Day::new("Europe/London", targets, wall()),
            up: Vec::new(),
            earlier,
            since: wall(),
        };
        let (asks, asked) = mpsc::channel(MOST_ASKED);
        (Web::start(TcpListener::bind("127.0.0.1:0").unwrap(), settings, asks).unwrap(), asked)
    }

    #[test]
    fn a_thread_comes_after_those_of_calls_and_no_other_with_it() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let lowered = move || {
            be_nicer_by(NICER);
            let lower = nice();
            give_way();
            (lower, nice())
        };
        let lowered = thread::spawn(lowered).join().unwrap();
        assert_eq!(lowered, (LOWEST.min(before + NICER), LOWEST));
        assert_eq!(nice(), before);
    }

    #[test]
    fn health_waits_for_no_ledger_and_counts_nothing() {
        let (go_on, held_up) = std::sync::mpsc::channel::<()>();
        // A disk that hangs.
        let (web, mut asked) = started(Box::new(move || {
            let _ = held_up.recv();
            Vec::new()
        }));
        assert!(get(web.address(), "/healthz").ends_with("live\n"));
        let address = web.address();
        let ready = thread::spawn(move || get(address, "/readyz"));
        match asked.blocking_recv() {
            Some(Ask::Health(to)) => to.send(vec!["a media thread died".to_owned()]).unwrap(),
            other => panic!("{other:?} was asked"),
        }
        let ready = ready.join().unwrap();
        assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("a media thread died"), "{ready}");
        drop(go_on);
    }
}
