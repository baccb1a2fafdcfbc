//! The web interface, and the file of those who may use it.

use std::fs;

use hearken::access::Role;
use hearken::config;

use super::{GOOD, Site, shorts};

const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$Zm9yIHRlc3RzIG9ubHk$yj4e5cXFEXkHS5ZbRFIr6YyMq9fh6ZZ1uXqIabcdefg";

#[test]
fn users_are_read_with_the_configuration_and_a_bad_file_of_them_is_refused_with_it() {
    let site = Site::new();
    let text = format!("{GOOD}\n[web]\nlisten = \"127.0.0.1:0\"\nusers = \"users.toml\"\n");
    assert!(shorts(&site.report(&text))[0].contains("there is no file `users.toml`"));
    let file = site.0.path().join("users.toml");
    let digest = "ab".repeat(32);
    let good = format!(
        "[user.jo]\npassword = \"{HASH}\"\nroles = [\"supervisor\"]\n\
         [user.screen]\ntokens = [\"sha256:{digest}\"]\nroles = [\"viewer\"]\n"
    );
    fs::write(&file, &good).unwrap();
    let web = site.verdict(&text).unwrap().deployment.web.unwrap();
    let [jo, screen] = &web.users[..] else { panic!("{:?}", web.users) };
    assert_eq!(
        (jo.name.as_str(), &jo.roles[..], jo.password.as_deref()),
        ("jo", &[Role::Supervisor][..], Some(HASH))
    );
    assert_eq!(screen.tokens, [[0xab; 32]]);
    fs::write(&file, good.replace("supervisor", "supervisr")).unwrap();
    let report = site.report(&text);
    assert!(report.file().ends_with("users.toml"));
    assert_eq!(report.diagnostics()[0].suggestion.as_deref(), Some("supervisor"));
}

#[test]
fn each_fault_of_a_user_is_shown_at_its_place() {
    let cases = [
        (
            "[user.jo]\npassword = \"secret\"\nroles = [\"viewer\"]\n",
            "2:12 error: this is no hash of a password",
        ),
        (
            "[user.jo]\ntokens = [\"secret\"]\nroles = [\"viewer\"]\n",
            "2:11 error: this is no hash of a token",
        ),
        // As many letters, but a sign among them.
        (
            &format!("[user.jo]\ntokens = [\"sha256:{}\"]\nroles = [\"viewer\"]\n", "+f".repeat(32)),
            "2:11 error: this is no hash of a token",
        ),
        ("[user.jo]\nroles = [\"viewer\"]\n", "1:7 error: this user has neither a password nor a token"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("users.toml");
    for (text, fault) in cases {
        fs::write(&file, text).unwrap();
        let errors = config::users(&file).unwrap_err();
        assert!(shorts(&errors.0)[0].starts_with(fault), "{:?}", shorts(&errors.0));
    }
    let dear = HASH.replace("m=8,", "m=4000000,");
    fs::write(&file, format!("[user.jo]\npassword = \"{dear}\"\nroles = [\"agent\"]\n")).unwrap();
    let errors = config::users(&file).unwrap_err().0;
    let found = shorts(&errors).join("\n");
    assert!(found.contains("too much time or memory") && found.contains("not which `agent`"), "{found}");
}
