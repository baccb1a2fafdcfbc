//! Phones: small SIP user agents of the demo's own, which know nothing of the daemon but its address.
//!
//! A phone is a state machine without sockets and clocks ([`caller`], [`agent`]); [`live`] gives it both.
//!
//! | file | holds |
//! |---|---|
//! | `caller`, `agent` | what people do: wait, give up, answer, refuse, talk, hang up |
//! | `endpoint` | repetition of requests and answers over UDP |
//! | `dialog` | what a standing call needs to be ended |
//! | `audio` | RTP sent and heard |

pub(super) mod agent;
mod audio;
pub(super) mod caller;
mod dialog;
mod endpoint;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use super::stage::Sockets;
use crate::sip::message::{Method, Request, Response};
use dialog::Dialog;

pub(super) use audio::{Ear, Voice};

/// Room for the largest datagram that is expected; a longer one is cut, and then refused as no SIP.
const ROOM: usize = 8_192;

/// Something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// From the phone's SIP socket.
    Sip(SocketAddr, Bytes),
    /// From its RTP socket.
    Rtp(SocketAddr, Bytes),
}

/// What a phone tells of a call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// From a caller.
    Caller(CallerReport),
    /// From an agent.
    Agent(AgentReport),
}

/// What a caller met with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CallerReport {
    /// Call-ID of the call.
    pub(super) call_id: String,
    /// What came of it.
    pub(super) end: CallerEnd,
    /// From the answer to the first packet of sound.
    pub(super) first_sound: Option<Duration>,
    /// What was sent and heard.
    pub(super) ear: Ear,
}

/// What came of a call, as its caller saw it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum CallerEnd {
    /// It was answered and is over.
    Over,
    /// It was refused with this status.
    TurnedAway(u16),
    /// Nobody answered the INVITE, or not so that one could talk.
    Unanswered,
}

/// What an agent met with in one talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgentReport {
    /// Position of the agent.
    pub(super) agent: usize,
    /// What was sent and heard.
    pub(super) ear: Ear,
}

/// A phone as a state machine: whatever happens goes in, then what it wants is drained.
pub(super) trait Phone {
    /// A datagram came to the SIP socket.
    fn sip(&mut self, bytes: &Bytes, source: SocketAddr, now: Instant);
    /// A datagram came to the RTP socket.
    fn rtp(&mut self, bytes: &[u8], source: SocketAddr, now: Instant);
    /// Time went by.
    fn wake(&mut self, now: Instant);
    /// The demo ends.
    fn closing(&mut self, now: Instant);
    /// When to be woken.
    fn next_wake(&self) -> Option<Instant>;
    /// What to send.
    fn poll_output(&mut self) -> Option<Packet>;
    /// What to tell.
    fn poll_report(&mut self) -> Option<Report>;
    /// Whether the phone is of no more use.
    fn is_over(&self, now: Instant) -> bool;
}

enum Action {
    Sip(usize, SocketAddr),
    Rtp(usize, SocketAddr),
    Closing,
    Wake,
}

/// Runs a phone until it is over; `closing` turns true when the demo ends.
pub(super) async fn live<P: Phone>(
    mut phone: P,
    sockets: Sockets,
    mut closing: watch::Receiver<bool>,
    reports: mpsc::UnboundedSender<Report>,
) -> io::Result<()> {
    let (sip, rtp) = (UdpSocket::from_std(sockets.sip)?, UdpSocket::from_std(sockets.rtp)?);
    let (mut signal, mut sound) = (vec![0; ROOM], vec![0; ROOM]);
    let mut told = false;
    while !phone.is_over(Instant::now()) {
        while let Some(packet) = phone.poll_output() {
            // What the kernel does not take is lost on the way, as packets are.
            let _ = match packet {
                Packet::Sip(to, bytes) => sip.try_send_to(&bytes, to),
                Packet::Rtp(to, bytes) => rtp.try_send_to(&bytes, to),
            };
        }
        while let Some(report) = phone.poll_report() {
            let _ = reports.send(report);
        }
        let wake = phone.next_wake();
        let asleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => pending().await,
            }
        };
        let called_off = async {
            if told || closing.wait_for(|&closing| closing).await.is_err() {
                pending::<()>().await;
            }
        };
        let action = tokio::select! {
            Ok((length, source)) = sip.recv_from(&mut signal) => Action::Sip(length, source),
            Ok((length, source)) = rtp.recv_from(&mut sound) => Action::Rtp(length, source),
            () = called_off => Action::Closing,
            () = asleep => Action::Wake,
        };
        let now = Instant::now();
        match action {
            Action::Sip(length, source) => phone.sip(&Bytes::copy_from_slice(&signal[..length]), source, now),
            Action::Rtp(length, source) => phone.rtp(&sound[..length], source, now),
            Action::Closing => {
                told = true;
                phone.closing(now);
            }
            Action::Wake => {}
        }
        phone.wake(now);
    }
    Ok(())
}

/// The answer to a request that is neither a new call nor the end of one.
fn courtesy(request: &Request, dialog: Option<&Dialog>) -> Response {
    let ours = dialog.is_some_and(|dialog| dialog.holds(request));
    let code = match request.method {
        Method::Options => 200,
        Method::Bye | Method::Cancel | Method::Invite if !ours => 481,
        // The session stays as it is (RFC 3261, 14.2).
        Method::Invite => 488,
        Method::Bye => 200,
        _ => 501,
    };
    request.response(code)
}

#[cfg(test)]
mod tests;
