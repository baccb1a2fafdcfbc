//! The description of the interface for programs (OpenAPI 3.1), made from the table of routes.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::gate::Access;
use super::orders::Verb;
use super::reports::{Format, KEYS, Kind};
use super::routes::{Does, ROUTES, Route};

/// The shapes of bodies and answers.
const SCHEMAS: &str = include_str!("schemas.json");

/// The whole description, as it is sent.
pub(super) static TEXT: LazyLock<String> = LazyLock::new(|| description().to_string());

fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hearken",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
            "description": "Board, orders, health and metrics of a call-routing daemon. Instants are RFC 3339 in UTC; \
                lengths of time are seconds, in members that end in _s. What changes something needs the header \
                `x-hearken: 1` where the cookie says who asks.",
        },
        "paths": paths,
        "components": {
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": super::gate::COOKIE },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let Said { id, summary, kind, answer } = said(route.does);
    let schema = match answer {
        Some(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
        None => json!({ "type": "string" }),
    };
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "responses": {
            "200": { "description": "Done.", "content": { kind: { "schema": schema } } },
            "default": {
                "description": "Why not.",
                "content": { "application/problem+json": { "schema": problem } },
            },
        },
    });
    if let Does::Report(kind) = route.does {
        operation["responses"]["200"]["content"] = formats(kind, &schema);
    }
    if let Does::Leave | Does::Return = route.does {
        let more =
            "To the provider; to a page, with a cookie; or to the page for signing in, which says why not.";
        let default = operation["responses"]["default"].take();
        operation["responses"] = json!({ "303": { "description": more }, "default": default });
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some((name, needed)) = body(route.does) {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "required": needed, "content": content });
    }
    if !matches!(route.access, Access::Open) {
        operation["security"] = match route.access {
            Access::Near => json!([{}, { "token": [] }, { "session": [] }]),
            _ => json!([{ "token": [] }, { "session": [] }]),
        };
        operation["description"] = who(route.access).into();
    }
    operation
}

fn who(access: Access) -> String {
    match access {
        Access::Open => "For anybody.".to_owned(),
        Access::Near => "For programs on the same host, and whoever is signed in.".to_owned(),
        Access::SignedIn => "For whoever is signed in.".to_owned(),
        Access::Own => "For supervisors, and for the agent of the path.".to_owned(),
        Access::Only(role) => format!("For the role `{}`.", role.word()),
        Access::Either(one, other) => format!("For the roles `{}` and `{}`.", one.word(), other.word()),
    }
}

/// The formats of a report; that for programs has a shape.
fn formats(kind: Kind, shape: &Value) -> Value {
    let text = json!({ "type": "string" });
    let content = kind.formats().iter().map(|format| {
        let kind = format.content_type().split(';').next().unwrap_or_default();
        (kind.to_owned(), json!({ "schema": if *format == Format::Json { shape } else { &text } }))
    });
    Value::Object(content.collect())
}

fn parameters(route: &Route) -> Vec<Value> {
    let named = route.path.split(['{', '}']).skip(1).step_by(2);
    let mut parameters: Vec<Value> = named
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut more = |place: &str, name: &str, schema: Value| {
        let needed = matches!((route.does, name), (Does::Report(_), "from" | "to") | (Does::Put, "If-Match"));
        parameters.push(json!({ "name": name, "in": place, "required": needed, "schema": schema }));
    };
    match route.does {
        Does::Calls => {
            more("query", "line", json!({ "type": "string" }));
            more("query", "state", json!({ "type": "string" }));
            more("query", "limit", json!({ "type": "integer", "minimum": 0 }));
        }
        Does::Report(kind) => {
            for key in KEYS.iter().chain(kind.own_keys()) {
                let schema = match *key {
                    "from" | "to" => json!({ "type": "string", "format": "date" }),
                    "format" => {
                        json!({ "enum": kind.formats().iter().map(|of| of.word()).collect::<Vec<_>>() })
                    }
                    "by" => json!({ "enum": ["line", "practice", "team", "trunk", "hour", "fifth"] }),
                    _ => json!({ "type": "string" }),
                };
                more("query", key, schema);
            }
        }
        Does::Leave => more("query", "next", json!({ "type": "string" })),
        Does::Return => {
            for key in ["code", "state", "error"] {
                more("query", key, json!({ "type": "string" }));
            }
        }
        Does::Stream => more("header", "Last-Event-ID", json!({ "type": "string" })),
        Does::Put | Does::RollBack => {
            let schema = json!({ "type": "string", "pattern": "^\"[0-9]{1,15}\"$" });
            more("header", "If-Match", schema);
        }
        Does::Order(_) => {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" });
            more("header", "Idempotency-Key", schema);
        }
        _ => {}
    }
    parameters
}

