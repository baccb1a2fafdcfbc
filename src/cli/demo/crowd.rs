//! Everybody with a phone: agents from the beginning, callers as they come.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::dice::{self, Dice};
use super::phone::agent::Agent;
use super::phone::caller::{Caller, Script};
use super::phone::{self, Phone, Report, Voice};
use super::stage::{self, Sockets, Source};
use super::story::Visit;

/// The phones that are switched on.
pub(super) struct Crowd {
    seed: u64,
    hub: SocketAddr,
    sources: Vec<Source>,
    phones: JoinSet<io::Result<()>>,
    closing: watch::Sender<bool>,
    reporter: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
}

/// A call that was just placed.
pub(super) struct Placed {
    /// Its Call-ID.
    pub(super) call_id: String,
    /// Its caller's voice.
    pub(super) voice: Voice,
}

impl Crowd {
    /// No phones yet; the hub's address, and where callers come from by trunk.
    pub(super) fn new(seed: u64, hub: SocketAddr, sources: Vec<Source>) -> Crowd {
        let (reporter, reports) = mpsc::unbounded_channel();
        Crowd {
            seed,
            hub,
            sources,
            phones: JoinSet::new(),
            closing: watch::Sender::new(false),
            reporter,
            reports,
        }
    }

    /// Seats the agents; they never miss callers of the lines named.
    pub(super) fn seat(
        &mut self,
        phones: Vec<stage::Phone>,
        emergency_lines: BTreeSet<String>,
    ) -> io::Result<()> {
        let emergency_lines = Arc::new(emergency_lines);
        for (nth, stage::Phone { name, sockets }) in phones.into_iter().enumerate() {
            let dice = Dice::new(self.seed, dice::agent(nth));
            let agent = Agent::new((nth, &name), sockets.addresses()?, Arc::clone(&emergency_lines), dice);
            self.switch_on(agent, sockets);
        }
        Ok(())
    }

    /// The n-th caller calls.
    pub(super) fn call(&mut self, nth: u64, visit: &Visit, now: Instant) -> io::Result<Option<Placed>> {
        let Some(source) = self.sources.get(visit.trunk) else { return Ok(None) };
        let sockets = Sockets::open(source.host)?;
        let voice = Voice::of_caller(usize::try_from(nth).unwrap_or_default());
        let script = Script {
            dialled: source.dialled.clone(),
            // Numbers that are set aside for drama.
            number: format!("+447700900{:03}", nth % 1_000),
            hub: self.hub,
            patience: visit.patience,
            talk: visit.talk,
            voice,
        };
        let caller = Caller::new(script, sockets.addresses()?, Dice::new(self.seed, dice::caller(nth)), now);
        let call_id = caller.call_id().to_owned();
        self.switch_on(caller, sockets);
        Ok(Some(Placed { call_id, voice }))
    }

    /// All callers hang up.
    pub(super) fn send_home(&self) {
        self.closing.send_replace(true);
    }

    /// What a phone tells. Safe to drop and call again.
    pub(super) async fn report(&mut self) -> Report {
        loop {
            tokio::select! {
                Some(report) = self.reports.recv() => return report,
                // Forgets the phones of callers who are gone.
                Some(_) = self.phones.join_next() => {}
            }
        }
    }

    /// What a phone tells within this time.
    pub(super) async fn last_report(&mut self, within: Duration) -> Option<Report> {
        tokio::time::timeout(within, self.report()).await.ok()
    }

    fn switch_on(&mut self, phone: impl Phone + Send + 'static, sockets: Sockets) {
        self.phones.spawn(phone::live(phone, sockets, self.closing.subscribe(), self.reporter.clone()));
    }
}
