//! Every route: its path, who may use it, and what serves it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::gate::{Access, COOKIE, Who, admit};
use super::once::Before;
use super::orders::{self, Verb};
use super::problem::Problem;
use super::reports::{self, Kind};
use super::server::Peer;
use super::sessions::LASTS;
use super::users::verify;
use super::{
    Ask, Shared, audit, cookies, ladder, locked, metrics, oidc, openapi, pages, plans, stream, wall,
};
use crate::access::Role;
use crate::switch::board::Caller;

/// Largest body of a request.
const LARGEST_BODY: usize = 64 * 1024;
/// The same of one with a whole configuration in it.
const LARGEST_PLAN: usize = 2 * 1024 * 1024;
/// Within what time it must have come.
const BODY: Duration = Duration::from_secs(10);
/// How much of a body the audit keeps, in letters.
const NOTED: usize = 200;
/// Longest name of a user, in letters: nobody has a longer one.
const LONGEST_NAME: usize = 64;
/// Longest key by which a client makes an order known again.
const LONGEST_KEY: usize = 128;
/// Most calls in one answer.
const MOST_CALLS: usize = 1_000;

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) does: Does,
}

/// What a route does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Live,
    Ready,
    Metrics,
    Described,
    SignIn,
    SignOut,
    /// What the provider is called that people may be signed in by.
    Provider,
    /// Sends a browser to the provider.
    Leave,
    /// Signs in whoever comes back.
    Return,
    Me,
    Board,
    Stream,
    Calls,
    Call,
    Ladder,
    Desk,
    Callbacks,
    Cases,
    Audit,
    Transports,
    Plan,
    Put,
    RollBack,
    Versions,
    Version,
    Check,
    Diff,
    Explain,
    Simulate,
    /// Whose reports there are.
    Offer,
    Report(Kind),
    /// An order; `name` or `id` in the path is of whom.
    Order(Verb),
}

const fn post(path: &'static str, access: Access, verb: Verb) -> Route {
    Route { method: Method::POST, path, access, does: Does::Order(verb) }
}

/// A question about the configuration.
const fn asking(path: &'static str, does: Does) -> Route {
    Route { method: Method::POST, path, access: Access::Only(Role::Ops), does }
}

const fn get(path: &'static str, access: Access, does: Does) -> Route {
    Route { method: Method::GET, path, access, does }
}

