//! One call, message by message, out of the log that is being written.

use std::fs;

use serde_json::{Value, json};

use crate::api::{PASSWORD, setup};
use crate::harness::{Client, Net, Phone, SOON, wait_for};

fn summaries(ladder: &Value) -> Vec<String> {
    let steps = ladder["steps"].as_array().unwrap();
    steps.iter().map(|step| step["summary"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_engineer_sees_a_call_message_by_message_while_it_is_up_and_after_and_nobody_else_does() {
    let net = Net::new();
    let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let hub = setup(net, &phone).start();
    let engineer = Client::new(hub.web).signed_in("engineer", PASSWORD);
    caller.call(&hub);
    phone.answer();
    let talks = |calls: Value| (calls["calls"][0]["state"] == "talking").then_some(calls);
    let calls = wait_for("the talk", SOON, || talks(engineer.get("/api/v1/calls").json()));
    let path = format!("/api/v1/calls/{}/ladder", calls["calls"][0]["id"]);
    for other in ["viewer", "supervisor", "ops", "asha"] {
        assert_eq!(Client::new(hub.web).signed_in(other, PASSWORD).get(&path).status, 403, "{other}");
    }

    let ladder = engineer.get(&path).json();
    let (call, truncated) = (&calls["calls"][0]["id"], &Value::Null);
    assert_eq!((&ladder["call"], &ladder["truncated"]), (call, truncated));
    let first = &ladder["steps"][0];
    assert_eq!(
        (&first["kind"], &first["from"], &first["to"]),
        (&json!("message"), &json!("caller"), &json!("hearken"))
    );
    let detail = first["detail"].as_str().unwrap();
    assert!(detail.contains("INVITE sip:") && detail.contains(&caller.number), "{detail}");
    let said = summaries(&ladder);
    for step in ["INVITE", "200 OK (INVITE)", "presented to asha", "caller and asha hear each other"] {
        assert!(said.iter().any(|summary| summary == step), "{step} is not in {said:#?}");
    }

    caller.bye();
    phone.hung_up();
    hub.call();
    let after = wait_for("the end", SOON, || {
        let said = summaries(&engineer.get(&path).json());
        said.iter().any(|summary| summary.starts_with("over: ")).then_some(said)
    });
    assert!(after.len() > said.len() && after.contains(&"BYE".to_owned()), "{after:#?}");
    for unknown in ["999", "0", "x"] {
        let answer = engineer.get(&format!("/api/v1/calls/{unknown}/ladder"));
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    let audit = engineer.get("/api/v1/audit").json();
    let seen = |entry: &Value| entry["what"] == format!("GET {path}") && entry["who"] == "engineer";
    assert!(audit["entries"].as_array().unwrap().iter().any(seen), "{audit}");

    for file in fs::read_dir(hub.dir().join("flight")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "flight") {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(engineer.get(&path).status, 410);
}

#[test]
fn without_a_flight_log_there_are_no_ladders() {
    let net = Net::new();
    let phone = Phone::at(net.agent(1));
    let hub = setup(net, &phone).and("[flight]\non = false\n").start();
    let engineer = Client::new(hub.web).signed_in("engineer", PASSWORD);
    let answer = engineer.get("/api/v1/calls/1/ladder");
    assert_eq!((answer.status, &answer.json()["detail"]), (409, &json!("this daemon keeps no flight log")));
}
