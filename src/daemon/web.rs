//! The interface that people see, as the daemon serves it: it is started, told what happens, and answered.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::config::WebSettings;
use crate::flight;
use crate::id::CallId;
use crate::ledger::report::{CallRow, Kind, Rows as _};
use crate::ledger::{Period, Reader};
use crate::net::hep;
use crate::sip::{ListenerId, Transport};
use crate::switch::{Event, Order, Refused, Switch};
use crate::time::{Now, Wall};
use crate::web::{
    self, Ask, Datagrams, Day, End, Figures, Finished, Listener, Plans, Reports, Sample, Streams, Targets,
};
use crate::web::{Transports, Users, Web};

use super::{Daemon, Observer, trace};

/// Starts the interface. Calls are worth more: without it the daemon goes on.
pub(super) fn start(
    settings: WebSettings,
    zone: &str,
    (run, ledger): (i64, PathBuf),
    (switch, now): (&Switch, Now),
) -> (Option<Web>, mpsc::Receiver<Ask>) {
    let (ask, asks) = mpsc::channel(web::MOST_ASKED);
    let WebSettings { listen, users, provider, answer_within, emergency_within, requests_per_second } =
        settings;
    let listener = match TcpListener::bind(listen) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%listen, %error, "the web interface cannot be served: calls go on without it");
            return (None, asks);
        }
    };
    if !listen.ip().is_loopback() {
        tracing::warn!(%listen, "the web interface is open to other hosts, unencrypted: put a proxy before it");
    }
    let targets = Targets { routine: answer_within, emergency: emergency_within };
    let day = Day::new(zone, targets, now.wall);
    let up = switch.callers(now);
    let going_on: BTreeSet<CallId> = up.iter().map(|call| call.id).collect();
    let period = Period { from: day.began(), to: now.wall };
    let settings = web::Settings {
        run,
        users: Users::new(users),
        provider,
        requests_per_second,
        day,
        since: now.wall,
        earlier: Box::new(move || earlier(&ledger, run, period, &going_on)),
        up,
    };
    match Web::start(listener, settings, ask) {
        Ok(web) => (Some(web), asks),
        Err(error) => {
            tracing::error!(%error, "the web interface cannot be started: calls go on without it");
            (None, asks)
        }
    }
}

/// The calls of a period that are over, as the ledger has them.
fn earlier(ledger: &Path, run: i64, period: Period, going_on: &BTreeSet<CallId>) -> Vec<Finished> {
    let mut over = Vec::new();
    let mut take = |call: &CallRow<'_>| {
        let end = match call.kind {
            Kind::Answered => End::Answered,
            Kind::Abandoned => End::Abandoned,
            // No line has had it.
            Kind::Refused => return,
            _ => End::Other,
        };
        if call.is_callers() && (call.key.run != run || !going_on.contains(&call.key.call)) {
            let (line, waited) = (call.line.to_owned(), Duration::from_millis(call.waited));
            over.push(Finished { line, emergency: call.is_emergency(), arrived: call.arrived, waited, end });
        }
    };
    let read = Reader::open(ledger).and_then(|reader| reader.moment()?.each_call(period, &mut take));
    if let Err(error) = read {
        tracing::debug!(%error, "the day's counts begin at nothing");
    }
    over
}