/// All of them.
pub(super) const ROUTES: &[Route] = &[
    get("/healthz", Access::Open, Does::Live),
    get("/readyz", Access::Open, Does::Ready),
    get("/metrics", Access::Near, Does::Metrics),
    Route { method: Method::POST, path: "/api/v1/session", access: Access::Open, does: Does::SignIn },
    Route { method: Method::DELETE, path: "/api/v1/session", access: Access::SignedIn, does: Does::SignOut },
    get("/api/v1/oidc", Access::Open, Does::Provider),
    get("/api/v1/oidc/begin", Access::Open, Does::Leave),
    get("/api/v1/oidc/return", Access::Open, Does::Return),
    get("/api/v1/openapi.json", Access::Open, Does::Described),
    get("/api/v1/me", Access::SignedIn, Does::Me),
    get("/api/v1/board", Access::SignedIn, Does::Board),
    get("/api/v1/stream", Access::SignedIn, Does::Stream),
    get("/api/v1/calls", Access::Either(Role::Supervisor, Role::Engineer), Does::Calls),
    get("/api/v1/calls/{id}", Access::Only(Role::Supervisor), Does::Call),
    get("/api/v1/calls/{id}/ladder", Access::Only(Role::Engineer), Does::Ladder),
    get("/api/v1/agents/{name}", Access::Own, Does::Desk),
    get("/api/v1/callbacks", Access::Only(Role::Supervisor), Does::Callbacks),
    get("/api/v1/cases", Access::Only(Role::Supervisor), Does::Cases),
    get("/api/v1/audit", Access::Only(Role::Engineer), Does::Audit),
    get("/api/v1/transports", Access::Only(Role::Engineer), Does::Transports),
    get("/api/v1/plan", Access::Only(Role::Ops), Does::Plan),
    Route { method: Method::PUT, path: "/api/v1/plan", access: Access::Only(Role::Ops), does: Does::Put },
    asking("/api/v1/plan/roll-back", Does::RollBack),
    get("/api/v1/plan/versions", Access::Only(Role::Ops), Does::Versions),
    get("/api/v1/plan/versions/{version}", Access::Only(Role::Ops), Does::Version),
    asking("/api/v1/plan/check", Does::Check),
    asking("/api/v1/plan/diff", Does::Diff),
    asking("/api/v1/plan/explain", Does::Explain),
    asking("/api/v1/plan/simulate", Does::Simulate),
    get("/api/v1/reports", Access::SignedIn, Does::Offer),
    get("/api/v1/reports/waits", Access::SignedIn, Does::Report(Kind::Waits)),
    get("/api/v1/reports/cbt", Access::SignedIn, Does::Report(Kind::Cbt)),
    get("/api/v1/reports/ambsys", Access::SignedIn, Does::Report(Kind::Ambsys)),
    get("/api/v1/reports/iuc", Access::SignedIn, Does::Report(Kind::Iuc)),
    get("/api/v1/reports/gp", Access::SignedIn, Does::Report(Kind::Gp)),
    get("/api/v1/reports/day", Access::SignedIn, Does::Report(Kind::Day)),
    get("/api/v1/reports/calls", Access::Only(Role::Supervisor), Does::Report(Kind::Calls)),
    post("/api/v1/agents/{name}/log-in", Access::Own, Verb::LogIn),
    post("/api/v1/agents/{name}/log-out", Access::Own, Verb::LogOut),
    post("/api/v1/agents/{name}/pause", Access::Own, Verb::Pause),
    post("/api/v1/agents/{name}/resume", Access::Own, Verb::Resume),
    post("/api/v1/agents/{name}/wrap-up", Access::Own, Verb::WrapUp),
    post("/api/v1/agents/{name}/disposition", Access::Own, Verb::Disposition),
    post("/api/v1/agents/{name}/transfer", Access::Own, Verb::Transfer),
    post("/api/v1/agents/{name}/emergency", Access::Own, Verb::Red),
    post("/api/v1/calls/{id}/prioritise", Access::Only(Role::Supervisor), Verb::Prioritise),
    post("/api/v1/calls/{id}/move", Access::Only(Role::Supervisor), Verb::Move),
    post("/api/v1/calls/{id}/hang-up", Access::Only(Role::Supervisor), Verb::HangUp),
    post("/api/v1/calls/{id}/emergency", Access::Only(Role::Supervisor), Verb::Emergency),
    post("/api/v1/pathways/{name}/report", Access::Only(Role::Supervisor), Verb::Report),
    post("/api/v1/referrals/{id}/acknowledge", Access::Only(Role::Supervisor), Verb::Acknowledge),
    post("/api/v1/referrals/{id}/decline", Access::Only(Role::Supervisor), Verb::Decline),
    post("/api/v1/cases/{id}/take", Access::Only(Role::Agent), Verb::TakeCase),
    post("/api/v1/cases/{id}/give-back", Access::Only(Role::Agent), Verb::GiveBackCase),
    post("/api/v1/cases/{id}/close", Access::Only(Role::Agent), Verb::CloseCase),
    post("/api/v1/cases/{id}/refer", Access::Only(Role::Agent), Verb::ReferCase),
];

/// One request that was let by.
struct Asked<'a> {
    web: &'a Arc<Shared>,
    who: Option<Who>,
    parts: &'a Parts,
    /// The parts of the path that have names.
    named: &'a [(String, String)],
    body: &'a [u8],
    /// What the audit keeps of it.
    noted: &'a mut String,
}

/// All routes and pages.
pub(super) fn router(web: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let web = Arc::clone(web);
        let filter = MethodFilter::try_from(route.method.clone()).expect("a plain method");
        let served = async move |request: Request| {
            let answer = serve(Arc::clone(&web), route, request);
            if !changes(route) {
                return answer.await;
            }
            // What is begun is done, and written down, whether or not the client waits for it.
            let done = tokio::spawn(answer).await;
            done.unwrap_or_else(|_| Problem::gone().into_response())
        };
        router = router.route(route.path, on(filter, served));
    }
    router
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path knows no such method").into_response()
        })
        .fallback(async |request: Request| match pages::find(request.uri().path()) {
            Some(page) if request.method().is_safe() => pages::response(page, request.headers()),
            _ => Problem::not_found("there is no such path").into_response(),
        })
}

