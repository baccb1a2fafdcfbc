//! A small provider that can be told to lie, hang and babble.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};

use super::*;
use crate::access::Secret;

const CLIENT: &str = "hearken";

/// What the provider does; everything is as it should be unless it is said otherwise.
#[derive(Clone)]
struct Ways {
    /// The key that it says it has.
    shown: u8,
    /// The key that it signs with, and by which name.
    signs: (u8, &'static str),
    /// The algorithm that it says it signs by.
    algorithm: &'static str,
    /// What it says in the token besides or instead.
    claims: Value,
    /// What it says of the person when it is asked again.
    userinfo: Value,
    /// What it says of itself besides or instead.
    described: Value,
    /// Where it hangs or babbles: a path, and what it sends before that.
    ill: Option<(&'static str, Illness)>,
}

#[derive(Copy, Clone, PartialEq)]
enum Illness {
    Silent,
    Trickles,
    Endless,
    LongHead,
    Redirects,
    Fails,
}

struct Fake {
    address: SocketAddr,
    ways: Arc<Mutex<Ways>>,
    /// Paths that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
    /// Challenge and nonce by code; each is given once.
    codes: Arc<Mutex<BTreeMap<String, (String, String)>>>,
}

impl Fake {
    fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ways = Ways {
            shown: 1,
            signs: (1, "one"),
            algorithm: "EdDSA",
            claims: json!({}),
            userinfo: json!({}),
            described: json!({}),
            ill: None,
        };
        let fake = Fake {
            address: listener.local_addr().unwrap(),
            ways: Arc::new(Mutex::new(ways)),
            asked: Arc::default(),
            codes: Arc::default(),
        };
        let (ways, asked, codes) = (Arc::clone(&fake.ways), Arc::clone(&fake.asked), Arc::clone(&fake.codes));
        let address = fake.address;
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (ways, asked, codes) = (locked(&ways).clone(), Arc::clone(&asked), Arc::clone(&codes));
                // Whoever has heard enough goes.
                thread::spawn(move || serve(stream.unwrap(), address, &ways, &asked, &codes).unwrap_or(()));
            }
        });
        fake
    }

    fn is(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut locked(&self.ways));
    }

    fn asked(&self, path: &str) -> usize {
        locked(&self.asked).iter().filter(|asked| *asked == path).count()
    }

    fn oidc(&self) -> Oidc {
        Oidc::new(Provider {
            issuer: format!("http://{}", self.address),
            client: CLIENT.to_owned(),
            secret: Secret("what only we two know".to_owned()),
            redirect: "http://127.0.0.1/api/v1/oidc/return".to_owned(),
            claim: "preferred_username".to_owned(),
            scopes: vec!["profile".to_owned()],
            name: "Fake".to_owned(),
        })
    }

    /// Somebody signs in there; gives code and state.
    fn signs_in(&self, url: &str) -> (String, String) {
        let asked = query(url.split_once('?').unwrap().1);
        assert_eq!(
            (&*asked["response_type"], &*asked["client_id"], &*asked["code_challenge_method"]),
            ("code", CLIENT, "S256")
        );
        assert_eq!(asked["scope"], "openid profile");
        let mut codes = locked(&self.codes);
        let code = format!("code{}", codes.len());
        codes.insert(code.clone(), (asked["code_challenge"].clone(), asked["nonce"].clone()));
        (code, asked["state"].clone())
    }
}

fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let plain = |value: &str| value.replace('+', " ").replace("%3A", ":").replace("%2F", "/");
    pairs.map(|(key, value)| (key.to_owned(), plain(value))).collect()
}

/// A key of Ed25519 with a seed of this byte alone.
fn key(seed: u8, name: &str) -> CoreEdDsaPrivateSigningKey {
    let start = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let text = base64(&[&start[..], &[seed; 32]].concat());
    // A pem file in two parts, so that nobody takes this for a real one.
    let kind = "PRIVATE KEY";
    let pem = format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n");
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(name.to_owned()))).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    encoded(bytes, b"+/", true)
}

fn encoded(bytes: &[u8], last: &[u8; 2], padded: bool) -> String {
    let letters = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*last).collect::<Vec<_>>();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            match at <= three.len() {
                true => text.push(char::from(letters[number >> (18 - 6 * at) & 63])),
                false if padded => text.push('='),
                false => {}
            }
        }
    }
    text
}

