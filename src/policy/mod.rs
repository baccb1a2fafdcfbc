//! Who may call, and which line a call joins; in [`rules`], who else may answer when a line is pressed.
//!
//! The class of a call follows from the trunk that its source address belongs to, never from anything
//! that the caller's message says of itself.

mod door;
pub mod number;
pub mod rules;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::{LineId, PracticeId, TrunkId};

/// A strict priority class: 0 is emergency and always goes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Band(pub u8);

impl Band {
    /// Calls of emergency trunks.
    pub const EMERGENCY: Band = Band(0);
    /// Every other call.
    pub const ROUTINE: Band = Band(1);
}

/// The trunks and practices that may send calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    /// By [`TrunkId`].
    pub trunks: Vec<Trunk>,
    /// By [`PracticeId`].
    pub practices: Vec<Practice>,
    /// Country code that national numbers get, digits only: `44`.
    pub country_code: String,
}

impl Ingress {
    /// The trunk of this name.
    pub fn trunk_named(&self, name: &str) -> Option<TrunkId> {
        let mut trunks = (0u32..).map(TrunkId).zip(&self.trunks);
        trunks.find(|(_, trunk)| trunk.name == name).map(|(id, _)| id)
    }
}

/// Who may send calls, and where they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Its name in the configuration.
    pub name: String,
    /// Source addresses that are this trunk.
    pub from: Vec<IpNet>,
    /// Whether its calls are emergency calls.
    pub emergency: bool,
    /// Whose calls they are; `None` for a trunk of no practice.
    pub practice: Option<PracticeId>,
    /// The line its calls join.
    pub line: LineId,
    /// Numbers that may be dialled on it, normalised; empty means any number.
    pub ddis: Vec<String>,
}

/// A GP surgery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practice {
    /// Its name in the configuration.
    pub name: String,
    /// Its ODS code.
    pub ods: Option<String>,
}

impl Practice {
    /// As records name it: its ODS code, or its name where it has none.
    pub fn in_records(&self) -> &str {
        self.ods.as_deref().unwrap_or(&self.name)
    }
}

/// What was decided at the door.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The trunk that the call came by.
    pub trunk: TrunkId,
    /// Whose call it is.
    pub practice: Option<PracticeId>,
    /// The line that it joins.
    pub line: LineId,
    /// Its priority class.
    pub band: Band,
}

/// Why a call was turned away at the door.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    /// The source address is on no trunk: 403.
    #[error("the source address is on no trunk")]
    UnknownSource,
    /// The number dialled is on no trunk of that address: 404.
    #[error("the number dialled is on no trunk of this address")]
    UnknownNumber,
}
