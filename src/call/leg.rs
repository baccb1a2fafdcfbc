//! One leg of a call: its SIP state, its offer/answer state and its media.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::media::Stream;
use super::ports::{Held, Share};
use crate::audio::Direction;
use crate::id::{AgentId, CallId, LegId};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::message::Request;
use crate::sip::sdp::{Agreed, Description, Local};
use crate::sip::transaction::{ClientTx, ServerTx};

/// One SIP dialog of a call, on its way or up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// Its number.
    pub id: LegId,
    /// Whose it is.
    pub call: CallId,
    /// Which end of the call.
    pub side: Side,
    /// How far it has come.
    pub state: State,
    /// Its audio.
    pub audio: Audio,
    /// Requests of ours that a response may still come to.
    pub asked: Vec<ClientTx>,
    /// INVITEs of the peer that we still owe a final response or that still owe us an ACK.
    pub owed: Vec<ServerTx>,
}

/// Which end of the call a leg leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// To the caller, who called us, or to the patient whom we call back.
    Caller,
    /// To an agent, whom we called.
    Agent(AgentId),
    /// To an agent, who dialled a feature code; no caller's call has this leg.
    Code(AgentId),
}

/// How far a leg has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum State {
    /// Our INVITE has no final response.
    Inviting {
        /// Its transaction.
        tx: ClientTx,
        /// The INVITE, without body.
        invite: Arc<Request>,
        /// The path it took.
        flow: Flow,
        /// The call no longer wants this leg: it only waits for the phone's final word.
        withdrawn: bool,
        /// The answer of a reliable-enough 18x, used when the 2xx has none (RFC 3261, 13.2.1).
        early: Option<Box<Description>>,
    },
    /// The dialog stands.
    Up {
        /// The dialog.
        dialog: Box<Dialog>,
        /// Where offer/answer stands.
        negotiation: Negotiation,
        /// The INVITE we sent, to refuse further answers of a forked call.
        invite: Option<Arc<Request>>,
    },
}

/// Where offer/answer stands in a dialog that is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Negotiation {
    /// Nothing is open.
    Stable,
    /// We offered in a 2xx; the answer must come in the ACK with this CSeq.
    AwaitingAnswer {
        /// CSeq of the INVITE.
        cseq: u32,
    },
    /// Our re-INVITE has no final response.
    Offered {
        /// Its transaction.
        tx: ClientTx,
        /// The direction we offered.
        direction: Direction,
        /// The asker took it back: offer this direction again once the peer has answered.
        restore: Option<Direction>,
    },
    /// The peer's re-INVITE waits for what the other end of the bridge says.
    Asked {
        /// Its transaction.
        tx: ServerTx,
        /// The re-INVITE.
        request: Box<Request>,
        /// Its offer.
        offer: Box<Description>,
    },
}

/// A leg's audio: our side, the peer's, and the port between.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Audio {
    /// The media thread that carries it.
    pub thread: u8,
    /// The port, and the remote address it is held for.
    pub held: Held,
    /// Our side as last described.
    pub local: Local,
    /// What was agreed; `None` before the first answer.
    pub agreed: Option<Agreed>,
    /// The far end is behind NAT: latch on an exclusive port.
    pub latch: bool,
}

impl Leg {
    /// The dialog, once it stands.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Up { dialog, .. } => Some(dialog),
            State::Inviting { .. } => None,
        }
    }

    /// Its Call-ID.
    pub fn call_id(&self) -> Option<&str> {
        match &self.state {
            State::Up { dialog, .. } => Some(dialog.call_id()),
            State::Inviting { invite, .. } => invite.headers.call_id(),
        }
    }

    /// The media stream, once agreed.
    pub fn stream(&self) -> Option<Stream> {
        let agreed = self.audio.agreed?;
        Some(Stream {
            leg: self.id,
            port: self.audio.held.port,
            remote: agreed.remote,
            codec: agreed.codec,
            payload_type: agreed.payload_type,
            dtmf: agreed.dtmf,
            direction: agreed.direction,
            latch: self.audio.latch && self.audio.held.share == Share::Whole,
        })
    }
}

impl Audio {
    /// Takes over what was newly agreed; a hold by the address of zeros keeps the address known before.
    pub fn agree(&mut self, mut agreed: Agreed) {
        if agreed.remote.ip().is_unspecified()
            && let Some(before) = self.agreed
        {
            agreed.remote = before.remote;
        }
        self.agreed = Some(agreed);
    }

    /// The remote address that media will come from after agreeing to `remote`.
    pub fn expected(&self, remote: SocketAddr) -> SocketAddr {
        match self.agreed {
            Some(before) if remote.ip().is_unspecified() => before.remote,
            _ => remote,
        }
    }
}
