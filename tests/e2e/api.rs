//! The web interface as its clients see it, with real calls behind it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::{Value, json};

use crate::harness::{Client, Net, Phone, SOON, Setup, wait_for};

pub const PASSWORD: &str = "correct horse battery";
/// The token of one who may do everything.
const ALL: &str = "a token for everything";
const TOKEN: &str = "a token for a screen on the wall";

/// A daemon with one agent, and a user for each role with the role's name; `asha` is the agent, `screen` has a token.
pub fn setup(net: Net, phone: &Phone) -> Setup {
    // Dear hashes are for real passwords.
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"for tests only").unwrap();
    let hash = argon.hash_password(PASSWORD.as_bytes(), &salt).unwrap().to_string();
    let user = |name: &str, role: &str, more: &str| {
        format!("[user.{name}]\npassword = \"{hash}\"\nroles = [\"{role}\"]\n{more}\n")
    };
    let roles = ["viewer", "supervisor", "ops", "engineer"];
    let mut users: String = roles.iter().map(|role| user(role, role, "")).collect();
    users += &user("asha", "agent", "agent = \"asha\"");
    let digest_of = |token: &str| -> String {
        hearken::web::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let every = "\"viewer\", \"agent\", \"supervisor\", \"ops\", \"engineer\"";
    users += &format!(
        "[user.all]\ntokens = [\"sha256:{}\"]\nroles = [{every}]\nagent = \"asha\"\n",
        digest_of(ALL)
    );
    users += &format!("[user.screen]\ntokens = [\"sha256:{}\"]\nroles = [\"viewer\"]\n", digest_of(TOKEN));
    Setup::new(net)
        .agent("asha", phone.uri("asha"))
        .with("[web]\n", "[web]\nusers = \"users.toml\"\n")
        .file("users.toml", &users)
}

#[test]
fn without_users_only_health_and_metrics_are_served_and_the_answer_says_what_to_do() {
    let net = Net::new();
    let hub = Setup::new(net).agent("asha", Phone::at(net.agent(1)).uri("asha")).start();
    let anybody = Client::new(hub.web);
    assert_eq!(anybody.get("/healthz").body, "live\n");
    wait_for("a daemon that is ready", SOON, || (anybody.get("/readyz").body == "ready\n").then_some(()));
    let metrics = anybody.get("/metrics");
    assert!(metrics.body.contains("\nhearken_calls 0\n") && metrics.body.contains("\nhearken_ready 1\n"));
    for path in ["/api/v1/board", "/api/v1/stream", "/api/v1/calls", "/api/v1/me"] {
        let answer = anybody.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (401, Some("application/problem+json")));
        assert!(answer.json()["detail"].as_str().unwrap().contains("hearken user NAME"), "{answer:?}");
    }
    let page = anybody.get("/");
    assert_eq!((page.status, page.header("x-content-type-options")), (200, Some("nosniff")));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    assert_eq!(anybody.get("/nowhere").status, 404);
    assert_eq!(anybody.send("DELETE", "/api/v1/board", None).status, 405);
    // Whoever comes through a proxy is not of this host.
    assert_eq!(anybody.with("X-Forwarded-For", "192.0.2.1").get("/metrics").status, 401);
}