fn token(ways: &Ways, issuer: &str, nonce: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300, "nonce": nonce,
        "preferred_username": "asha@trust.example",
    });
    change(&mut claims, &ways.claims);
    let (seed, name) = ways.signs;
    let head = json!({ "alg": ways.algorithm, "kid": name });
    let part = |value: &Value| encoded(value.to_string().as_bytes(), b"-_", false);
    let text = format!("{}.{}", part(&head), part(&claims));
    let signature = key(seed, name).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
    let signature = if ways.algorithm == "none" { Vec::new() } else { signature };
    format!("{text}.{}", encoded(&signature, b"-_", false))
}

/// Sets members; null takes one away.
fn change(value: &mut Value, by: &Value) {
    let members = value.as_object_mut().unwrap();
    for (key, value) in by.as_object().unwrap() {
        if value.is_null() {
            members.remove(key)
        } else {
            members.insert(key.clone(), value.clone())
        };
    }
}

fn serve(
    stream: TcpStream,
    address: SocketAddr,
    ways: &Ways,
    asked: &Mutex<Vec<String>>,
    codes: &Mutex<BTreeMap<String, (String, String)>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length, mut authorised) = (String::new(), 0, String::new());
    stream.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap().to_owned();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((key, value)) if key.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap()
            }
            Some((key, value)) if key.eq_ignore_ascii_case("authorization") => {
                value.clone_into(&mut authorised)
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    locked(asked).push(path.clone());
    let stream = stream.get_mut();
    if let Some((_, illness)) = ways.ill.filter(|(at, _)| *at == path) {
        return fall_ill(stream, illness);
    }
    let issuer = format!("http://{address}");
    let (status, answer) = match path.as_str() {
        "/.well-known/openid-configuration" => {
            let mut described = json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                "userinfo_endpoint": format!("{issuer}/me"), "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA", "HS256"],
            });
            change(&mut described, &ways.described);
            (200, described)
        }
        "/keys" => {
            let name = if ways.shown == 1 { "one" } else { "two" };
            let public = serde_json::to_value(key(ways.shown, name).as_verification_key()).unwrap();
            (200, json!({ "keys": [public, { "kty": "a kind of the future" }] }))
        }
        "/token" => {
            let form = query(std::str::from_utf8(&body).unwrap());
            let held = locked(codes).get_mut(&form["code"]).map(std::mem::take);
            let proof: [u8; 32] = super::super::users::digest(&form["code_verifier"]);
            match held.filter(|(challenge, _)| *challenge == encoded(&proof, b"-_", false)) {
                Some((_, nonce)) if authorised.starts_with("Basic ") => {
                    let id_token = token(ways, &issuer, &nonce);
                    (200, json!({ "access_token": "access", "token_type": "Bearer", "id_token": id_token }))
                }
                _ => (400, json!({ "error": "invalid_grant", "error_description": "no such code" })),
            }
        }
        "/me" if authorised == "Bearer access" => (200, ways.userinfo.clone()),
        _ => (404, json!({})),
    };
    let answer = answer.to_string();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len())
}

fn fall_ill(stream: &mut TcpStream, illness: Illness) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    match illness {
        // Until the other goes.
        Illness::Silent => stream.read(&mut [0]).map(|_| ()),
        Illness::Trickles => {
            write!(stream, "{head}\r\n")?;
            stream.set_read_timeout(Some(Duration::from_millis(100)))?;
            while !matches!(stream.read(&mut [0]), Ok(0)) {
                stream.write_all(b" ")?;
            }
            Ok(())
        }
        Illness::Endless => {
            write!(stream, "{head}\r\n")?;
            loop {
                stream.write_all(&[b' '; 16 * 1024])?;
            }
        }
        Illness::LongHead => {
            stream.write_all(head.as_bytes())?;
            loop {
                stream.write_all(b"X-More: and more\r\n")?;
            }
        }
        Illness::Redirects => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        }
        Illness::Fails => write!(stream, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
    }
}

/// Somebody goes to the provider and comes back at once.
fn whole(oidc: &Oidc, fake: &Fake, now: Instant) -> Result<Known, Fault> {
    let begun = oidc.begin("/agent".to_owned(), now)?;
    let (code, state) = fake.signs_in(&begun.url);
    oidc.finish(&begun.cookie, &state, Ok(code), now)
}

fn asha() -> Known {
    Known { value: "asha@trust.example".to_owned(), next: "/agent".to_owned() }
}

