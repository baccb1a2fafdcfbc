//! A PostgreSQL server of a test's own: Debian's, in a directory of the test's, reached by a socket there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::chown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// What Debian calls the user that may run the server, which refuses to run as root.
const USER: &str = "postgres";

/// The last part of a socket's path, after the port, which is only a name here.
const SOCKET: &str = ".s.PGSQL.5432";

/// A server with an empty database.
pub(crate) struct Server {
    dir: TempDir,
    programs: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Server {
        let versions =
            fs::read_dir("/usr/lib/postgresql").expect("Debian's package `postgresql` is installed");
        let newest = versions.map(|version| version.unwrap().path()).max().unwrap();
        let dir = tempfile::tempdir().unwrap();
        if is_root() {
            let id = |flag| number(&run(Command::new("id").args([flag, USER])));
            chown(dir.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let server = Server { dir, programs: newest.join("bin") };
        server.fill(newest.file_name().unwrap().to_str().unwrap());
        server.start_again();
        server
    }

    /// Makes an empty database, or copies the one that a test before has made: that is ten times as quick.
    fn fill(&self, version: &str) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = kept.join(format!("postgresql-{version}-{}", run(Command::new("id").arg("-u")).trim()));
        if made.exists() {
            run(Command::new("cp").arg("-a").arg(&made).arg(self.data()));
            return;
        }
        run(self
            .program("initdb")
            .args(["--auth=trust", "--no-sync", "--no-instructions", "-U", USER, "-D"])
            .arg(self.data()));
        let ours = tempfile::tempdir_in(kept).unwrap();
        let ours = ours.path().join("data");
        run(Command::new("cp").arg("-a").arg(self.data()).arg(&ours));
        // Another test may have been quicker: its is as good.
        let _ = fs::rename(&ours, &made);
    }

    /// Ends it as a crash would.
    pub(crate) fn stop(&self) {
        run(self.program("pg_ctl").args(["-m", "immediate", "-w", "stop", "-D"]).arg(self.data()));
    }

    pub(crate) fn start_again(&self) {
        // No data directory outlives its test, so no disk has to be waited for.
        let options = format!("-k {} -c listen_addresses='' -c fsync=off", self.dir.path().display());
        let log = self.dir.path().join("log");
        run(self
            .program("pg_ctl")
            .args(["-w", "start", "-o", &options, "-D"])
            .arg(self.data())
            .arg("-l")
            .arg(log));
    }

    /// The name of its database, as the configuration has it.
    pub(crate) fn url(&self) -> PathBuf {
        url(self.dir.path())
    }

    /// What a statement finds, one line for each row, as any other program would see it.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-h"])
            .arg(self.dir.path())
            .args(["-c", sql]);
        run(&mut psql).lines().map(str::to_owned).collect()
    }

    /// One of its programs, as a user that may run it.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.dir.path());
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test may have stopped it.
        let _ = self.program("pg_ctl").args(["-m", "immediate", "stop", "-D"]).arg(self.data()).output();
    }
}

/// What the way to a server does with what passes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Lets it pass.
    Open,
    /// Swallows it, as a server that hangs would.
    Silent,
    /// Breaks the connection when the server has answered the next commit, and keeps the answer; then it is open.
    CutAtCommit,
    /// Swallows the next commit and breaks the client's side alone, so that the server goes on waiting; then it is open.
    StrandAtCommit,
    /// Swallows the next deletion and everything after it.
    SilentAtDelete,
}

/// A way to a server, by another socket.
pub(crate) struct Proxy {
    dir: TempDir,
    way: Arc<Mutex<Way>>,
}

impl Proxy {
    pub(crate) fn to(server: &Server) -> Proxy {
        let dir = tempfile::tempdir().unwrap();
        let way = Arc::new(Mutex::new(Way::Open));
        let listener = UnixListener::bind(dir.path().join(SOCKET)).unwrap();
        let (target, shared) = (server.dir.path().join(SOCKET), Arc::clone(&way));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, way) = (client.unwrap(), Arc::clone(&shared));
                let Ok(server) = UnixStream::connect(&target) else { continue };
                let (back, out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let there = Arc::clone(&way);
                thread::spawn(move || pass_back(back, out, &there));
                thread::spawn(move || pass_on(client, server, &way));
            }
        });
        Proxy { dir, way }
    }

    pub(crate) fn url(&self) -> PathBuf {
        url(self.dir.path())
    }

    pub(crate) fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    pub(crate) fn is(&self, way: Way) -> bool {
        *self.way.lock().unwrap() == way
    }
}

fn pass_on(mut client: UnixStream, mut server: UnixStream, way: &Mutex<Way>) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let mut way = way.lock().unwrap();
        if *way == Way::StrandAtCommit && has_commit(&bytes[..count]) {
            *way = Way::Open;
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        if *way == Way::SilentAtDelete && has(&bytes[..count], b"DELETE FROM") {
            *way = Way::Silent;
        }
        if *way != Way::Silent && server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

fn pass_back(mut server: UnixStream, mut client: UnixStream, way: &Mutex<Way>) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        let mut way = way.lock().unwrap();
        if *way == Way::CutAtCommit && has_commit(&bytes[..count]) {
            *way = Way::Open;
            break;
        }
        if *way != Way::Silent && client.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// Whether a commit, or the answer to one, is among these bytes.
fn has_commit(bytes: &[u8]) -> bool {
    has(bytes, b"COMMIT\0")
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|found| found == word)
}

fn url(directory: &Path) -> PathBuf {
    let directory = directory.to_str().unwrap().replace('/', "%2F");
    format!("postgres://{USER}@{directory}/{USER}").into()
}

fn is_root() -> bool {
    number(&run(Command::new("id").arg("-u"))) == 0
}

fn number(text: &str) -> u32 {
    text.trim().parse().unwrap()
}

fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