async fn serve(web: Arc<Shared>, route: &'static Route, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let named = match RawPathParams::from_request_parts(&mut parts, &()).await {
        Ok(named) => named.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        Err(_) => Vec::new(),
    };
    let peer = parts.extensions.get::<Peer>().map_or(std::net::Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
    let own = named.iter().find(|(key, _)| key == "name").map(|(_, value)| value.as_str());
    let admitted = admit(&web, (route.access, own), (&parts.method, &parts.headers), peer);
    let who = admitted.as_ref().ok().and_then(|who| who.as_ref().map(|who| who.name.clone()));
    let mut noted = String::new();
    let answered = match admitted {
        Ok(who) => match read(route.does, body).await {
            Ok(body) => {
                if changes(route) {
                    noted = note_of(route.does, &body);
                }
                let asked =
                    Asked { web: &web, who, parts: &parts, named: &named, body: &body, noted: &mut noted };
                answer(route.does, asked).await
            }
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem),
    };
    let single_calls = route.does == Does::Report(Kind::Calls);
    if single_calls {
        noted = parts.uri.query().unwrap_or_default().chars().take(NOTED).collect();
    }
    // Who has seen single calls, and callers' numbers, is written down too.
    if single_calls || route.does == Does::Ladder || changes(route) {
        let status = answered.as_ref().map_or_else(Problem::status, Response::status);
        locked(&web.audit).note(audit::Entry {
            at: wall().rfc3339(),
            who: who.unwrap_or_else(|| "nobody".to_owned()),
            from: peer.to_string(),
            what: format!("{} {}", parts.method, parts.uri.path()),
            with: noted,
            status: status.as_u16(),
        });
    }
    answered.unwrap_or_else(match route.does {
        // A person sees this one, and no page has asked.
        Does::Leave | Does::Return => oidc::explained,
        _ => Problem::into_response,
    })
}

/// Whether it may change something.
fn changes(route: &Route) -> bool {
    let asks = matches!(route.does, Does::Check | Does::Diff | Does::Explain | Does::Simulate);
    (!route.method.is_safe() && !asks) || route.does == Does::Return
}

async fn read(does: Does, body: Body) -> Result<Bytes, Problem> {
    let largest = match does {
        Does::Check | Does::Diff | Does::Explain | Does::Simulate | Does::Put => LARGEST_PLAN,
        _ => LARGEST_BODY,
    };
    match tokio::time::timeout(BODY, to_bytes(body, largest)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {largest} bytes")))
        }
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

/// What the audit keeps of a body: of an attempt to sign in the name alone, if somebody may have it.
fn note_of(does: Does, body: &[u8]) -> String {
    let text = match does {
        Does::SignIn => serde_json::from_slice::<Credentials>(body)
            .map(|credentials| credentials.name)
            .ok()
            .filter(|name| name.chars().count() <= LONGEST_NAME)
            .unwrap_or_default(),
        Does::Return => String::new(),
        Does::Put => serde_json::from_slice(body).map(|plans::Noted { note }| note).unwrap_or_default(),
        // No letter has more than four bytes.
        _ => String::from_utf8_lossy(&body[..body.len().min(4 * NOTED)]).into_owned(),
    };
    text.chars().filter(|letter| !letter.is_control()).take(NOTED).collect()
}

async fn answer(does: Does, asked: Asked<'_>) -> Result<Response, Problem> {
    let web = asked.web;
    match does {
        Does::Live => Ok(text("live\n")),
        Does::Ready => metrics::ready(web).await,
        Does::Metrics => metrics::metrics(web).await,
        Does::Described => Ok(with_json(Body::from(openapi::TEXT.as_str()))),
        Does::SignIn => sign_in(&asked).await,
        Does::SignOut => {
            if let Some(cookie) = asked.who.and_then(|who| who.cookie) {
                locked(&web.sessions).close(&cookie);
            }
            Ok(with_cookie(json(&json!({}))?, "", Duration::ZERO, asked.parts))
        }
        Does::Provider => {
            let oidc = web.oidc();
            json(&json!({ "name": oidc.as_ref().map(|oidc| &oidc.provider().name) }))
        }
        Does::Leave => oidc::begin(web, asked.query("next")).await,
        Does::Return => {
            let (answer, who) = oidc::finish(web, asked.parts, asked.pairs()).await;
            *asked.noted = who;
            answer
        }
        Does::Me => {
            let who = asked.who.ok_or_else(Problem::gone)?;
            json(&json!({ "name": who.name, "roles": who.roles, "agent": who.agent }))
        }
        Does::Board => Ok(with_json(Body::from(web.board(0).await?.json()))),
        Does::Stream => stream::begin(web, &asked.parts.headers),
        Does::Calls => calls(&asked).await,
        Does::Call => {
            let id = orders::call(asked.named("id")?)?;
            let call = web.ask(|answer| Ask::Call(id, answer)).await?;
            json(&call.ok_or_else(|| Problem::not_found(format!("{id} is over, or was never there")))?)
        }
        Does::Ladder => {
            let call = orders::call(asked.named("id")?)?;
            Ok(with_json(Body::from(ladder::ladder(web, call).await?)))
        }
        Does::Desk => {
            let name = asked.named("name")?.to_owned();
            let desk = web.ask(|answer| Ask::Desk(name, answer)).await?;
            json(&desk.ok_or_else(|| Problem::not_found("there is no such agent"))?)
        }
        Does::Callbacks => json(&json!({ "callbacks": web.ask(Ask::Callbacks).await? })),
        Does::Transports => json(&web.ask(Ask::Transports).await?),
        Does::Cases => json(&json!({ "cases": web.ask(Ask::Cases).await? })),
        Does::Order(verb) => order(&asked, verb).await,
        Does::Plan => {
            let (plan, version) = plans::in_force(web).await?;
            let mut response = json(&plan)?;
            if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
                response.headers_mut().insert(header::ETAG, tag);
            }
            Ok(response)
        }
        Does::Put => json(&plans::put(web, asked.change()?, asked.json()?).await?),
        Does::RollBack => json(&plans::roll_back(web, asked.change()?, asked.json()?).await?),
        Does::Versions => json(&plans::versions(web).await?),
        Does::Version => json(&plans::version(web, asked.named("version")?).await?),
        Does::Simulate => json(&plans::simulate(web, asked.json()?).await?),
        Does::Check => json(&plans::check(web, asked.json()?).await?),
        Does::Diff => json(&plans::diff(web, asked.json()?).await?),
        Does::Explain => json(&plans::explain(web, asked.json()?).await?),
        Does::Offer => json(&web.reports.offer()?),
        Does::Report(kind) => web.reports.make(reports::read(kind, asked.pairs())?).await,
        Does::Audit => {
            let audit = locked(&web.audit);
            json(&json!({ "entries": audit.latest().collect::<Vec<_>>() }))
        }
    }
}