#[test]
fn a_session_is_as_good_as_its_password_its_role_and_its_header() {
    let net = Net::new();
    let phone = Phone::at(net.agent(1));
    let hub = setup(net, &phone).start();
    let anybody = Client::new(hub.web);
    assert_eq!(anybody.sign_in("viewer", "wrong").status, 401);
    assert_eq!(anybody.sign_in("nobody", PASSWORD).status, 401);

    let viewer = anybody.clone().signed_in("viewer", PASSWORD);
    let me = json!({ "name": "viewer", "roles": ["viewer"], "agent": null });
    assert_eq!(viewer.get("/api/v1/me").json(), me);
    assert_eq!(viewer.get("/api/v1/calls").status, 403);
    assert_eq!(viewer.get("/api/v1/agents/asha").status, 403);
    let agent = anybody.clone().signed_in("asha", PASSWORD);
    assert_eq!(agent.get("/api/v1/agents/asha").json()["agent"]["state"], "free");
    assert_eq!(agent.get("/api/v1/agents/ben").status, 403);
    let screen = anybody.clone().with("Authorization", &format!("Bearer {TOKEN}"));
    assert_eq!(screen.get("/api/v1/board").status, 200);
    assert_eq!(anybody.clone().with("Authorization", "Bearer x").get("/api/v1/board").status, 401);

    // A page of another site can send the cookie, but not the header.
    let cookie = viewer.clone().without("x-hearken");
    assert_eq!(cookie.send("DELETE", "/api/v1/session", None).status, 403);
    assert_eq!(viewer.send("DELETE", "/api/v1/session", None).status, 200);
    assert_eq!(viewer.get("/api/v1/me").status, 401);

    for _ in 0..5 {
        assert_eq!(anybody.sign_in("ops", "wrong").status, 401);
    }
    let locked = anybody.sign_in("ops", PASSWORD);
    assert!(locked.status == 429 && locked.header("retry-after").is_some(), "{locked:?}");
    let engineer = anybody.signed_in("engineer", PASSWORD);
    let audit = engineer.get("/api/v1/audit").json();
    let entries = audit["entries"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["with"] == "ops" && entry["status"] == 429), "{audit}");
    assert!(!audit.to_string().contains(PASSWORD) && !hub.log().contains(PASSWORD));
}

#[test]
fn a_call_is_seen_from_its_arrival_to_its_end_and_counted() {
    let net = Net::new();
    let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let hub = setup(net, &phone).start();
    let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD);
    let mut stream = supervisor.follow();
    let free = |board: &Value| board["agents"][0]["state"] == "free";
    let first = stream.board(free);
    assert_eq!(
        first["lines"][0]["today"],
        json!({
            "calls": 0, "answered": 0, "answered_in_target": 0, "abandoned": 0, "other": 0
        })
    );

    caller.call(&hub);
    let arrived = stream.news("arrived");
    assert_eq!((&arrived.data["line"], &arrived.data["trunk"]), (&json!("gp"), &json!("surgery")));
    let id = arrived.data["call"].as_u64().unwrap();
    stream.news("presented");
    let invite = phone.ring();
    let shown = supervisor.get(&format!("/api/v1/calls/{id}")).json();
    assert_eq!(
        (&shown["state"], &shown["agent"], &shown["line"]),
        (&json!("ringing"), &json!("asha"), &json!("gp"))
    );
    phone.accept(&invite);
    let bridged = stream.news("bridged");
    assert_eq!((bridged.data["call"].as_u64(), &bridged.data["agent"]), (Some(id), &json!("asha")));
    let talking = stream.board(|board| board["agents"][0]["state"] == "talking");
    assert_eq!(talking["agents"][0]["call"], id);
    assert_eq!(
        (&talking["lines"][0]["name"], &talking["lines"][0]["today"]["answered"]),
        (&json!("gp"), &json!(1))
    );

    caller.bye();
    phone.hung_up();
    let ended = stream.news("ended");
    assert_eq!((&ended.data["outcome"], &ended.data["ended_by"]), (&json!("answered"), &json!("caller")));
    drop(stream);
    // Whoever was away is told what was missed.
    let mut back = supervisor.clone().with("Last-Event-ID", &bridged.id).follow();
    assert_eq!(back.news("ended").data["call"], id);
    let mut stranger = supervisor.clone().with("Last-Event-ID", "0-7").follow();
    assert_eq!(stranger.next().event, "gap");
    let metrics = Client::new(hub.web).get("/metrics").body;
    assert!(metrics.contains("hearken_calls_total 1\n"), "{metrics}");
}