fn why(fault: Result<Known, Fault>) -> String {
    match fault {
        Err(Fault::Wrong { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_who_comes_back_is_who_the_token_says_and_the_provider_is_asked_once_what_it_is() {
    let (fake, now) = (Fake::start(), Instant::now());
    let oidc = fake.oidc();
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
    assert_eq!((fake.asked("/keys"), fake.asked("/token"), fake.asked("/me")), (1, 2, 0));
    assert_eq!(whole(&oidc, &fake, now + FRESH), Ok(asha()));
    assert_eq!(fake.asked("/keys"), 2, "an hour later it is asked again");
}

#[test]
fn a_token_that_is_not_for_this_sign_in_is_refused() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    let past = jiff::Timestamp::now().as_second() - 1;
    let cases = [
        (json!({ "nonce": "another" }), "Invalid nonce: nonce mismatch"),
        (json!({ "nonce": null }), "Invalid nonce: missing"),
        (json!({ "aud": "somebody else" }), "Invalid audiences"),
        (json!({ "aud": [CLIENT, "somebody else"] }), "is not a trusted audience"),
        (json!({ "iss": "https://evil.example" }), "Invalid issuer"),
        (json!({ "exp": past }), "Expired"),
        (json!({ "exp": null }), "its tokens cannot be read"),
    ];
    for (claims, said) in cases {
        fake.is(|ways| ways.claims = claims);
        let why = why(whole(&oidc, &fake, now));
        assert!(why.contains(said), "{said}: {why}");
    }
    fake.is(|ways| ways.claims = json!({}));
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
}

#[test]
fn a_token_that_the_provider_has_not_signed_is_refused() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    // Under the name of the right key, by none, and by the client's secret.
    fake.is(|ways| ways.signs = (9, "one"));
    assert!(why(whole(&oidc, &fake, now)).contains("the signature of the ID token: Crypto error"));
    fake.is(|ways| (ways.signs, ways.algorithm) = ((1, "one"), "none"));
    assert!(why(whole(&oidc, &fake, now)).contains("No signature found"));
    fake.is(|ways| ways.algorithm = "HS256");
    assert!(why(whole(&oidc, &fake, now)).contains("Disallowed signature algorithm"));
}

#[test]
fn a_new_key_is_asked_for_no_more_often_than_once_a_minute() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
    fake.is(|ways| (ways.shown, ways.signs) = (2, (2, "two")));
    let unknown = "no key of the provider's is that of the ID token";
    assert_eq!(why(whole(&oidc, &fake, now + KEYS_AGAIN - Duration::from_secs(1))), unknown);
    assert_eq!(fake.asked("/keys"), 1);
    assert_eq!(whole(&oidc, &fake, now + KEYS_AGAIN), Ok(asha()));
    assert_eq!(fake.asked("/keys"), 2);
    // A forger does not have it asked over and over.
    fake.is(|ways| ways.signs = (3, "three"));
    for _ in 0..3 {
        assert_eq!(why(whole(&oidc, &fake, now + KEYS_AGAIN)), unknown);
    }
    assert_eq!(fake.asked("/keys"), 2);
}

#[test]
fn a_forged_state_and_a_replayed_code_are_refused() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    let begun = oidc.begin("/agent".to_owned(), now).unwrap();
    let (code, state) = fake.signs_in(&begun.url);
    let back = |cookie: &str, state: &str, code: &str| oidc.finish(cookie, state, Ok(code.to_owned()), now);
    assert_eq!(back(&begun.cookie, "forged", &code), Err(Fault::Unknown));
    assert_eq!(back("", &state, &code), Err(Fault::Unknown));
    assert_eq!(fake.asked("/token"), 0, "nobody is asked about a forged one");
    assert_eq!(back(&begun.cookie, &state, &code), Ok(asha()));
    assert_eq!(back(&begun.cookie, &state, &code), Err(Fault::Unknown));
    // A code that was given away already, and one that another sign-in asked for.
    let again = oidc.begin("/agent".to_owned(), now).unwrap();
    let (_, state) = fake.signs_in(&again.url);
    assert!(why(back(&again.cookie, &state, &code)).contains("invalid_grant"));
    let (mine, theirs) = (oidc.begin("/".to_owned(), now).unwrap(), oidc.begin("/".to_owned(), now).unwrap());
    let ((_, state), (code, _)) = (fake.signs_in(&mine.url), fake.signs_in(&theirs.url));
    assert!(why(back(&mine.cookie, &state, &code)).contains("invalid_grant"));
}

#[test]
fn who_did_not_sign_in_there_does_not_here() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    let begun = oidc.begin("/".to_owned(), now).unwrap();
    let (_, state) = fake.signs_in(&begun.url);
    let back = oidc.finish(&begun.cookie, &state, Err("access_denied".to_owned()), now);
    assert_eq!(back, Err(Fault::denied("access_denied")));
    assert_eq!(fake.asked("/token"), 0);
}

