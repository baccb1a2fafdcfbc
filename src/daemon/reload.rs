//! A new configuration for a running daemon: what the switch, the sockets and the media threads take over.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::access::{Provider, User};
use crate::config::Deployment;
use crate::id::ClipId;
use crate::media::{self, Clip, ClipError};
use crate::net::Peer;
use crate::octets::hex;
use crate::switch::plan::{Plan, may_be_emergency};
use crate::switch::{Event, Input};
use crate::web::Users;

use super::{Daemon, Observer};

/// A configuration that is ready to be taken over: read, checked, its clips encoded.
#[derive(Debug)]
pub struct Reload {
    plan: Plan,
    clips: Vec<Clip>,
    users: Vec<User>,
    provider: Option<Provider>,
    done: oneshot::Sender<Verdict>,
}

/// What became of a new configuration: in force, or refused for the callers who wait in lines that it no longer
/// has, by the line's name.
pub type Verdict = Result<(), Vec<(String, usize)>>;

/// Reads the clips of a deployment, those of announcements after its own, and tells its plan where they begin.
pub(super) fn read_clips(deployment: &mut Deployment) -> Result<Vec<Clip>, ClipError> {
    let read = deployment.clips.iter().map(|clip| Clip::read(&clip.path));
    let mut clips = read.collect::<Result<Vec<_>, _>>()?;
    deployment.plan.media.prompts = ClipId(u32::try_from(clips.len()).unwrap_or(u32::MAX));
    clips.extend(match &deployment.prompts {
        Some(directory) => media::read_prompts(directory)?,
        None => media::shipped_prompts()?,
    });
    Ok(clips)
}

impl Reload {
    /// Makes a deployment ready; this reads and encodes sound, so keep it off the daemon's thread.
    ///
    /// Names that the running deployment has must have kept their ids: see [`crate::config::load_after`].
    pub fn prepare(mut deployment: Deployment) -> Result<(Reload, oneshot::Receiver<Verdict>), ClipError> {
        let clips = read_clips(&mut deployment)?;
        let (done, verdict) = oneshot::channel();
        let (users, provider) = deployment.web.map(|web| (web.users, web.provider)).unwrap_or_default();
        Ok((Reload { plan: deployment.plan, clips, users, provider, done }, verdict))
    }
}

/// What tells a plan from any other: a digest of all that is in it.
pub(super) fn version(plan: &Plan) -> Arc<str> {
    let bytes = rmp_serde::to_vec(plan).expect("a plan is plain data, which MessagePack has");
    let digest = Sha256::digest(bytes);
    hex(&digest[..8]).into()
}

/// How each host is to be treated; the plan of the day decides, so it can be exchanged.
#[derive(Clone)]
pub(super) struct Peers(Arc<RwLock<Known>>);

struct Known {
    phones: std::collections::BTreeSet<IpAddr>,
    ingress: crate::policy::Ingress,
}

impl Known {
    fn of(plan: &Plan) -> Known {
        Known { phones: plan.phone_hosts(), ingress: plan.ingress.clone() }
    }
}

impl Peers {
    pub(super) fn of(plan: &Plan) -> Peers {
        Peers(Arc::new(RwLock::new(Known::of(plan))))
    }

    pub(super) fn set(&self, plan: &Plan) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Known::of(plan);
    }

    pub(super) fn peer(&self, host: IpAddr) -> Peer {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match host {
            host if may_be_emergency(&known.ingress, host) => Peer::First,
            host if known.phones.contains(&host) || known.ingress.knows(host) => Peer::Friend,
            _ => Peer::Stranger,
        }
    }
}

impl<O: Observer> Daemon<O> {
    /// Lets the switch judge a new plan, and the others follow it.
    pub(super) fn reload(&mut self, reload: Reload) {
        let Reload { plan, clips, users, provider, done } = reload;
        let mut verdict = Ok(());
        let mut clips = Some(clips);
        self.batch.push(Input::Reload(Box::new(plan)));
        self.feed(|daemon, event| match event {
            // It comes before any order that speaks of the new clips.
            Event::Reloaded => {
                daemon.peers.set(daemon.switch.plan());
                if let Some(clips) = clips.take() {
                    daemon.media.set_clips(clips);
                }
            }
            Event::ReloadRefused { lines } => verdict = Err(lines.clone()),
            _ => {}
        });
        if let Some(web) = self.web.as_ref().filter(|_| verdict.is_ok()) {
            web.set_users(Users::new(users));
            web.set_provider(provider);
        }
        // Whoever asked may have gone meanwhile.
        let _ = done.send(verdict);
    }
}