#[test]
fn whoever_is_signed_out_or_no_user_any_more_is_told_nothing_more() {
    let net = Net::new();
    let phone = Phone::at(net.agent(1));
    let setup = setup(net, &phone);
    let hub = setup.start();
    let viewer = Client::new(hub.web).signed_in("viewer", PASSWORD);
    let mut stream = viewer.follow();
    stream.board(|_| true);
    assert_eq!(viewer.send("DELETE", "/api/v1/session", None).status, 200);
    stream.ends();
    let screen = Client::new(hub.web).with("Authorization", &format!("Bearer {TOKEN}"));
    let mut stream = screen.follow();
    stream.board(|_| true);
    hub.reload(&setup.file("users.toml", ""));
    hub.logs("~ web.users: \"users.toml\" -> \"users.toml\", written again");
    stream.ends();
    assert_eq!(screen.get("/api/v1/board").status, 401);
}

#[test]
fn guesses_at_a_password_that_come_together_are_counted_one_by_one() {
    let net = Net::new();
    let phone = Phone::at(net.agent(1));
    // To try this one takes long enough for all to come meanwhile.
    let hash = hearken::web::hashed(PASSWORD, &[7; 16]);
    let users = format!("[user.olga]\npassword = \"{hash}\"\nroles = [\"ops\"]\n");
    let hub = setup(net, &phone).file("users.toml", &users).start();
    let guesses = [(); 12].map(|()| {
        let client = Client::new(hub.web);
        std::thread::spawn(move || client.sign_in("olga", "wrong").status)
    });
    let mut answers = guesses.map(|guess| guess.join().unwrap());
    answers.sort_unstable();
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429, 429, 429, 429, 429, 429]);
    // Nobody has so long a name, and the audit does not keep it.
    let long = "o".repeat(65);
    assert_eq!(Client::new(hub.web).sign_in(&long, "wrong").status, 401);
    assert!(!hub.log().contains(&long));
}

#[test]
fn what_was_counted_today_outlives_the_daemon() {
    let net = Net::new();
    let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let setup = setup(net, &phone);
    let hub = setup.start();
    caller.call(&hub);
    phone.answer();
    let client = Client::new(hub.web).with("Authorization", &format!("Bearer {TOKEN}"));
    let answered =
        |client: &Client| client.get("/api/v1/board").json()["lines"][0]["today"]["answered"].clone();
    wait_for("the call on the board", SOON, || (answered(&client) == 1).then_some(()));
    caller.bye();
    phone.hung_up();
    hub.call();
    let mut hub = hub;
    hub.signal("INT");
    hub.ended(SOON);
    let hub = hub.restarted_elsewhere();
    let client = Client::new(hub.web).with("Authorization", &format!("Bearer {TOKEN}"));
    wait_for("the same counts", Duration::from_secs(5), || (answered(&client) == 1).then_some(()));
}

