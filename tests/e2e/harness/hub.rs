//! The daemon under test: its configuration, its process and its ledger.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::ledger::{self, Call};
use super::{Net, SOON, directory, wait_for};

/// The configuration, in the daemon's directory.
const FILE: &str = "hearken.toml";
/// The daemon's own copy of the program there, where a test needs one.
const PROGRAM: &str = "hearken";

/// A rule, and a test of it that fails.
pub const FAILS: &str = r#"
[[overflow]]
name = "full"
from = "gp"
when-all = { waiting-over = 30 }
refuse = 503
[[test]]
name = "thirty wait"
at = "2026-11-23T08:15"
given = { "gp.waiting" = 30 }
expect = "full"
"#;

/// What the daemon is configured with. Routine calls join the line `gp`, emergency calls `emergency`; the
/// team `hub` answers both.
#[derive(Clone)]
pub struct Setup {
    pub net: Net,
    /// Names and SIP addresses.
    pub agents: Vec<(String, String)>,
    pub ring_for: &'static str,
    pub wrap_up: &'static str,
    pub rest_after_miss: &'static str,
    pub misses_before_pause: u32,
    pub unreachable_after: &'static str,
    pub dead_media_after: &'static str,
    pub spill_ports: u16,
    pub max_calls: u32,
    /// Numbers of the surgery's trunk; none means any.
    pub ddis: &'static [&'static str],
    /// WAV files of both lines.
    pub greeting: Option<PathBuf>,
    pub music: Option<PathBuf>,
    /// What is written otherwise than usual: what for what.
    edits: Vec<(String, String)>,
    /// What is written behind all the rest.
    more: String,
    /// Other files beside the configuration, by name.
    others: Vec<(String, String)>,
    /// Whether the daemon runs from a copy of the program.
    own_program: bool,
}

impl Setup {
    pub fn new(net: Net) -> Setup {
        Setup {
            net,
            agents: Vec::new(),
            ring_for: "20s",
            wrap_up: "0s",
            rest_after_miss: "0s",
            misses_before_pause: 0,
            unreachable_after: "1s",
            dead_media_after: "0s",
            spill_ports: 16,
            max_calls: 1_000,
            ddis: &[],
            greeting: None,
            music: None,
            edits: Vec::new(),
            more: String::new(),
            others: Vec::new(),
            own_program: false,
        }
    }

    /// Has the daemon run from a copy of the program, in whose place another can be put.
    pub fn own_program(mut self) -> Setup {
        self.own_program = true;
        self
    }

    /// Writes one thing for another, which must be in the file.
    pub fn with(mut self, instead_of: &str, text: &str) -> Setup {
        self.edits.push((instead_of.to_owned(), text.to_owned()));
        self
    }

    /// Writes more behind all the rest.
    pub fn and(mut self, toml: &str) -> Setup {
        self.more.push_str(toml);
        self
    }

    /// Another configuration in a file of this name, beside this one.
    pub fn beside(mut self, name: &str, other: &Setup) -> Setup {
        self.others.push((name.to_owned(), other.toml()));
        self
    }