/// The name of the shape of a request's body, and whether it must be there.
fn body(does: Does) -> Option<(&'static str, bool)> {
    match does {
        Does::SignIn => Some(("Credentials", true)),
        Does::Check | Does::Diff => Some(("Text", true)),
        Does::Put => Some(("Put", true)),
        Does::RollBack => Some(("RollBack", true)),
        Does::Simulate => Some(("Simulate", true)),
        Does::Explain => Some(("Explain", true)),
        Does::Order(verb) => Some(match verb {
            Verb::LogIn
            | Verb::LogOut
            | Verb::Resume
            | Verb::Emergency
            | Verb::Acknowledge
            | Verb::Decline
            | Verb::TakeCase
            | Verb::GiveBackCase => ("Nothing", false),
            Verb::Pause | Verb::HangUp => ("Reason", true),
            Verb::WrapUp => ("WrapUp", true),
            Verb::Disposition | Verb::CloseCase => ("Code", true),
            Verb::ReferCase => ("ToPathway", true),
            Verb::Transfer => ("To", true),
            Verb::Red => ("Red", false),
            Verb::Prioritise => ("Priority", true),
            Verb::Move => ("ToLine", true),
            Verb::Report => ("Capacity", true),
        }),
        _ => None,
    }
}

/// What is said of an operation.
struct Said {
    id: &'static str,
    summary: &'static str,
    /// The content type of its answer.
    kind: &'static str,
    /// The name of the shape of its answer; `None` for plain text.
    answer: Option<&'static str>,
}

fn said(does: Does) -> Said {
    const JSON: &str = "application/json";
    let text = |id, summary| Said { id, summary, kind: "text/plain", answer: None };
    let json = |id, summary, answer| Said { id, summary, kind: JSON, answer: Some(answer) };
    match does {
        Does::Live => text("live", "Whether the daemon runs"),
        Does::Ready => text("ready", "Whether it takes calls and is well"),
        Does::Metrics => text("metrics", "Figures for Prometheus"),
        Does::Described => json("describe", "This description", "Anything"),
        Does::SignIn => json("signIn", "Signs in; the answer sets a cookie", "Me"),
        Does::SignOut => json("signOut", "Signs out", "Anything"),
        Does::Provider => {
            json("provider", "What the provider is called that people may be signed in by", "Provider")
        }
        Does::Leave => text("beginSignIn", "Sends a browser to the provider"),
        Does::Return => text("endSignIn", "Signs in whoever comes back from the provider"),
        Does::Me => json("me", "Who asks", "Me"),
        Does::Board => json("board", "The whole service at this instant", "Board"),
        Does::Stream => Said {
            id: "stream",
            summary: "Boards and news as server-sent events",
            kind: "text/event-stream",
            answer: None,
        },
        Does::Calls => json("calls", "Calls that are up", "Calls"),
        Does::Call => json("call", "One call that is up", "Call"),
        Does::Ladder => json("ladder", "One call, message by message, over or not", "Ladder"),
        Does::Desk => json("desk", "What an agent sees", "Desk"),
        Does::Callbacks => json("callbacks", "Promised callbacks that are not settled", "Callbacks"),
        Does::Cases => json("cases", "Cases that are not closed", "Cases"),
        Does::Audit => json("audit", "The latest orders, the newest first", "Audit"),
        Does::Transports => {
            json("transports", "Where SIP is spoken, and what came and went there", "Transports")
        }
        Does::Plan => json("plan", "The configuration in force", "Plan"),
        Does::Put => json(
            "putPlan",
            "Puts a configuration into force, in the place of the version that If-Match names",
            "Applied",
        ),
        Does::RollBack => json("rollBackPlan", "Puts one into force again that was before", "Applied"),
        Does::Versions => {
            json("planVersions", "The configurations that were in force, the newest first", "Versions")
        }
        Does::Version => json("planVersion", "One of them", "KeptPlan"),
        Does::Simulate => json(
            "simulatePlan",
            "A day of calls under the configuration in force and under another",
            "Anything",
        ),
        Does::Check => json("checkPlan", "What is wrong with a configuration", "Checked"),
        Does::Diff => json("diffPlan", "What a configuration would change", "Diff"),
        Does::Explain => json("explainPlan", "What the rules decide, and why", "Anything"),
        Does::Offer => json("reports", "Whose reports there are", "Offer"),
        Does::Report(kind) => {
            let (id, summary, answer) = reported(kind);
            json(id, summary, answer)
        }
        Does::Order(verb) => {
            let (id, summary) = ordered(verb);
            json(id, summary, "Done")
        }
    }
}