impl Asked<'_> {
    fn named(&self, key: &str) -> Result<&str, Problem> {
        let found = self.named.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| Problem::not_found("there is no such path"))
    }

    /// Refuses a body that does not say that it is JSON: no form of another site can.
    fn must_be_json(&self) -> Result<(), Problem> {
        let kind = self.parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_none_or(|kind| kind.split(';').next().unwrap_or_default().trim() != "application/json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/json",
            ));
        }
        Ok(())
    }

    /// The body.
    fn json<'b, T: Deserialize<'b>>(&'b self) -> Result<T, Problem> {
        self.must_be_json()?;
        serde_json::from_slice(self.body)
            .map_err(|error| Problem::bad(format!("the body is not as described: {error}")))
    }

    /// What a change of the configuration has beside its body: headers, and the name of who asks for it.
    fn change(&self) -> Result<(&HeaderMap, String), Problem> {
        let who = self.who.as_ref().ok_or_else(Problem::gone)?;
        Ok((&self.parts.headers, who.name.clone()))
    }

    /// What the query says of a key.
    fn query(&self, key: &str) -> Option<String> {
        self.pairs().into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Everything that the query says.
    fn pairs(&self) -> Vec<(String, String)> {
        let pairs = self.parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.map(|(key, value)| (unescaped(key), unescaped(value))).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

async fn sign_in(asked: &Asked<'_>) -> Result<Response, Problem> {
    let Credentials { name, password } = asked.json()?;
    let web = asked.web;
    let wrong = || Problem::new(StatusCode::UNAUTHORIZED, "no such name and password");
    if name.chars().count() > LONGEST_NAME {
        return Err(wrong());
    }
    // From the look at the lock until a failure is counted it is nobody else's turn.
    let turn = web.trying.acquire().await.map_err(|_| Problem::gone())?;
    if let Some(after) = locked(&web.limits).locked(&name, Instant::now()) {
        return Err(Problem::too_many("too many wrong passwords; wait", after));
    }
    let users = web.users();
    let kept = users.named(&name).and_then(|user| user.password.clone());
    let fits = tokio::task::spawn_blocking(move || verify(&password, kept.as_deref())).await.unwrap_or(false);
    let now = Instant::now();
    let Some(user) = users.named(&name).filter(|_| fits) else {
        locked(&web.limits).failed(&name, now);
        return Err(wrong());
    };
    drop(turn);
    locked(&web.limits).succeeded(&name);
    let cookie = locked(&web.sessions).open(&name, now).ok_or_else(Problem::gone)?;
    let me = json(&json!({ "name": user.name, "roles": user.roles, "agent": user.agent }))?;
    Ok(with_cookie(me, &cookie, LASTS, asked.parts))
}

/// Gives an order; one with an `Idempotency-Key` that came before is answered as it was then.
async fn order(asked: &Asked<'_>, verb: Verb) -> Result<Response, Problem> {
    if !asked.body.is_empty() {
        asked.must_be_json()?;
    }
    let key = asked.parts.headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default());
    let Some(key) = key else { return obeyed(asked, verb).await };
    if !(1..=LONGEST_KEY).contains(&key.len()) {
        return Err(Problem::bad(format!("an Idempotency-Key has 1 to {LONGEST_KEY} letters")));
    }
    let who = asked.who.as_ref().map_or("", |who| who.name.as_str());
    let digest =
        Sha256::new().chain_update(asked.parts.uri.path()).chain_update([0]).chain_update(asked.body);
    let before = locked(&asked.web.once).begin(who, key, digest.finalize().into(), Instant::now());
    match before {
        Before::New => {}
        Before::Running => return Err(Problem::conflict("the same order is being given")),
        Before::Other => {
            return Err(Problem::conflict("another order had this Idempotency-Key"));
        }
        Before::Answered(status, detail) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return if status.is_success() { done() } else { Err(Problem::new(status, detail)) };
        }
    }
    let answer = obeyed(asked, verb).await;
    let (status, detail) = match &answer {
        Ok(_) => (StatusCode::OK, ""),
        Err(problem) => (problem.status(), problem.detail()),
    };
    locked(&asked.web.once).end(who, key, status.as_u16(), detail.to_owned());
    answer
}