#[test]
fn an_agent_works_by_the_interface_and_a_supervisor_orders_callers() {
    let net = Net::new();
    let (mut first, mut second, mut phone) =
        (Phone::at(net.surgery()), Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let hub = setup(net, &phone).start();
    let agent = Client::new(hub.web).signed_in("asha", PASSWORD);
    let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD);
    let mut stream = supervisor.follow();
    let order = |client: &Client, path: &str, body: &Value| {
        let answer = client.post(&format!("/api/v1/{path}"), body);
        (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    let done = (200, String::new());

    assert_eq!(order(&agent, "agents/asha/pause", &json!({ "reason": "lunch" })), done);
    let board = stream.board(|board| board["agents"][0]["state"] == "paused");
    assert_eq!(board["agents"][0]["reason"], "lunch");
    assert_eq!(order(&agent, "agents/asha/log-in", &json!({})), (409, "the agent is paused".to_owned()));
    assert_eq!(order(&agent, "agents/ben/resume", &json!({})).0, 403);
    assert_eq!(order(&supervisor, "agents/ben/resume", &json!({})).0, 404);
    assert_eq!(order(&agent, "agents/asha/pause", &json!({ "why": "lunch" })).0, 400);

    first.call(&hub);
    let first_id = stream.news("arrived").data["call"].as_u64().unwrap();
    second.call(&hub);
    let second_id = stream.news("arrived").data["call"].as_u64().unwrap();
    assert_eq!(order(&agent, &format!("calls/{second_id}/emergency"), &json!({})).0, 403);
    assert_eq!(order(&supervisor, &format!("calls/{second_id}/emergency"), &json!({})), done);
    assert_eq!(stream.news("flagged").data["call"], second_id);
    let again = order(&supervisor, &format!("calls/{second_id}/emergency"), &json!({}));
    assert_eq!(again, (409, "this is an emergency already".to_owned()));
    assert_eq!(order(&supervisor, "calls/999999/emergency", &json!({})).0, 404);

    // Sent twice for want of an answer, an order is given once.
    let once = agent.clone().with("Idempotency-Key", "k1");
    for _ in 0..2 {
        assert_eq!(order(&once, "agents/asha/resume", &json!({})), done);
    }
    assert_eq!(order(&once, "agents/asha/log-out", &json!({})).0, 409);
    let invite = phone.ring();
    assert_eq!(stream.news("presented").data["call"], second_id, "who came later, and is an emergency");
    phone.accept(&invite);
    stream.news("bridged");
    assert_eq!(order(&agent, "agents/asha/transfer", &json!({ "to": "nobody" })).0, 404);

    let hung_up = order(&supervisor, &format!("calls/{first_id}/hang-up"), &json!({ "reason": "abuse" }));
    assert_eq!(hung_up, done);
    assert_eq!(stream.news("ended").data["ended_by"], "supervisor");
    first.hung_up();
    second.bye();
    phone.hung_up();
    let engineer = Client::new(hub.web).signed_in("engineer", PASSWORD);
    let audit = engineer.get("/api/v1/audit").json();
    let entry =
        audit["entries"].as_array().unwrap().iter().find(|entry| entry["with"] == "{\"reason\":\"abuse\"}");
    let entry = entry.unwrap_or_else(|| panic!("{audit}"));
    assert_eq!((&entry["who"], &entry["status"]), (&json!("supervisor"), &json!(200)));
    hub.logs("audit: ordered");
}

/// What a description cannot say: whether a text is a configuration, and which version is in force; whether two days are
/// in order, and whether there is such a practice.
const OTHER_ANSWERS: &str = r#"
[[operations]]
include-operation-id = "putPlan"
checks.positive_data_acceptance.expected-statuses = [200, 409, 412, 422]
checks.missing_required_header.expected-statuses = [428]
[[operations]]
include-operation-id = "rollBackPlan"
checks.positive_data_acceptance.expected-statuses = [200, 404, 409, 412]
[[operations]]
include-path-regex = "/reports/"
checks.positive_data_acceptance.expected-statuses = [200, 400, 404]
"#;

/// Sends requests made from the description, sound and unsound, and holds the answers against it.
#[test]
fn the_interface_is_as_its_description_says() {
    let net = Net::new();
    let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let program =
        Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap().join("python/bin/schemathesis");
    assert!(program.exists(), "{}: tests/run installs it", program.display());
    let hub = setup(net, &phone)
        .with("[web]\n", "[web]\nrequests-per-second = 10000\n")
        .file("schemathesis.toml", OTHER_ANSWERS)
        .start();
    caller.call(&hub);
    phone.answer();
    let everything = Client::new(hub.web).with("Authorization", &format!("Bearer {ALL}"));
    assert_eq!(everything.get("/api/v1/me").status, 200);
    let description = format!("http://{}/api/v1/openapi.json", hub.web.unwrap());
    let run = Command::new(program)
        .current_dir(hub.dir())
        .args(["run", &description, "--header", &format!("Authorization: Bearer {ALL}")])
        // A stream has no end, and signing out ends nothing for a token.
        .args(["--exclude-path", "/api/v1/stream"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "1", "--no-color"])
        .args(["--request-timeout", "10"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}");
}

#[test]
fn whoever_changes_the_configuration_can_see_it_and_try_another() {
    let net = Net::new();
    let phone = Phone::at(net.agent(1));
    let setup = setup(net, &phone);
    let hub = setup.start();
    let ops = Client::new(hub.web).signed_in("ops", PASSWORD);
    assert_eq!(Client::new(hub.web).signed_in("supervisor", PASSWORD).get("/api/v1/plan").status, 403);
    let plan = ops.get("/api/v1/plan").json();
    let text = plan["text"].as_str().unwrap();
    assert!(plan["version"] == 1 && text.contains("[line.gp]"), "{plan}");

    let ask = |what: &str, body: Value| ops.post(&format!("/api/v1/plan/{what}"), &body);
    let check = |text: &str| ask("check", json!({ "text": text })).json();
    assert_eq!(check(text)["ok"], true);
    let found = check(&text.replace("teams = [\"hub\"]", "teams = [\"hob\"]"))["diagnostics"][0].clone();
    assert_eq!((&found["severity"], &found["suggestion"]), (&json!("error"), &json!("hub")));
    let changed = text.replace("ring-for = \"20s\"", "ring-for = \"9s\"");
    let diff = ask("diff", json!({ "text": changed })).json();
    assert_eq!((diff["changes"].as_array().unwrap().len(), &diff["touches"]), (2, &json!([])), "{diff}");
    let answer = ask("explain", json!({ "question": { "line": "gp", "given": { "gp.waiting": 9 } } })).json();
    assert_eq!((&answer["line"], &answer["stays"]), (&json!("gp"), &json!(true)), "{answer}");
    assert_eq!(ask("explain", json!({ "question": { "line": "nowhere" } })).status, 409);

    hub.reload(&setup.clone().with("ring-for = \"20s\"", "ring-for = \"9s\""));
    let plan = wait_for("the new plan", SOON, || {
        Some(ops.get("/api/v1/plan").json()).filter(|plan| plan["version"] == 2)
    });
    assert!(plan["text"].as_str().unwrap().contains("ring-for = \"9s\""), "{plan}");
}

#[test]
fn an_engineer_sees_where_sip_is_spoken_and_what_came_there() {
    let net = Net::new();
    let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
    let hub = setup(net, &phone).start();
    let engineer = Client::new(hub.web).signed_in("engineer", PASSWORD);
    assert_eq!(Client::new(hub.web).signed_in("supervisor", PASSWORD).get("/api/v1/transports").status, 403);
    let before = engineer.get("/api/v1/transports").json();
    let listeners = before["listeners"].as_array().unwrap();
    let kinds: Vec<_> = listeners.iter().map(|one| (&one["transport"], &one["connections"])).collect();
    assert_eq!(kinds, [(&json!("UDP"), &Value::Null), (&json!("TCP"), &json!(0))]);
    assert_eq!(listeners[0]["address"], hub.udp.to_string());
    assert_eq!(before["datagrams"]["received"], 0);
    let _stream = std::net::TcpStream::connect(listeners[1]["address"].as_str().unwrap()).unwrap();
    caller.call(&hub);
    phone.answer();
    wait_for("the connection, and what the call took", SOON, || {
        let now = engineer.get("/api/v1/transports").json();
        let (received, sent) = (&now["datagrams"]["received"], &now["datagrams"]["sent"]);
        let counted = received.as_u64().unwrap() >= 3 && sent.as_u64().unwrap() >= 3;
        (counted && now["listeners"][1]["connections"] == 1).then_some(())
    });
}
