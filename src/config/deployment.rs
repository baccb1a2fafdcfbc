//! What a configuration file resolves to.
//!
//! The plan goes to the switch once the daemon has bound its sockets and filled in their addresses; the
//! rest is for the adapters.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::access::{Provider, User};
use crate::sip::Transport;
use crate::switch::following::Removed;
use crate::switch::plan::Plan;

/// Everything one node runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// For the switch; `sip.listeners` and `media.threads` are empty until the daemon has bound them.
    pub plan: Plan,
    /// SIP sockets to bind, by `ListenerId`.
    pub listen: Vec<Listen>,
    /// What the media threads need.
    pub media: MediaSettings,
    /// Audio files, by `ClipId`.
    pub clips: Vec<ClipFile>,
    /// The directory of the prompts that announcements are put together from; `None` for those built in.
    pub prompts: Option<PathBuf>,
    /// Where calls are recorded.
    pub ledger: LedgerSettings,
    /// How calls are counted in reports.
    pub report: ReportSettings,
    /// Where inputs are logged; `None` when they are not.
    pub flight: Option<FlightSettings>,
    /// The interface that people see; `None` when it is switched off.
    pub web: Option<WebSettings>,
    /// Where copies of SIP messages go; `None` for nowhere.
    pub hep: Option<HepSettings>,
    /// Where traces of calls go; `None` for nowhere.
    pub telemetry: Option<Collector>,
    /// Where its users are written down.
    pub users: Option<PathBuf>,
    /// What becomes of those who wait in lines that the file no longer has, by the line's name.
    pub removed: BTreeMap<String, Removed>,
    /// Another configuration whose rules are tried beside these.
    pub shadow: Option<PathBuf>,
    /// What this node is called and where it is.
    pub node: Node,
    /// What the daemon says of itself.
    pub log: LogSettings,
}

/// One SIP socket to bind.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The transport protocol.
    pub transport: Transport,
    /// The local address; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The address that peers see in place of the bound one; always set when `bind` is a wildcard.
    pub advertise: Option<IpAddr>,
}

/// What the media threads need; the address that peers see is in the plan.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MediaSettings {
    /// The local address of every media port.
    pub bind: IpAddr,
    /// How many media threads, at least one.
    pub threads: usize,
    /// First of the ports, even; 0 lets the system choose each.
    pub first_port: u16,
    /// Ports of each thread that many legs share.
    pub shared_ports: usize,
    /// Ports of each thread for one leg at a time.
    pub spill_ports: usize,
    /// A leg that sends nothing for this long is dead; zero means never.
    pub dead_after: Duration,
}

/// An audio file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipFile {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is: the path as written, seen from the configuration's directory.
    pub path: PathBuf,
}

/// Where and how calls are recorded; paths are as written, seen from the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The database: a file, or a server's where it begins with `postgres://`.
    pub path: PathBuf,
    /// How callers' numbers are kept.
    pub cli: StoredCli,
    /// The secret key of [`StoredCli::Hash`].
    pub key_path: PathBuf,
    /// How many records may wait in memory for the disk.
    pub spool: usize,
    /// Where records go when the database cannot take them.
    pub side_file: PathBuf,
    /// The directory of the configurations that were in force.
    pub plans: PathBuf,
    /// How many of them are kept.
    pub keep_plans: usize,
    /// For how long records are kept; `None` for ever.
    pub keep: Option<Duration>,
    /// The same for practices that have their own time, by ODS code (or name, where one has none).
    pub keep_of: BTreeMap<String, Duration>,
}

/// Where every input is logged, and for how long; the path is as written, seen from the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlightSettings {
    /// The directory of the log.
    pub directory: PathBuf,
    /// How long it is kept.
    pub keep_for: Duration,
    /// How many bytes of it are kept.
    pub keep_size: u64,
    /// How often the state is kept too.
    pub snapshot_every: Duration,
}

/// How calls are counted in reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSettings {
    /// What a call is, in cloud-based telephony, whose promised callback was answered.
    pub callbacks_count_as: CallbacksCountAs,
    /// A caller who gave up sooner is not abandoned in the IUC ADC.
    pub abandoned_after: Duration,
    /// A caller who gave up and rings again within this time redials.
    pub redials_within: Duration,
    /// Names of the columns of the CBT file, eleven; an empty one leaves its column out. `None` for the published ones.
    pub cbt_header: Option<Vec<String>>,
    /// What is known of practices, by `PracticeId`.
    pub practices: Vec<PracticePlaces>,
    /// What dispositions count as, by code; the others count as nothing.
    pub dispositions: BTreeMap<String, CountsAs>,
}

/// Where a practice is, for reports; codes are empty when they are not stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PracticePlaces {
    /// Its fifth of the country by deprivation; 1 is the most deprived.
    pub fifth: Option<u8>,
    /// Code of its region.
    pub region: String,
    /// Code of its integrated care board.
    pub icb: String,
    /// Code of its location within the board.
    pub sub_icb: String,
    /// Code of its primary care network.
    pub pcn: String,
}

/// What a call is, in cloud-based telephony, whose promised callback was answered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CallbacksCountAs {
    /// A callback requested, CBT005.
    Requested,
    /// An answered call, CBT003.
    Answered,
}

/// What a disposition counts as in hear and treat.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CountsAs {
    /// Closed with advice, A18.
    Advice,
    /// Referred to another service, A19.
    Referral,
}

/// Where the interface is served, to whom, and what it shows as aimed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSettings {
    /// The address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Who may use it.
    pub users: Vec<User>,
    /// Who signs people in beside the interface itself.
    pub provider: Option<Provider>,
    /// Within what time callers should be answered.
    pub answer_within: Duration,
    /// The same for lines of emergency trunks alone.
    pub emergency_within: Duration,
    /// How many requests of one user or address are served in the long run.
    pub requests_per_second: u32,
}

/// A collector of OpenTelemetry, which speaks OTLP over plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Its name or address, that of IPv6 in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What stands before `/v1/traces`.
    pub path: String,
}

/// Where copies of SIP messages go, as HEP3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HepSettings {
    /// The collector.
    pub to: SocketAddr,
    /// What it knows this node by.
    pub capture_id: u32,
    /// What it lets this node in by.
    pub key: Option<String>,
}

/// How callers' numbers are kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StoredCli {
    /// As a keyed hash: repeat callers can be matched, numbers cannot be read.
    Hash,
    /// As they came.
    Plain,
    /// Not at all.
    None,
}

/// What this node is called and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Shown by `hearken check`.
    pub name: String,
    /// IANA name of its time zone, known to this host: `Europe/London`.
    pub zone: String,
}

/// What the daemon says of itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important events that are written.
    pub level: tracing::Level,
    /// How they are written.
    pub format: LogFormat,
}

/// How log events are written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object on a line.
    Json,
}
