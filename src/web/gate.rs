//! Who asks, and whether they may.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::{HeaderMap, Method, StatusCode, header};

use super::problem::Problem;
use super::{Shared, cookies, locked};
use crate::access::Role;

/// The header that no page of another site can send.
const OURS: &str = "x-hearken";
/// The name of the cookie.
pub(super) const COOKIE: &str = "hearken";

/// Who may use a route.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// Programs on this host, and whoever is signed in.
    Near,
    /// Whoever is signed in.
    SignedIn,
    /// Supervisors, and the agent of the path.
    Own,
    /// Those with this role.
    Only(Role),
    /// Those with one of these, or both.
    Either(Role, Role),
}

/// Somebody who has proved who it is.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) roles: Vec<Role>,
    pub(super) agent: Option<String>,
    /// The cookie, if it was by that.
    pub(super) cookie: Option<String>,
}

impl Who {
    pub(super) fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// Who sent this; `None` for nobody known.
pub(super) fn who(web: &Shared, headers: &HeaderMap, now: Instant) -> Option<Who> {
    let users = web.users();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(token) = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
        let user = users.with_token(token.trim())?;
        return Some(Who {
            name: user.name.clone(),
            roles: user.roles.clone(),
            agent: user.agent.clone(),
            cookie: None,
        });
    }
    let cookie = cookies::sent(headers, COOKIE)?;
    let name = locked(&web.sessions).name(cookie, now)?.to_owned();
    let user = users.named(&name)?;
    let (roles, agent) = (user.roles.clone(), user.agent.clone());
    Some(Who { name, roles, agent, cookie: Some(cookie.to_owned()) })
}

/// Lets a request by, or says why not. `own` is the agent in the path.
pub(super) fn admit(
    web: &Shared,
    (access, own): (Access, Option<&str>),
    (method, headers): (&Method, &HeaderMap),
    peer: IpAddr,
) -> Result<Option<Who>, Problem> {
    let now = Instant::now();
    let who = who(web, headers, now);
    let whose = match &who {
        Some(who) => format!("user {}", who.name),
        None => format!("address {peer}"),
    };
    locked(&web.limits)
        .spend(&whose, now)
        .map_err(|after| Problem::too_many("too many requests; wait a moment", after))?;
    // Whoever comes through a proxy is not of this host.
    let near = peer.is_loopback() && !headers.contains_key("x-forwarded-for");
    if access == Access::Open || (access == Access::Near && near) {
        return Ok(who);
    }
    let Some(who) = who else {
        let detail = if web.users().is_empty() {
            "nobody can sign in yet: put the entry that `hearken user NAME` prints into the users file, and reload"
        } else {
            "sign in, or send a token"
        };
        return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    };
    if who.cookie.is_some() && !method.is_safe() && !headers.contains_key(OURS) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a request that changes something needs `x-hearken: 1`",
        ));
    }
    let may = match access {
        Access::Open | Access::Near | Access::SignedIn => true,
        Access::Own => {
            who.is(Role::Supervisor) || (who.is(Role::Agent) && own.is_some() && own == who.agent.as_deref())
        }
        Access::Only(role) => who.is(role),
        Access::Either(one, other) => who.is(one) || who.is(other),
    };
    if may { Ok(Some(who)) } else { Err(Problem::new(StatusCode::FORBIDDEN, forbidden(access))) }
}

fn forbidden(access: Access) -> String {
    match access {
        Access::Only(role) => format!("this needs the role `{}`", role.word()),
        Access::Either(one, other) => {
            format!("this needs the role `{}` or `{}`", one.word(), other.word())
        }
        _ => "this is for a supervisor, or for the agent".to_owned(),
    }
}