async fn obeyed(asked: &Asked<'_>, verb: Verb) -> Result<Response, Problem> {
    let of = asked.named("name").or_else(|_| asked.named("id"))?;
    let by = asked.who.as_ref().and_then(|who| who.agent.as_deref());
    let order = orders::order(verb, of, by, asked.body)?;
    asked.web.ask(|answer| Ask::Order(order, answer)).await?.map_err(orders::refused)?;
    // Who gave it sees what came of it.
    asked.web.calls.forget().await;
    done()
}

fn done() -> Result<Response, Problem> {
    json(&json!({ "done": true }))
}

/// As they are written.
#[derive(Serialize)]
struct Calls<'a> {
    calls: Vec<&'a Caller>,
}

async fn calls(asked: &Asked<'_>) -> Result<Response, Problem> {
    let (line, state) = (asked.query("line"), asked.query("state"));
    let limit = asked.query("limit").map(|limit| limit.parse::<usize>()).transpose();
    let limit = limit.map_err(|_| Problem::bad("`limit` is a whole number"))?.unwrap_or(MOST_CALLS);
    let calls = asked.web.calls.at(|_| true, async { asked.web.ask(Ask::Calls).await.map(Arc::new) }).await?;
    let wanted = |call: &&Caller| {
        line.as_ref().is_none_or(|line| *line == call.line)
            && state.as_ref().is_none_or(|state| state == call.state)
    };
    json(&Calls { calls: calls.iter().filter(wanted).take(limit.min(MOST_CALLS)).collect() })
}

/// What is to be read of a part of a query: `+` is a blank, `%41` is A.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|_| first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A line for people.
pub(super) fn text(text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(value).map_err(|_| Problem::gone())?;
    Ok(with_json(Body::from(text)))
}

fn with_json(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Sets the cookie; behind a proxy that speaks TLS it never leaves by anything else.
pub(super) fn with_cookie(mut response: Response, cookie: &str, lasts: Duration, parts: &Parts) -> Response {
    let secure = parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    cookies::set(response.headers_mut(), (COOKIE, cookie), "SameSite=Strict; Path=/", lasts, secure);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_was_meant() {
        assert_eq!(unescaped("elm-tree"), "elm-tree");
        assert_eq!(unescaped("a+b%20c%41%zz%4"), "a b cA%zz%4");
        assert_eq!(unescaped("%F0%9F%A6%8A%FF"), "🦊\u{fffd}");
    }

    #[test]
    fn no_password_is_noted() {
        let body = br#"{"name":"jo\n","password":"secret"}"#;
        assert_eq!(note_of(Does::SignIn, body), "jo");
        assert_eq!(note_of(Does::SignIn, b"password=secret"), "");
        let long = format!("{{\"name\":\"{}\",\"password\":\"secret\"}}", "a".repeat(LONGEST_NAME + 1));
        assert_eq!(note_of(Does::SignIn, long.as_bytes()), "");
    }

    #[test]
    fn only_what_must_be_is_open() {
        let open = ROUTES.iter().filter(|route| matches!(route.access, Access::Open | Access::Near));
        let paths: Vec<_> = open.map(|route| route.path).collect();
        let expected = [
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/session",
            "/api/v1/oidc",
            "/api/v1/oidc/begin",
            "/api/v1/oidc/return",
            "/api/v1/openapi.json",
        ];
        assert_eq!(paths, expected);
    }
}
