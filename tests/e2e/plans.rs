//! Configurations that are put into force over HTTP, and what is kept of them.

use std::fs;

use serde_json::{Value, json};

use crate::api::{PASSWORD, setup};
use crate::harness::{Client, FAILS, Hub, Net, Phone, SOON, wait_for};

/// Somebody who may change the configuration.
struct Ops(Client);

impl Ops {
    fn of(hub: &Hub) -> Ops {
        Ops(Client::new(hub.web).signed_in("ops", PASSWORD))
    }

    fn plan(&self) -> Value {
        self.0.get("/api/v1/plan").json()
    }

    fn text(&self) -> String {
        self.plan()["text"].as_str().unwrap().to_owned()
    }

    /// Puts a text in the place of a version; the answer's status and body.
    fn put(&self, version: u64, text: &str) -> (u16, Value) {
        let client = self.0.clone().with("If-Match", &format!("\"{version}\""));
        let answer = client.send("PUT", "/api/v1/plan", Some(&json!({ "text": text, "note": "a test" })));
        (answer.status, answer.json())
    }

    /// Number, by whom and what for, of each that is kept.
    fn versions(&self) -> Vec<(u64, String, String)> {
        let answer = self.0.get("/api/v1/plan/versions").json();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let versions = answer["versions"].as_array().unwrap().iter();
        versions.map(|one| (one["version"].as_u64().unwrap(), text(one, "by"), text(one, "note"))).collect()
    }
}

fn kept(version: u64, by: &str, note: &str) -> (u64, String, String) {
    (version, by.to_owned(), note.to_owned())
}

/// What the file of the daemon has.
fn file(hub: &Hub) -> String {
    fs::read_to_string(hub.dir().join("hearken.toml")).unwrap()
}

fn detail(answer: &Value) -> &str {
    answer["detail"].as_str().unwrap()
}

#[test]
fn what_was_put_into_force_outlives_a_killed_daemon_and_callers_keep_their_places() {
    let net = Net::new();
    let (mut asha, mut ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let mut callers = [(); 3].map(|()| Phone::at(net.surgery()));
    let mut hub = setup(net, &asha).start();
    callers[0].call(&hub);
    asha.answer();
    callers[1].call(&hub);
    callers[2].call(&hub);
    let ops = Ops::of(&hub);
    let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD);
    let mut stream = supervisor.follow();
    // Ben is on the floor, and in no team yet.
    let ben_is_there = format!(
        "{}[agent.ben]\naddress = \"{}\"\n[team.more]\nagents = [\"ben\"]\n",
        ops.text(),
        ben.uri("ben")
    );
    let (status, answer) = ops.put(1, &ben_is_there);
    assert_eq!((status, &answer["version"], &answer["by"]), (200, &json!(2), &json!("ops")), "{answer}");
    assert!(answer["changes"].to_string().contains("+ agent.ben"), "{answer}");
    assert_eq!(stream.board(|board| board["plan"]["version"] == 2)["lines"][0]["waiting"], 2);
    assert_eq!(file(&hub), ben_is_there);

    hub.kill();
    hub.restart();
    let ops = Ops::of(&hub);
    let plan = ops.plan();
    assert_eq!((&plan["version"], &plan["by"], &plan["note"]), (&json!(2), &json!("ops"), &json!("a test")));
    assert_eq!(plan["text"], ben_is_there);
    assert_eq!(ops.versions(), [kept(2, "ops", "a test"), kept(1, "start", "")]);
    // Numbers go on, and it routes calls: Ben answers who waits the longest, then who came next.
    let helps =
        ben_is_there.replace("[line.gp]\nteams = [\"hub\"]", "[line.gp]\nteams = [\"hub\", \"more\"]");
    assert_eq!(ops.put(2, &helps).0, 200);
    for caller in [1, 2] {
        let invite = ben.answer();
        assert!(invite.must("From").contains(&callers[caller].number), "{}", invite.text);
        ben.bye();
        callers[caller].hung_up();
    }
    asha.bye();
    callers[0].hung_up();
    assert_eq!(ops.versions()[0], kept(3, "ops", "a test"));
}