impl<O: Observer> Daemon<O> {
    /// Where the interface listens, if it is served.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(Web::address)
    }

    /// Lets the interface show and try configurations.
    pub fn show_plans(&self, plans: Arc<dyn Plans>) {
        if let Some(web) = &self.web {
            web.show_plans(plans);
        }
    }

    /// Lets the interface make reports.
    pub fn show_reports(&self, reports: Arc<dyn Reports>) {
        if let Some(web) = &self.web {
            web.show_reports(reports);
        }
    }

    /// Answers one question, if one waits.
    pub(super) fn answer_one(&mut self) {
        if let Ok(ask) = self.asks.try_recv() {
            self.answer(ask);
        }
    }

    /// Answers a question. Whoever asked may be gone.
    pub(super) fn answer(&mut self, ask: Ask) {
        let now = self.clock.now();
        match ask {
            Ask::Board(to) => drop(to.send(self.switch.board(now))),
            Ask::Calls(to) => drop(to.send(self.switch.callers(now))),
            Ask::Call(call, to) => drop(to.send(self.switch.caller(call, now))),
            Ask::Desk(agent, to) => drop(to.send(self.switch.desk(&agent, now))),
            Ask::LastCall(to) => drop(to.send(self.switch.last_call())),
            Ask::Callbacks(to) => drop(to.send(self.switch.callbacks_shown(now))),
            Ask::Cases(to) => drop(to.send(self.switch.cases_shown())),
            Ask::Order(order, to) => drop(to.send(self.order(order))),
            Ask::Transports(to) => drop(to.send(self.transports())),
            Ask::Health(to) => drop(to.send(self.unwell())),
            Ask::Figures(to) => drop(to.send(self.figures(now))),
        }
    }

    /// Gives an order of somebody's to the switch; an error says why it was not obeyed.
    fn order(&mut self, order: Order) -> Result<(), Refused> {
        let input = self.switch.meant(order)?;
        self.batch.push(input);
        self.feed_at(self.clock.now(), |_, _| {}).map_or(Ok(()), Err)
    }

    /// Where SIP is spoken, and what came and went there.
    fn transports(&self) -> Transports {
        let (net, switch) = (self.net.counters(), self.switch.counters());
        let open = self.net.connections();
        let planned = &self.switch.plan().sip.listeners;
        let listeners = (0..).map(ListenerId).zip(planned).zip(self.net.addresses());
        let listeners = listeners.map(|((id, listener), &address)| Listener {
            transport: listener.transport.name(),
            address,
            advertised: listener.advertised,
            connections: (listener.transport == Transport::Tcp)
                .then(|| open.get(&id).copied().unwrap_or_default()),
        });
        Transports {
            listeners: listeners.collect(),
            datagrams: Datagrams {
                received: net.received,
                sent: net.sent,
                crowded_out: net.crowded_out,
                unsent: net.unsent,
            },
            streams: Streams { choked: net.choked, broken: switch.broken_streams },
            dropped: switch.dropped.clone(),
            refused: switch.refused.clone(),
        }
    }

    /// What is not as it should be.
    fn unwell(&self) -> Vec<String> {
        let checks = [
            ("the daemon is ending", self.switch.is_draining()),
            ("the ledger cannot be written", !self.ledger.counters().healthy),
            ("a media thread died", !self.media.running()),
        ];
        let unwell = checks.into_iter().filter(|(_, unwell)| *unwell).map(|(why, _)| why.to_owned());
        let missed = self.switch.trunks_missed().map(|name| format!("the trunk `{name}` is down"));
        unwell.chain(missed).collect()
    }

    /// Health, and everything that is counted.
    fn figures(&self, now: Now) -> Figures {
        let mut samples = Vec::new();
        self.service(now, &mut samples);
        self.switch_counts(&mut samples);
        self.adapter_counts(&mut samples);
        Figures { unwell: self.unwell(), samples }
    }

    /// Lines, agents and calls as they are.
    fn service(&self, now: Now, samples: &mut Vec<Sample>) {
        let board = self.switch.board(now);
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        samples.push(Sample::of("calls", "Calls that are up.", count(self.switch.calls())));
        for line in &board.lines {
            let waiting = u64::from(line.waiting);
            samples.push(
                Sample::of("line_waiting", "Callers who do not talk yet.", waiting)
                    .labelled("line", &line.name),
            );
        }
        for line in &board.lines {
            let longest = line.longest_wait.unwrap_or_default();
            let mut sample = Sample::of("line_longest_wait_seconds", "Wait of the first caller in line.", 0);
            sample.value = longest.as_secs_f64();
            samples.push(sample.labelled("line", &line.name));
        }
        for line in &board.lines {
            let free = u64::from(line.agents_free);
            samples.push(
                Sample::of("line_agents_free", "Free agents of the line's teams.", free)
                    .labelled("line", &line.name),
            );
        }
        for state in STATES {
            let agents = board.agents.iter().filter(|agent| agent.state == state).count();
            samples.push(Sample::of("agents", "Agents by state.", count(agents)).labelled("state", state));
        }
        for (state, value) in
            [("open", board.callbacks.open), ("due", board.callbacks.due), ("late", board.callbacks.late)]
        {
            let sample = Sample::of("callbacks", "Promised callbacks that are not settled.", value.into());
            samples.push(sample.labelled("state", state));
        }
        for trunk in board.trunks.iter().filter(|trunk| trunk.health != "unknown") {
            let up = u64::from(trunk.health == "up");
            let sample = Sample::of("trunk_up", "Whether a trunk that is asked is there.", up);
            samples.push(sample.labelled("trunk", &trunk.name));
        }
        for stack in &board.stacks {
            let sample = Sample::of("stack_open", "Cases that are not closed.", stack.open.into());
            samples.push(sample.labelled("stack", &stack.name));
        }
    }

    fn switch_counts(&self, samples: &mut Vec<Sample>) {
        let counters = self.switch.counters();
        for (reason, &value) in &counters.dropped {
            let sample = Sample::of("sip_dropped_total", "Messages dropped at the front door.", value);
            samples.push(sample.labelled("reason", reason));
        }
        for (code, &value) in &counters.refused {
            let sample = Sample::of("sip_refused_total", "Messages answered at the front door.", value);
            samples.push(sample.labelled("code", code.to_string()));
        }
        for (why, value) in [
            ("unknown-source", counters.unknown_source),
            ("unknown-number", counters.unknown_number),
            ("overload", counters.overload),
            ("shed", counters.shed),
            ("entry", counters.entry_refused),
        ] {
            samples.push(Sample::of("calls_refused_total", "Calls turned away.", value).labelled("why", why));
        }
        let callbacks = &counters.callbacks;
        for (what, value) in [
            ("promised", callbacks.promised),
            ("restored", callbacks.restored),
            ("dialled", callbacks.dialled),
            ("reached", callbacks.reached),
            ("missed", callbacks.missed),
            ("escalated", callbacks.escalated),
            ("ended", callbacks.ended),
            ("failed", callbacks.failed),
            ("not-made", callbacks.not_made),
        ] {
            samples
                .push(Sample::of("callbacks_total", "What befell callbacks.", value).labelled("what", what));
        }
        let transactions = self.switch.transaction_counters();
        for (what, value) in [
            ("repeated-requests", transactions.repeated_requests),
            ("repeated-responses", transactions.repeated_responses),
            ("retransmitted", transactions.retransmitted),
            ("stray-responses", transactions.stray_responses),
            ("refused", transactions.refused),
            ("timed-out", transactions.timed_out),
            ("unacknowledged", transactions.unacknowledged),
            ("transport-failures", transactions.transport_failures),
        ] {
            samples.push(Sample::of("transactions_total", "SIP transactions.", value).labelled("what", what));
        }
        samples.extend([
            Sample::of("calls_total", "Calls answered.", counters.calls),
            Sample::of("transfers_total", "Callers handed on.", counters.transfers),
            Sample::of("transfers_refused_total", "Transfers refused at once.", counters.transfers_refused),
            Sample::of(
                "transfers_failed_total",
                "Transfers that came to nothing.",
                counters.transfers_failed,
            ),
            Sample::of("cases_total", "Cases opened.", counters.cases),
            Sample::of("cases_breached_total", "Cases not closed in time.", counters.cases_breached),
            Sample::of("cases_closed_total", "Cases closed.", counters.cases_closed),
            Sample::of("referrals_total", "Patients referred to pathways.", counters.referrals),
            Sample::of("referrals_returned_total", "Referrals that came back.", counters.referrals_returned),
            Sample::of(
                "disagreements_total",
                "Decisions that rules on trial would change.",
                counters.disagreements,
            ),
            Sample::of("broken_streams_total", "Streams closed for broken framing.", counters.broken_streams),
            Sample::of("no_port_total", "Offers without a media port left.", counters.no_port),
        ]);
    }

    fn adapter_counts(&self, samples: &mut Vec<Sample>) {
        let net = self.net.counters();
        let media = self.media.counters();
        let ledger = self.ledger.counters();
        samples.extend([
            Sample::of("net_received_total", "Messages received.", net.received),
            Sample::of("net_crowded_out_total", "Messages that found no room.", net.crowded_out),
            Sample::of("net_sent_total", "Messages sent.", net.sent),
            Sample::of("net_unsent_total", "Messages that could not be sent.", net.unsent),
            Sample::of("media_packets_in_total", "RTP packets received.", media.packets_in),
            Sample::of("media_packets_out_total", "RTP packets sent.", media.packets_out),
            Sample::of("media_relayed_total", "RTP packets relayed.", media.relayed),
            Sample::of(
                "media_wrong_source_total",
                "RTP packets from others than the peer.",
                media.wrong_source,
            ),
            Sample::of("media_strays_total", "RTP packets of no call.", media.strays),
            Sample::of("media_malformed_total", "Packets that are no RTP.", media.malformed),
            Sample::of("ledger_accepted_total", "Records taken.", ledger.accepted),
            Sample::of("ledger_written_total", "Records in the database.", ledger.written),
            Sample::of("ledger_side_filed_total", "Records in the side file.", ledger.side_filed),
            Sample::of("ledger_lost_total", "Records lost.", ledger.lost),
            Sample::of("ledger_errors_total", "Errors of the database.", ledger.errors),
            Sample::of("ledger_waiting", "Records that wait in memory.", ledger.waiting),
        ]);
        if let Some(copies) = self.net.copies() {
            let hep::Counters { sent, dropped } = copies.counters();
            samples.extend([
                Sample::of("hep_sent_total", "Copies of SIP messages sent to the collector.", sent),
                Sample::of("hep_dropped_total", "Copies of SIP messages dropped.", dropped),
            ]);
        }
        if let Some(traces) = &self.traces {
            let trace::Counters { sent, dropped } = traces.counters();
            samples.extend([
                Sample::of("traces_sent_total", "Calls whose trace the collector has.", sent),
                Sample::of("traces_dropped_total", "Calls whose trace was dropped.", dropped),
            ]);
        }
        if let Some(flight) = &self.flight {
            flight_counts(&flight.recorder.counters(), samples);
        }
    }

    /// Lets the interface know of an event at the time of the last input.
    pub(super) fn show(&self, at: Wall, event: &Event) {
        if let Some(web) = &self.web {
            web.tell(at, event);
        }
    }
}

fn flight_counts(counters: &flight::Counters, samples: &mut Vec<Sample>) {
    let mut longest = Sample::of("flight_longest_hold_seconds", "Longest that a snapshot held up calls.", 0);
    longest.value = counters.longest_hold.as_secs_f64();
    samples.extend([
        Sample::of("flight_inputs_total", "Inputs noted.", counters.inputs),
        Sample::of("flight_slow_total", "Writes that took too long.", counters.slow),
        Sample::of("flight_gaps_total", "Times that a part of the log was lost.", counters.gaps),
        Sample::of("flight_snapshots_total", "Snapshots taken.", counters.snapshots),
        Sample::of("flight_snapshots_failed_total", "Snapshots that failed.", counters.snapshots_failed),
        Sample::of("flight_snapshot_bytes", "Bytes of the last snapshot.", counters.snapshot_bytes),
        longest,
    ]);
}

/// Every state that an agent can be shown in.
const STATES: [&str; 8] =
    ["free", "ringing", "talking", "wrap-up", "resting", "paused", "logged-out", "unreachable"];
