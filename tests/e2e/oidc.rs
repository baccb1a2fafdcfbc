//! Signing in by a provider of OpenID Connect: a real one, by others, and ones that are ill.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{PASSWORD, setup};
use crate::harness::{Answer, Client, Hub, Net, Phone, SOON, Setup};

/// Where people come back to: nobody is there, the browser of the tests goes to the hub instead.
const REDIRECT: &str = "http://127.0.0.1:1/api/v1/oidc/return";
const SECRET: &str = "a secret of the client's";

/// The real provider; it ends with the test.
struct Provider {
    issuer: String,
    node: Child,
    /// Where it can go on talking.
    _said: BufReader<ChildStdout>,
}

impl Provider {
    /// With most claims in the ID token, or as the standard has it.
    fn start(claims: &str) -> Provider {
        let target = Path::new(env!("CARGO_BIN_EXE_hearken")).ancestors().nth(2).unwrap();
        assert!(target.join("oidc/node_modules").exists(), "tests/run installs it");
        let mut node = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/provider.mjs"))
            .args([REDIRECT, claims])
            .env("CARGO_TARGET_DIR", target)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut issuer = String::new();
        let mut said = BufReader::new(node.stdout.take().unwrap());
        said.read_line(&mut issuer).unwrap();
        Provider { issuer: issuer.trim().to_owned(), node, _said: said }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// The hub with a provider, and those whom it knows: asha, an agent; sam, a supervisor without password.
fn with_provider(net: Net, phone: &Phone, issuer: &str) -> Setup {
    let oidc = format!(
        "[web.oidc]\nissuer = \"{issuer}\"\nclient-id = \"hearken\"\nclient-secret-file = \"oidc.secret\"\n\
         redirect = \"{REDIRECT}\"\nname = \"Trust\"\n"
    );
    let users = "[user.ash]\noidc = \"asha@trust.example\"\nroles = [\"agent\"]\nagent = \"asha\"\n\
                 [user.sam]\noidc = \"sam@trust.example\"\nroles = [\"supervisor\"]\n\
                 [user.engineer]\ntokens = [\"sha256:$TOKEN\"]\nroles = [\"engineer\"]\n";
    let digest = hearken::web::digest("look").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    setup(net, phone)
        .and(&oidc)
        .with("users.toml", "people.toml")
        .file("people.toml", &users.replace("$TOKEN", &digest))
        .file("oidc.secret", SECRET)
}

/// A browser: it has cookies, and goes where it is sent.
struct Browser {
    hub: SocketAddr,
    cookies: BTreeMap<(SocketAddr, String), String>,
}

impl Browser {
    fn new(hub: &Hub) -> Browser {
        Browser { hub: hub.web.unwrap(), cookies: BTreeMap::new() }
    }

    /// One request; the address of whoever has the redirect is the hub's.
    fn ask(&mut self, url: &str, form: Option<&str>) -> Answer {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}"));
        let (host, path) = rest.split_once('/').unwrap();
        let address = if host == "127.0.0.1:1" { self.hub } else { host.parse().unwrap() };
        let mine = self.cookies.iter().filter(|((of, _), _)| *of == address);
        let cookies: Vec<_> = mine.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let (method, body) = form.map_or(("GET", ""), |form| ("POST", form));
        write!(
            stream,
            "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nAccept: text/html\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            cookies.join("; "),
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        for line in head.lines() {
            let Some((key, cookie)) = line.split_once(": ") else { continue };
            if key.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert((address, name.to_owned()), value.to_owned());
            }
        }
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Goes on from the hub to the provider, signs in there, and says where that leads.
    fn provider_and_back(&mut self, name: &str) -> String {
        let hub = self.hub;
        let begun = self.ask(&format!("http://{hub}/api/v1/oidc/begin?next=/agent"), None);
        assert_eq!(begun.status, 303, "{begun:?}");
        let mut url = begun.header("location").unwrap().to_owned();
        let host = url.split('/').nth(2).unwrap().to_owned();
        loop {
            let answer = self.ask(&url, None);
            if answer.status == 200 {
                // Its page, which asks for a name, and then whether the hub may know it.
                let action =
                    answer.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
                let form = match answer.body.contains("name=\"login\"") {
                    true => format!("prompt=login&login={name}&password=x"),
                    false => "prompt=consent".to_owned(),
                };
                url = self.ask(&action, Some(&form)).header("location").unwrap().to_owned();
            } else {
                answer.header("location").unwrap_or_else(|| panic!("{answer:?}")).clone_into(&mut url);
            }
            if url.starts_with('/') {
                url = format!("http://{host}{url}");
            }
            if url.starts_with(REDIRECT) {
                return url;
            }
        }
    }

    /// The hub's cookie.
    fn session(&self) -> Option<&str> {
        let cookie = self.cookies.get(&(self.hub, "hearken".to_owned()));
        cookie.map(String::as_str)
    }

    fn signed_in(&self) -> Client {
        let cookie = format!("hearken={}", self.session().unwrap_or_default());
        Client::new(Some(self.hub)).with("Cookie", &cookie).with("x-hearken", "1")
    }
}

fn leads_to(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.header("location").unwrap_or_default())
}

#[test]
fn whom_the_provider_signs_in_is_the_user_of_the_file_with_its_roles_and_nobody_else_gets_in() {
    // Once the claim is in the token, once it must be asked for.
    for claims in ["all", "few"] {
        let net = Net::new();
        let phone = Phone::at(net.agent(1));
        let provider = Provider::start(claims);
        let hub = with_provider(net, &phone, &provider.issuer).start();
        let anybody = Client::new(hub.web);
        assert_eq!(anybody.get("/api/v1/oidc").json(), json!({ "name": "Trust" }));

        let mut asha = Browser::new(&hub);
        let back = asha.provider_and_back("asha@trust.example");
        let answer = asha.ask(&back, None);
        assert_eq!(leads_to(&answer), (303, "/agent"), "{}", hub.log());
        let me = json!({ "name": "ash", "roles": ["agent"], "agent": "asha" });
        assert_eq!(asha.signed_in().get("/api/v1/me").json(), me);
        assert_eq!(asha.signed_in().get("/api/v1/agents/asha").status, 200);
        assert_eq!(asha.signed_in().get("/api/v1/calls").status, 403);
        let mut sam = Browser::new(&hub);
        let there = sam.provider_and_back("sam@trust.example");
        sam.ask(&there, None);
        assert_eq!(sam.signed_in().get("/api/v1/calls").status, 200);

        // The same again is no sign-in; nor is that of another browser, a forged state, or a stranger.
        let again = asha.ask(&back, None);
        assert_eq!(leads_to(&again), (303, "/sign-in?fault=again"));
        let mut other = Browser::new(&hub);
        let back = Browser::new(&hub).provider_and_back("sam@trust.example");
        assert_eq!(leads_to(&other.ask(&back, None)), (303, "/sign-in?fault=again"));
        let back = other.provider_and_back("sam@trust.example");
        let (before, after) = back.split_once("state=").unwrap();
        let forged = format!("{before}state=x{after}");
        assert_eq!(leads_to(&other.ask(&forged, None)), (303, "/sign-in?fault=again"));
        assert_eq!(other.session(), None);
        let mut stranger = Browser::new(&hub);
        let back = stranger.provider_and_back("mallory@trust.example");
        assert_eq!(leads_to(&stranger.ask(&back, None)), (303, "/sign-in?fault=unknown"));
        // A name of the file is not enough: it must be meant for the provider.
        assert_eq!(stranger.session(), None);
        let mut stranger = Browser::new(&hub);
        let back = stranger.provider_and_back("engineer");
        assert_eq!(leads_to(&stranger.ask(&back, None)), (303, "/sign-in?fault=unknown"));
        assert_eq!(stranger.session(), None);

        let audit = anybody.with("Authorization", "Bearer look").get("/api/v1/audit").json();
        let entries = audit["entries"].as_array().unwrap();
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry["what"] == "GET /api/v1/oidc/return")
            .map(|entry| (entry["with"].as_str().unwrap(), entry["status"].as_u64().unwrap()))
            .collect();
        let expected = [
            ("engineer", 403),
            ("mallory@trust.example", 403),
            ("", 400),
            ("", 400),
            ("", 400),
            ("sam", 303),
            ("ash", 303),
        ];
        assert_eq!(found, expected);
        let log = hub.log();
        for (secret, what) in [(SECRET, "secret"), (asha.session().unwrap(), "cookie"), ("code=", "code")] {
            assert!(!log.contains(secret), "the log has the {what}");
        }
        // Whoever is taken out of the file is out, and so is a provider.
        hub.reload(&setup(net, &phone));
        assert_eq!(asha.signed_in().get("/api/v1/me").status, 401);
        let anybody = Client::new(hub.web);
        assert_eq!(anybody.get("/api/v1/oidc").json(), json!({ "name": null }));
        assert_eq!(anybody.get("/api/v1/oidc/begin").status, 404);
    }
}