#[test]
fn a_claim_that_is_not_in_the_token_is_asked_for_and_must_be_of_the_same_person() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    fake.is(|ways| ways.claims = json!({ "preferred_username": null }));
    fake.is(|ways| ways.userinfo = json!({ "sub": "4711", "preferred_username": "asha@trust.example" }));
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
    fake.is(|ways| ways.userinfo = json!({ "sub": "4712", "preferred_username": "asha@trust.example" }));
    assert!(why(whole(&oidc, &fake, now)).contains("Invalid subject"));
    fake.is(|ways| ways.userinfo = json!({ "sub": "4711" }));
    assert_eq!(why(whole(&oidc, &fake, now)), "there is no claim `preferred_username`");
}

#[test]
fn an_address_counts_once_the_provider_has_seen_that_it_is_theirs() {
    let claims = |all: Value| {
        let fake = Fake::start();
        let mut provider = fake.oidc().provider;
        provider.claim = "email".to_owned();
        fake.is(|ways| (ways.claims, ways.userinfo) = (all, json!({ "sub": "4711" })));
        whole(&Oidc::new(provider), &fake, Instant::now()).map(|known| known.value)
    };
    let email = "asha@trust.example".to_owned();
    assert_eq!(claims(json!({ "email": email, "email_verified": true })), Ok(email.clone()));
    assert!(claims(json!({ "email": email, "email_verified": false })).is_err());
    assert!(claims(json!({ "email": email })).is_err());
}

#[test]
fn a_provider_that_is_ill_is_given_up_in_time() {
    let description = "/.well-known/openid-configuration";
    let cases = [
        (description, Illness::Silent),
        (description, Illness::Trickles),
        ("/keys", Illness::Endless),
        (description, Illness::LongHead),
        (description, Illness::Fails),
        ("/token", Illness::Silent),
        ("/token", Illness::Endless),
    ];
    let tried = cases.map(|(path, illness)| {
        thread::spawn(move || {
            let fake = Fake::start();
            fake.is(|ways| ways.ill = Some((path, illness)));
            let (oidc, begun) = (fake.oidc(), Instant::now());
            let found = whole(&oidc, &fake, begun);
            assert!(matches!(found, Err(Fault::Away { .. })), "{path}: {found:?}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{path}: {:?}", begun.elapsed());
            // Whoever comes just after is told so at once, and a little later it is tried again.
            if path != "/token" {
                let before = fake.asked(description);
                assert_eq!(whole(&oidc, &fake, begun), Err(Fault::away("it did not a moment ago")));
                assert_eq!(fake.asked(description), before);
                fake.is(|ways| ways.ill = None);
                assert_eq!(whole(&oidc, &fake, begun + AGAIN), Ok(asha()));
            }
        })
    });
    tried.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_provider_that_falls_ill_later_is_still_known() {
    let fake = Fake::start();
    let (oidc, now) = (fake.oidc(), Instant::now());
    assert_eq!(whole(&oidc, &fake, now), Ok(asha()));
    fake.is(|ways| ways.ill = Some(("/keys", Illness::Fails)));
    assert_eq!(whole(&oidc, &fake, now + FRESH), Ok(asha()));
}

#[test]
fn no_redirect_is_followed_and_nothing_is_sent_where_others_can_read_it() {
    let fake = Fake::start();
    fake.is(|ways| ways.ill = Some(("/.well-known/openid-configuration", Illness::Redirects)));
    assert!(why(whole(&fake.oidc(), &fake, Instant::now())).contains("302"));
    assert_eq!(fake.asked("/elsewhere"), 0);
    for (key, said) in [("token_endpoint", ""), ("jwks_uri", ""), ("authorization_endpoint", "not https")] {
        let fake = Fake::start();
        let mut described = json!({});
        described[key] = "http://provider.example/x".into();
        fake.is(|ways| ways.described = described);
        let found = whole(&fake.oidc(), &fake, Instant::now());
        let fault = found.unwrap_err().to_string();
        assert!(fault.contains("neither https nor") || (!said.is_empty() && fault.contains(said)), "{fault}");
    }
    let fake = Fake::start();
    fake.is(|ways| ways.described = json!({ "issuer": "https://another.example" }));
    assert!(why(whole(&fake.oidc(), &fake, Instant::now())).contains("issuer"));
}
