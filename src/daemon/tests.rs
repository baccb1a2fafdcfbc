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

#[test]
fn a_caller_does_not_wait_for_all_who_ask() {
    const MANY: usize = 200;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut deployment = deployment(dir.path(), false);
    let past = Past::open(&mut deployment, inherit::Inherited::default()).unwrap();
    let told = runtime.block_on(async {
        let (_orders, received) = mpsc::channel(1);
        let mut daemon = Daemon::start(deployment, past, received, ()).unwrap();
        let (ask, asks) = mpsc::channel(MANY);
        daemon.asks = asks;
        let answers: Vec<_> = std::iter::repeat_with(|| {
            let (to, answer) = tokio::sync::oneshot::channel();
            ask.try_send(Ask::LastCall(to)).unwrap();
            answer
        })
        .take(MANY)
        .collect();
        let caller = std::net::UdpSocket::bind("127.0.0.2:0").unwrap();
        let from = caller.local_addr().unwrap();
        let invite = format!(
            "INVITE sip:02079460101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:07700900123@{from}>;tag=a\r\nTo: <sip:02079460101@127.0.0.1>\r\nCall-ID: one\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:07700900123@{from}>\r\nContent-Length: 0\r\n\r\n"
        );
        caller.send_to(invite.as_bytes(), daemon.addresses()[0].1).unwrap();
        let all = async {
            let mut told = Vec::new();
            for answer in answers {
                told.push(answer.await.unwrap());
            }
            told
        };
        tokio::select! {
            told = all => told,
            _ = daemon.run() => panic!("it goes on"),
        }
    });
    let before = told.iter().filter(|last| last.0 == 0).count();
    assert!(before < MANY / 10, "{before} of {MANY} were answered before the caller");
}