/// Accepts connections and says nothing, or more than anybody wants to hear.
fn ill(babbles: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                if babbles {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
                    while stream.write_all(&[b' '; 4096]).is_ok() {}
                }
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}

#[test]
fn a_provider_that_hangs_or_babbles_holds_nobody_up_and_is_given_up_in_time() {
    for babbles in [false, true] {
        let net = Net::new();
        let (mut caller, mut phone) = (Phone::at(net.surgery()), Phone::at(net.agent(1)));
        let hub = with_provider(net, &phone, &format!("http://{}", ill(babbles)))
            .with("people.toml", "users.toml")
            .start();
        let begins = (0..12).map(|_| {
            let anybody = Client::new(hub.web);
            std::thread::spawn(move || {
                let begun = Instant::now();
                (anybody.get("/api/v1/oidc/begin"), begun.elapsed())
            })
        });
        let begins: Vec<_> = begins.collect();
        // Meanwhile others sign in by password, look at the board, and call.
        let begun = Instant::now();
        let supervisor = Client::new(hub.web).signed_in("supervisor", PASSWORD);
        assert_eq!(supervisor.get("/api/v1/board").status, 200);
        caller.call(&hub);
        phone.answer();
        caller.bye();
        phone.hung_up();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        for begin in begins {
            let (answer, took) = begin.join().unwrap();
            let (status, page) = leads_to(&answer);
            assert!(
                status == 303 && ["/sign-in?fault=away", "/sign-in?fault=busy"].contains(&page),
                "{answer:?}"
            );
            assert!(took < Duration::from_secs(20), "{took:?}");
        }
        hub.logs("the provider does not answer");
    }
}
