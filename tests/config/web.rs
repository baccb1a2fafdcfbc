//! The web interface, and the file of those who may use it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

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
        (
            "[user.jo]\noidc = \"j\"\nroles = [\"viewer\"]\n[user.ben]\noidc = \"j\"\nroles = [\"viewer\"]\n",
            "5:8 error: two users are \"j\" to the provider",
        ),
        ("[user.jo]\noidc = \"\"\nroles = [\"viewer\"]\n", "2:8 error: `oidc` must be a line"),
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

const OIDC: &str = "[web.oidc]\nissuer = \"https://login.example.nhs.uk/realms/trust\"\nclient-id = \"hearken\"\n\
    client-secret-file = \"oidc.secret\"\nredirect = \"https://hearken.example.nhs.uk/api/v1/oidc/return\"\n";

/// A site with a secret that only its owner can read.
fn with_secret() -> (Site, PathBuf) {
    let site = Site::new();
    let file = site.0.path().join("oidc.secret");
    fs::write(&file, "hunter2\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    (site, file)
}

#[test]
fn a_provider_is_read_with_its_secret_which_nothing_shows() {
    let (site, _) = with_secret();
    let web = |text: &str| site.verdict(&format!("{GOOD}\n{text}")).unwrap().deployment.web.unwrap();
    assert_eq!(web("[web.oidc]\nname = \"Trust\"\n").provider, None, "without an issuer there is none");
    let settings = web(OIDC);
    let provider = settings.provider.clone().unwrap();
    assert_eq!(
        (provider.claim.as_str(), provider.name.as_str()),
        ("preferred_username", "your organisation")
    );
    assert_eq!(
        (provider.secret.0.as_str(), &provider.scopes[..]),
        ("hunter2", &["profile", "email"].map(String::from)[..])
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
    let users = site.0.path().join("users.toml");
    fs::write(&users, "[user.ben]\noidc = \"ben@example.nhs.uk\"\nroles = [\"viewer\"]\n").unwrap();
    let ben = &config::users(&users).unwrap()[0];
    assert_eq!((ben.oidc.as_deref(), &ben.password), (Some("ben@example.nhs.uk"), &None));
}

#[test]
fn each_fault_of_a_provider_is_shown_at_its_place() {
    let (site, file) = with_secret();
    let found = |text: &str| {
        let report = site.report(&format!("{GOOD}\n{text}"));
        let first = &report.diagnostics()[0];
        (first.message.clone(), first.suggestion.clone().unwrap_or_default())
    };
    let cases = [
        ("https://login", "http://login", "is no issuer", ""),
        (
            "/realms/trust",
            "/realms/trust/.well-known/openid-configuration",
            "where the issuer's description lies",
            "https://login.example.nhs.uk/realms/trust",
        ),
        ("https://hearken", "http://hearken", "nobody comes back to", ""),
        (
            "nhs.uk/api/v1/oidc/return",
            "nhs.uk",
            "nobody comes back to",
            "https://hearken.example.nhs.uk/api/v1/oidc/return",
        ),
        ("oidc/return", "oidc/begin", "nobody comes back to", ""),
        ("oidc.secret", "oidc.secrt", "the secret `oidc.secrt` cannot be read", "oidc.secret"),
        ("client-id = \"hearken\"\n", "", "this [web.oidc] has no `client-id`", ""),
        ("client-id", "clientid", "this [web.oidc] has no `client-id`", ""),
        ("\"hearken\"", "\"hearken\"\nclaim = \"my name\"", "is no word that claim can be", ""),
        ("\"hearken\"", "\"hearken\"\nscopes = [\"a b\"]", "is no word that a scope can be", ""),
    ];
    for (instead_of, text, message, suggestion) in cases {
        assert!(OIDC.contains(instead_of), "{instead_of}");
        let (said, suggested) = found(&OIDC.replace(instead_of, text));
        assert!(said.contains(message) && suggested == suggestion, "{text}: {said}: {suggested}");
    }
    fs::write(&file, "\n").unwrap();
    assert!(found(OIDC).0.contains("holds no secret"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(found(OIDC).0.contains("others than its owner can read the secret"));
}
