//! The daemon as a whole, where it must look after itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::calendar::Local;
use crate::config;

/// A daemon on loopback, with its files in `dir`.
fn deployment(dir: &Path, flight: bool) -> Deployment {
    let at = dir.display();
    let text = format!(
        r#"[sip]
listen = ["udp:127.0.0.1:0"]
[media]
threads = 2
first-port = 0
shared-ports = 1
spill-ports = 8
[ledger]
path = "{at}/hearken.db"
[web]
on = false
[flight]
on = {flight}
directory = "{at}/flight"
[agent.asha]
address = "sip:asha@127.0.0.21:5080"
[team.hub]
agents = ["asha"]
[line.elm-tree]
teams = ["hub"]
[trunk.elm-tree]
from = ["127.0.0.2"]
line = "elm-tree"
"#
    );
    let today = "2026-06-01T00:00".parse::<Local>().unwrap().date;
    config::parse(&text, "hearken.toml", dir, today).unwrap_or_else(|errors| panic!("{errors}")).deployment
}

#[test]
fn a_media_thread_that_dies_ends_the_daemon_so_that_the_next_one_resumes_its_calls() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for flight in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut deployment = deployment(dir.path(), flight);
        let past = Past::open(&mut deployment, inherit::Inherited::default()).unwrap();
        let ended = runtime.block_on(async {
            let (_orders, received) = mpsc::channel(1);
            let daemon = Daemon::start(deployment.clone(), past, received, ()).unwrap();
            assert!(daemon.media.running());
            daemon.media.end_one();
            daemon.run().await
        });
        assert!(matches!(ended, Err(Failure::MediaDied)), "{ended:?}");
        let past = Past::open(&mut deployment, inherit::Inherited::default()).unwrap();
        assert_eq!(past.left.is_some(), flight, "whoever comes next takes its state over");
    }
}