fn reported(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Waits => ("reportWaits", "Outcomes and waits, callbacks, cases and redials", "WaitsReport"),
        Kind::Cbt => ("reportCbt", "Counts of cloud-based telephony, CBT001 to CBT007", "CbtReport"),
        Kind::Ambsys => ("reportAmbsys", "Ambulance Systems Indicators", "ItemsReport"),
        Kind::Iuc => ("reportIuc", "Call handling of the IUC ADC", "ItemsReport"),
        Kind::Gp => ("reportGp", "The metrics of the GP contract", "ItemsReport"),
        Kind::Day => {
            ("reportDay", "The half hours of the day, of all days of the period together", "DayReport")
        }
        Kind::Calls => ("reportCalls", "Single calls; by `trace` those that make up a figure", "CallsReport"),
    }
}

fn ordered(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::LogIn => ("logIn", "The agent starts work"),
        Verb::LogOut => ("logOut", "The agent stops work, after a talk at its end"),
        Verb::Pause => ("pause", "The agent takes no calls, after a talk from its end on"),
        Verb::Resume => ("resume", "The agent takes calls again"),
        Verb::WrapUp => ("wrapUp", "The agent's wrap-up ends, or lasts longer"),
        Verb::Disposition => ("dispose", "Says by code how the call ended"),
        Verb::Transfer => ("transfer", "Hands the caller on to an agent, line, pathway or stack"),
        Verb::Red => ("flagByAgent", "The caller on the line, or another, is an emergency"),
        Verb::Prioritise => ("prioritise", "The caller counts as having come earlier, or gets another band"),
        Verb::Move => ("move", "The caller waits in another line, in the place it has"),
        Verb::HangUp => ("hangUp", "Ends a call"),
        Verb::Emergency => ("flag", "The caller is an emergency from now on"),
        Verb::Report => ("reportPathway", "So many patients can be sent to a pathway now"),
        Verb::Acknowledge => ("acknowledge", "The pathway takes over the patient of a referral"),
        Verb::Decline => ("decline", "The pathway does not take the patient of a referral"),
        Verb::TakeCase => ("takeCase", "The agent who asks takes a case; `next` for the most urgent"),
        Verb::GiveBackCase => ("giveBackCase", "The agent puts a case back, in its old place"),
        Verb::CloseCase => ("closeCase", "The agent closes a case by the code of a disposition"),
        Verb::ReferCase => ("referCase", "The agent refers a case to a pathway, which has to acknowledge"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_once_with_shapes_that_are_there() {
        let described = description();
        let paths = described["paths"].as_object().unwrap();
        let operations: Vec<&Value> =
            paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
        assert_eq!(operations.len(), ROUTES.len());
        let ids: BTreeSet<_> =
            operations.iter().map(|known| known["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), ROUTES.len(), "each has a name of its own");
        let schemas = described["components"]["schemas"].as_object().unwrap();
        let text = described.to_string();
        let named = text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
        let named: BTreeSet<_> = named.collect();
        assert_eq!(named, schemas.keys().map(String::as_str).collect(), "none is missing or idle");
    }
}
