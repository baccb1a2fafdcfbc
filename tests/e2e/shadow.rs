//! Rules on trial beside the live ones: they see the same calls, say where they would differ, and do nothing.

use std::fs;

use crate::harness::{Hub, Net, Phone, Setup, assert_sound};

struct Floor {
    setup: Setup,
    asha: Phone,
    _ben: Phone,
    callers: [Phone; 3],
    hub: Hub,
}

fn rule(name: &str, limit: u32) -> String {
    format!(
        "[[overflow]]\nname = \"{name}\"\nfrom = \"gp\"\nwhen-all = {{ waiting-over = {limit} }}\n\
         add-teams = [\"help\"]\n"
    )
}

/// Asha answers; Ben is in a team that rules may add. The rules on trial are in `trial.toml`.
fn floor() -> Floor {
    let net = Net::new();
    let (asha, ben) = (Phone::at(net.agent(1)), Phone::at(net.agent(2)));
    let help = format!("[agent.ben]\naddress = \"{}\"\n[team.help]\nagents = [\"ben\"]\n", ben.uri("ben"));
    let setup = Setup::new(net)
        .agent("asha", asha.uri("asha"))
        .and(&help)
        .with("[sip]", "[node]\nshadow = \"trial.toml\"\n[sip]");
    let live = setup.clone().and(&rule("pressed", 5));
    let hub = live.beside("trial.toml", &setup.clone().and(&rule("sooner", 0))).start();
    Floor { setup, asha, _ben: ben, callers: [(); 3].map(|()| Phone::at(net.surgery())), hub }
}

#[test]
fn what_the_rules_on_trial_would_do_is_logged_with_both_reasons_and_not_done() {
    let Floor { mut asha, mut callers, hub, .. } = floor();
    hub.logs("a shadow policy is on trial");
    callers[0].call(&hub);
    asha.answer();
    callers[1].call(&hub);
    hub.logs("the shadow policy disagrees line=\"gp\" action=\"add-teams\"");
    hub.logs("live=\"none\" because=\"\" shadow=\"sooner\"");
    hub.logs("1 caller waits, over 0");
    asha.bye();
    callers[0].hung_up();
    asha.answer();
    asha.bye();
    callers[1].hung_up();
    let calls = hub.calls(2);
    assert_sound(&calls);
    assert!(calls.iter().all(|call| call.presentations() == [("asha", "answered")]), "Ben is never rung");
}

#[test]
fn a_reload_reads_the_rules_on_trial_again_and_a_bad_file_leaves_the_old_ones_on_trial() {
    let Floor { setup, mut asha, mut callers, hub, .. } = floor();
    callers[0].call(&hub);
    asha.answer();
    let live = setup.clone().and(&rule("pressed", 4));
    fs::write(hub.dir().join("trial.toml"), "[sip]\nlistne = []\n").unwrap();
    hub.reload(&live);
    hub.logs("the shadow policy is not taken over, what was on trial stays so");
    hub.logs("has no key `listne`");
    callers[1].call(&hub);
    hub.logs("shadow=\"sooner\"");
    hub.reload(&live.beside("trial.toml", &setup.and(&rule("later", 1))));
    callers[2].call(&hub);
    hub.logs("shadow=\"later\"");
    asha.bye();
    let [first, others @ ..] = &mut callers;
    first.hung_up();
    for next in others {
        asha.answer();
        asha.bye();
        next.hung_up();
    }
    assert_sound(&hub.calls(3));
}

#[test]
fn rules_that_speak_of_what_the_hub_does_not_have_are_refused_at_the_start() {
    let Floor { setup, hub, .. } = floor();
    let strange = setup.and(&rule("sooner", 0).replace("help", "more"));
    strange.and("[team.more]\nagents = [\"asha\"]\n").write(&hub.dir().join("strange.toml"));
    let output = hub.run(&["run", "--shadow", "strange.toml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the running configuration has no team `more`") && said.contains("strange.toml:"),
        "{said}"
    );
}
