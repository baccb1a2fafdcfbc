//! A disk that takes nothing: calls go on, and are recorded once it does.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Net, Phone, Setup, assert_sound};

#[test]
fn calls_go_on_while_the_ledger_cannot_be_written_and_are_recorded_when_it_can() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .with("path = \"calls.db\"", "path = \"gone/calls.db\"\nspool = 0")
        .start();
    for _ in 0..2 {
        caller.call(&hub);
        asha.answer();
        caller.bye();
        asha.hung_up();
    }
    hub.logs("the ledger cannot be written: calls go on, records wait");
    fs::create_dir(hub.dir().join("gone")).unwrap();
    symlink("gone/calls.db", hub.dir().join("calls.db")).unwrap();
    let calls = hub.calls(2);
    assert_sound(&calls);
    assert!(calls.iter().all(|call| call.end() == ("answered", Some("caller"))), "{calls:#?}");
    hub.logs("the ledger is written again");
}