#[test]
fn what_cannot_be_put_into_force_changes_nothing_and_says_why() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = setup(net, &asha).start();
    let ops = Ops::of(&hub);
    let text = ops.text();
    let refused = |version: u64, text: &str, status: u16| {
        let before = file(&hub);
        let (answered, answer) = ops.put(version, text);
        assert_eq!(answered, status, "{answer}");
        assert_eq!((ops.plan()["version"].as_u64(), file(&hub) == before), (Some(1), true), "{answer}");
        answer
    };
    let changed = text.replace("ring-for = \"20s\"", "ring-for = \"9s\"");
    let body = json!({ "text": changed, "note": "a test" });
    assert_eq!(ops.0.send("PUT", "/api/v1/plan", Some(&body)).status, 428);
    let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD).with("If-Match", "\"1\"");
    assert_eq!(supervisor.send("PUT", "/api/v1/plan", Some(&body)).status, 403);
    let blank = json!({ "text": changed, "note": " " });
    assert_eq!(ops.0.clone().with("If-Match", "\"1\"").send("PUT", "/api/v1/plan", Some(&blank)).status, 400);

    assert_eq!(refused(7, &changed, 412)["in_force"]["version"], 1);
    let faulty = refused(1, &text.replace("teams = [\"hub\"]", "teams = [\"hob\"]"), 422);
    assert_eq!(faulty["diagnostics"][0]["suggestion"], "hub");
    let fails = refused(1, &(text.clone() + FAILS), 422);
    assert!(fails["diagnostics"].to_string().contains("thirty wait"), "{fails}");
    let host = refused(1, &text.replace("users = \"users.toml\"", "users = \"hearken.toml\""), 422);
    assert!(host["diagnostics"][0]["message"].as_str().unwrap().contains("[web]"), "{host}");
    refused(1, &text, 409);
    // A line in which somebody waits, for whom a phone rings.
    caller.call(&hub);
    let invite = asha.ring();
    let other = text.replace("line = \"gp\"", "line = \"other\"").replace("[line.gp]", "[line.other]");
    let stranded = refused(1, &other, 409);
    assert_eq!(stranded["stranded"], json!([{ "line": "gp", "waiting": 1 }]));
    asha.accept(&invite);
    asha.bye();
    caller.hung_up();
    // Where a file is to be written, something else is.
    let in_the_way = [hub.dir().join("hearken.toml.new"), hub.dir().join("calls.plans/2.toml.new")];
    for path in in_the_way {
        fs::create_dir(&path).unwrap();
        let unwritable = refused(1, &changed, 409);
        assert!(detail(&unwritable).contains("cannot be"), "{unwritable}");
        fs::remove_dir(&path).unwrap();
    }
    // Somebody's edit that nobody has taken over is not lost.
    fs::write(hub.dir().join("hearken.toml"), format!("# by hand\n{text}")).unwrap();
    assert!(detail(&refused(1, &changed, 409)).contains("changed on the host"));
    hub.signal("HUP");
    hub.logs("the configuration is taken over");
    wait_for("the file's version", SOON, || (ops.plan()["version"] == 2).then_some(()));
    assert_eq!(ops.versions(), [kept(2, "SIGHUP", ""), kept(1, "start", "")]);
    assert_eq!(ops.put(2, &changed).0, 200);
}

#[test]
fn a_version_is_put_into_force_again_and_everything_is_written_down() {
    let net = Net::new();
    let asha = Phone::at(net.agent(1));
    let hub = setup(net, &asha).start();
    let ops = Ops::of(&hub);
    let first = ops.text();
    let second = first
        .replace("[sip]\n", "[sip]\nt1 = \"400ms\"\n")
        .replace("ring-for = \"20s\"", "ring-for = \"9s\"");
    let (status, answer) = ops.put(1, &second);
    assert_eq!((status, &answer["at_restart"]), (200, &json!(["sip.t1"])), "{answer}");
    assert_eq!(ops.0.get("/api/v1/plan").header("etag"), Some("\"2\""));
    let back = |version: u64, of: u64| {
        let client = ops.0.clone().with("If-Match", &format!("\"{of}\""));
        client.post("/api/v1/plan/roll-back", &json!({ "version": version, "note": "that was worse" }))
    };
    assert_eq!(back(1, 1).status, 412);
    assert_eq!(back(9, 2).status, 404);
    assert_eq!(back(1, 2).json()["version"], 3);
    assert_eq!((ops.text(), file(&hub)), (first.clone(), first));
    assert_eq!(ops.0.get("/api/v1/plan/versions/2").json()["text"], second);
    assert_eq!(ops.0.get("/api/v1/plan/versions/x").status, 404);
    assert_eq!(ops.versions()[0], kept(3, "ops", "that was worse"));
    let audit = Client::new(hub.web).signed_in("engineer", PASSWORD).get("/api/v1/audit").json();
    let entries = audit["entries"].as_array().unwrap().iter();
    let put = entries.filter(|entry| entry["what"] == "PUT /api/v1/plan").collect::<Vec<_>>();
    assert_eq!((put.len(), &put[0]["who"], &put[0]["with"]), (1, &json!("ops"), &json!("a test")), "{audit}");
    hub.logs("~ line.gp.ring-for: \"20s\" -> \"9s\"");
}

#[test]
fn a_day_of_the_ledger_is_lived_again_under_the_draft_and_the_configuration_in_force() {
    let net = Net::new();
    let (mut asha, mut caller) = (Phone::at(net.agent(1)), Phone::at(net.surgery()));
    let hub = setup(net, &asha).start();
    let ops = Ops::of(&hub);
    let day = jiff::Timestamp::now().in_tz("Europe/London").unwrap().date();
    let ask = |load: String| {
        let answer = ops.0.post("/api/v1/plan/simulate", &json!({ "text": ops.text(), "load": load }));
        (answer.status, answer.json())
    };
    assert_eq!(ask(format!("ledger:{day}")).0, 409, "nobody has called");
    caller.call(&hub);
    asha.answer();
    asha.bye();
    caller.hung_up();
    hub.call();
    let (status, answer) = ask(format!("ledger:{day}"));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["load"], answer["policies"].as_array().unwrap().len()),
        (&json!(format!("ledger:{day}")), 2)
    );
    let row = &answer["compared"][0];
    assert_eq!(
        (&row["of"], &row["what"], &row["in_force"]),
        (&json!("routine"), &json!("answered"), &json!(1.0)),
        "{answer}"
    );
    for load in ["/etc/passwd", "pilot-monday"] {
        assert_eq!(ask(load.to_owned()).0, 409, "{load}");
    }
}