    /// A file of this name beside the configuration.
    pub fn file(mut self, name: &str, text: &str) -> Setup {
        self.others.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Writes the configuration and those beside it.
    pub fn write(&self, file: &Path) {
        fs::write(file, self.toml()).unwrap();
        for (name, text) in &self.others {
            let other = file.with_file_name(name);
            fs::write(&other, text).unwrap();
            // Some hold secrets.
            fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    pub fn agent(mut self, name: &str, uri: impl Into<String>) -> Setup {
        self.agents.push((name.to_owned(), uri.into()));
        self
    }

    fn toml(&self) -> String {
        let (hub, names) = (self.net.hub(), self.agents.iter().map(|(name, _)| name).collect::<Vec<_>>());
        let mut toml = format!(
            r#"
[sip]
listen = ["udp:{hub}:0", "tcp:{hub}:0"]
unreachable-after = "{unreachable_after}"
probe-phones-every = "0s"
max-calls = {max_calls}
[media]
first-port = 0
shared-ports = 4
spill-ports = {spill_ports}
dead-media-after = "{dead_media_after}"
[distributor]
misses-before-pause = {misses_before_pause}
rest-after-miss = "{rest_after_miss}"
[ledger]
path = "calls.db"
cli = "plain"
[web]
listen = "{hub}:0"
[log]
level = "debug"
[practice.elm-tree]
ods = "Y00001"
[trunk.surgery]
from = ["{surgery}"]
practice = "elm-tree"
line = "gp"
ddis = {ddis:?}
[trunk.as-999]
from = ["{emergency}"]
emergency = true
line = "emergency"
[team.hub]
agents = {names:?}
"#,
            unreachable_after = self.unreachable_after,
            spill_ports = self.spill_ports,
            max_calls = self.max_calls,
            dead_media_after = self.dead_media_after,
            misses_before_pause = self.misses_before_pause,
            rest_after_miss = self.rest_after_miss,
            surgery = self.net.surgery(),
            emergency = self.net.emergency(),
            ddis = self.ddis,
        );
        for (name, uri) in &self.agents {
            write!(toml, "[agent.{name}]\naddress = \"{uri}\"\n").unwrap();
        }
        for (clip, file) in self.clips() {
            write!(toml, "[clip.{clip}]\nfile = {file:?}\n").unwrap();
        }
        for line in ["gp", "emergency"] {
            let (ring_for, wrap_up) = (self.ring_for, self.wrap_up);
            write!(
                toml,
                "[line.{line}]\nteams = [\"hub\"]\nring-for = {ring_for:?}\nwrap-up = {wrap_up:?}\n"
            )
            .unwrap();
            for (clip, _) in self.clips() {
                writeln!(toml, "{clip} = {clip:?}").unwrap();
            }
        }
        for (instead_of, text) in &self.edits {
            assert!(toml.contains(instead_of), "{instead_of:?} is not in {toml}");
            toml = toml.replace(instead_of, text);
        }
        toml + &self.more
    }

    fn clips(&self) -> impl Iterator<Item = (&str, &Path)> {
        [("greeting", &self.greeting), ("music", &self.music)]
            .into_iter()
            .filter_map(|(name, file)| Some((name, file.as_deref()?)))
    }

    /// Starts the daemon and waits until it is ready.
    pub fn start(&self) -> Hub {
        self.start_in(directory())
    }

    fn start_in(&self, dir: TempDir) -> Hub {
        self.write(&dir.path().join(FILE));
        if self.own_program {
            install(dir.path(), None);
        }
        let (child, [udp, tcp], web) = spawn(dir.path());
        Hub { net: self.net, udp, tcp, web, child, dir: Some(dir) }
    }
}

/// A daemon that is ready, and where it listens by UDP and TCP, and for HTTP if it does.
fn spawn(dir: &Path) -> (Child, [SocketAddr; 2], Option<SocketAddr>) {
    let log = OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
    let own = Some(dir.join(PROGRAM)).filter(|own| own.exists());
    let program = own.unwrap_or_else(|| env!("CARGO_BIN_EXE_hearken").into());
    let run = command(&program, dir, &["run"]).stdout(Stdio::piped()).stderr(log).spawn();
    let mut child = run.unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (mut listening, mut web) = (Vec::new(), None);
    loop {
        let Some(line) = said.next() else {
            panic!("the daemon ended: {}", fs::read_to_string(dir.join("log")).unwrap());
        };
        if line == "ready" {
            break;
        }
        if let Some(address) = line.strip_prefix("web on http://") {
            web = Some(address.trim_end_matches('/').parse().unwrap());
            continue;
        }
        let address = line.rsplit(' ').next().and_then(|address| address.parse::<SocketAddr>().ok());
        listening.push(address.unwrap_or_else(|| panic!("what is {line:?}?")));
    }
    // What it says when it is replaced goes nowhere, and must not stop it.
    std::thread::spawn(move || said.for_each(drop));
    (child, listening.try_into().expect("two listeners"), web)
}

/// Puts a program in the place of the daemon's own, as `install` does: a script, or the real one.
fn install(dir: &Path, script: Option<&str>) {
    let aside = dir.join("program.new");
    match script {
        Some(text) => fs::write(&aside, text).unwrap(),
        None => drop(fs::copy(env!("CARGO_BIN_EXE_hearken"), &aside).unwrap()),
    }
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(aside, dir.join(PROGRAM)).unwrap();
}

/// The program with its configuration in `dir`, to be run there.
pub fn hearken(dir: &Path, arguments: &[&str]) -> Command {
    command(Path::new(env!("CARGO_BIN_EXE_hearken")), dir, arguments)
}

fn command(program: &Path, dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).args(["--config", FILE]).args(arguments).env_remove("RUST_LOG");
    command
}

/// A running daemon; killed when it is dropped.
pub struct Hub {
    pub net: Net,
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    pub web: Option<SocketAddr>,
    child: Child,
    dir: Option<TempDir>,
}

impl Hub {
    pub fn dir(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    /// Every call in the ledger, once there are `count` of them and no more.
    pub fn calls(&self, count: usize) -> Vec<Call> {
        let calls = wait_for(&format!("{count} calls in the ledger"), SOON, || {
            let calls = ledger::read(&self.dir().join("calls.db"));
            (calls.len() >= count).then_some(calls)
        });
        assert_eq!(calls.len(), count, "{calls:#?}");
        calls
    }

    /// The only call in the ledger, once it is over.
    pub fn call(&self) -> Call {
        self.calls(1).remove(0)
    }

    /// Kills the daemon without a word, and starts another one on what it left.
    pub fn killed_and_started(mut self, setup: &Setup) -> Hub {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let dir = self.dir.take().unwrap();
        setup.start_in(dir)
    }

    /// Puts a program in the place of its own: a script, or the real one.
    pub fn install(&self, script: Option<&str>) {
        install(self.dir(), script);
    }

    /// Waits until the flight log has a snapshot behind the beginning of a segment.
    pub fn has_snapshot(&self) {
        wait_for("a snapshot in the flight log", SOON, || {
            let files = fs::read_dir(self.dir().join("flight")).unwrap();
            let mut names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
            names
                .any(|name| name.ends_with(".snapshot") && !name.ends_with("-0000000000.snapshot"))
                .then_some(())
        });
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, signal: &str) {
        super::sipp::kill(signal, &self.child);
    }

    /// Lets the running daemon read a new configuration, and waits until it says that this is in force.
    pub fn reload(&self, setup: &Setup) {
        let done = "the configuration is taken over";
        let before = self.log().matches(done).count();
        self.rewrite(setup);
        self.logs_times(done, before + 1);
    }

    /// Lets the running daemon read a new configuration, whatever comes of it.
    pub fn rewrite(&self, setup: &Setup) {
        setup.write(&self.dir().join(FILE));
        self.signal("HUP");
    }

    /// Kills the daemon, which gets no chance to do anything about it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts a daemon that was killed again, as a supervisor would; it must listen where the old one did.
    pub fn restart(&mut self) {
        let (child, listening, web) = spawn(self.dir());
        (self.child, self.web) = (child, web);
        assert_eq!(listening, [self.udp, self.tcp]);
    }

    /// Starts a daemon that was killed again, wherever it listens now.
    pub fn restarted_elsewhere(mut self) -> Hub {
        let (child, [udp, tcp], web) = spawn(self.dir());
        Hub { net: self.net, udp, tcp, web, child, dir: self.dir.take() }
    }

    /// Waits until the daemon has ended of itself.
    pub fn ended(&mut self, within: Duration) -> ExitStatus {
        wait_for("the end of the daemon", within, || self.child.try_wait().unwrap())
    }

    /// Waits until the daemon's log holds `words`.
    pub fn logs(&self, words: &str) {
        self.logs_times(words, 1);
    }

    pub fn logs_times(&self, words: &str, times: usize) {
        let what = format!("{words:?} in the log {times} times");
        wait_for(&what, SOON, || (self.log().matches(words).count() >= times).then_some(()));
    }

    /// Runs another command of the program beside the daemon.
    pub fn run(&self, arguments: &[&str]) -> Output {
        hearken(self.dir(), arguments).output().unwrap()
    }

    /// All that daemons wrote into the log of this directory.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir().join("log")).unwrap()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.dir.is_none() {
            return;
        }
        let log = self.log();
        if std::thread::panicking() {
            let tail: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("--- the daemon's log ends:");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
            eprintln!("--- kept: {}", self.dir.take().unwrap().keep().display());
        } else {
            assert!(!log.contains("panicked"), "the daemon panicked:\n{log}");
        }
    }
}
