//! baresip processes: a real phone with real audio. It says one tone all the time and records what it hears.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::net::reserve;
use super::sipp::kill;
use super::{SOON, directory, tone, wait_for};

/// How much of the energy of half a second must lie at a tone's frequency for it to be heard.
const CLEAR: f64 = 0.8;

/// A running baresip; killed when it is dropped.
pub struct Baresip {
    pub address: SocketAddr,
    child: Child,
    dir: TempDir,
}

impl Baresip {
    /// A phone that answers every call, and says `hertz`.
    pub fn agent(host: Ipv4Addr, hertz: f64) -> Baresip {
        Baresip::start(host, hertz, &[])
    }

    /// A phone that calls `uri`, and says `hertz` once it is answered.
    pub fn caller(host: Ipv4Addr, hertz: f64, uri: &str) -> Baresip {
        Baresip::start(host, hertz, &["-e", &format!("/dial {uri}")])
    }

    fn start(host: Ipv4Addr, hertz: f64, arguments: &[&str]) -> Baresip {
        let dir = directory();
        let address = reserve(host);
        let said = tone::write(dir.path(), "said", hertz, Duration::from_secs(60));
        let at = dir.path().display();
        // Its RTP sockets are bound to every address: what it says comes from 127.0.0.1, so its SDP must say so,
        // and what is meant for the same port of any other address reaches it, so it must be a port of its own.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = std::process::id().wrapping_mul(8).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        let ports = 20_000 + count % 1_500 * 8;
        let config = format!(
            "sip_listen {address}\nnet_interface 127.0.0.1\nrtp_ports {ports}-{}\nmodule_path /usr/lib/baresip/modules\n\
             module g711.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\n\
             module_app account.so\nmodule_app menu.so\n\
             audio_source aufile,{}\naudio_player aubridge,nobody\naudio_alert aubridge,nobody\nsnd_path {at}\n",
            ports + 7,
            said.display(),
        );
        fs::write(dir.path().join("config"), config).unwrap();
        let account = format!("<sip:phone@{address}>;regint=0;answermode=auto;audio_codecs=pcma\n");
        fs::write(dir.path().join("accounts"), account).unwrap();
        fs::write(dir.path().join("contacts"), "").unwrap();
        let output = File::create(dir.path().join("output")).unwrap();
        let child = Command::new("baresip")
            .current_dir(dir.path())
            .arg("-f")
            .arg(dir.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let phone = Baresip { address, child, dir };
        wait_for("baresip", SOON, || phone.output().contains("baresip is ready").then_some(()));
        phone
    }

    pub fn uri(&self) -> String {
        format!("sip:phone@{}", self.address)
    }

    /// Waits until what it has recorded so far holds this tone.
    pub fn hears(&self, hertz: f64) {
        wait_for(&format!("{hertz} Hz in the recording"), SOON, || {
            (self.strength(hertz) > CLEAR).then_some(())
        });
    }

    /// Waits, doing something over and over, until it has said this of itself.
    pub fn says(&self, text: &str, mut meanwhile: impl FnMut()) {
        wait_for(text, SOON, || {
            meanwhile();
            self.output().contains(text).then_some(())
        });
    }

    /// Waits until what it has recorded a second after `length` holds this tone.
    pub fn hears_after(&self, length: usize, hertz: f64) {
        wait_for(&format!("{hertz} Hz in the recording, later"), SOON, || {
            let heard = self.recordings().into_iter().map(|(wav, rate)| {
                let later = wav.get(length + rate as usize..).unwrap_or_default();
                tone::strength(later, rate, hertz)
            });
            (heard.fold(0.0, f64::max) > CLEAR).then_some(())
        });
    }

    /// How many samples it has recorded of its only call.
    pub fn recorded(&self) -> usize {
        self.recordings().iter().map(|(wav, _)| wav.len()).max().unwrap_or_default()
    }

    /// The strength of a tone in what it has recorded so far, where that is loudest.
    pub fn strength(&self, hertz: f64) -> f64 {
        let heard = self.recordings().into_iter().map(|(wav, rate)| tone::strength(&wav, rate, hertz));
        heard.fold(0.0, f64::max)
    }

    fn recordings(&self) -> Vec<(Vec<i16>, u32)> {
        let files = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let heard = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.map(|path| tone::read(&path)).collect()
    }

    /// Hangs up and ends.
    pub fn quit(mut self) {
        kill("TERM", &self.child);
        wait_for("the end of baresip", SOON, || self.child.try_wait().unwrap());
    }

    fn output(&self) -> String {
        fs::read_to_string(self.dir.path().join("output")).unwrap_or_default()
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- baresip at {}:\n{}", self.address, self.output());
        }
    }
}
