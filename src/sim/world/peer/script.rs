//! What a far end wants: callers who wait, give up, ring again or die; agents who answer, refuse, ignore or die.

use std::time::Duration;

use super::{Act, Hand, Peer, Phase, Tick};
use crate::sim::world::dice::Dice;

/// How one far end will behave; drawn when it begins.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Script {
    /// What it does of its own accord once its dialog stands, and when.
    plan: Vec<(Duration, Deed)>,
    /// What it does before that: a caller after its INVITE, an agent's phone after it rang.
    before: Vec<(Duration, Deed)>,
    /// Its INVITE has no offer.
    pub(super) offers_late: bool,
    /// It sends CANCEL without waiting for a provisional response.
    pub(super) hasty: bool,
    /// It answers an INVITE that is cancelled in the same instant.
    pub(super) crosses: bool,
    pub(super) ignores_cancel: bool,
    pub(super) no_contact: bool,
    pub(super) never_acks: bool,
    /// Two phones behind one address answer.
    pub(super) forks: bool,
    /// What it says to a change of direction; `None` agrees at once.
    change: Option<Change>,
    /// It rings again when it is turned away or gives up.
    redials: bool,
}

/// What a far end says to a change of direction that it does not agree to at once.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Change {
    Refuses(&'static str),
    Takes(u64),
    NeverSays,
}

/// One thing that a far end does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Deed {
    /// CANCEL while there is no answer.
    Cancel,
    /// BYE, or CANCEL while there is no answer.
    Leave,
    Hold,
    Resume,
    /// A response to the INVITE that rings it.
    Say(&'static str),
    /// Goes without a word.
    Die,
    /// Forgets its calls.
    Forget,
    /// A request that the switch does not serve.
    Odd(&'static str),
    Stale,
    /// Agrees at last to the change of direction that this request asked for.
    Agree(usize, &'static str),
}

const REFUSALS: [&str; 10] = [
    "486 Busy Here",
    "486 Busy Here",
    "603 Decline",
    "480 Temporarily Unavailable",
    "404 Not Found",
    "503 Service Unavailable",
    "302 Moved Temporarily",
    "488 Not Acceptable Here",
    "500 Server Error",
    "408 Request Timeout",
];

impl Script {
    /// A caller.
    pub(in super::super) fn caller(dice: &mut Dice) -> Script {
        let mut script = Script {
            offers_late: dice.chance(80),
            hasty: dice.chance(200),
            redials: dice.chance(250),
            change: Script::change(dice),
            ..Script::default()
        };
        let stay = match dice.below(10) {
            0..3 => dice.between(200, 8_000),
            3..8 => dice.between(8_000, 60_000),
            _ => dice.between(60_000, 150_000),
        };
        script.plan.push((stay, Deed::Leave));
        if dice.chance(80) {
            script.before.push((dice.between(0, 600), Deed::Cancel));
        }
        if dice.chance(20) {
            script.never_acks = true;
        }
        script.misbehave(stay, dice);
        script
    }

    /// An agent who dialled a feature code.
    pub(in super::super) fn code(dice: &mut Dice) -> Script {
        let stay = dice.between(500, 15_000);
        let mut script = Script { plan: vec![(stay, Deed::Leave)], ..Script::default() };
        if dice.chance(50) {
            script.plan.insert(0, (dice.between(0, 2_000), Deed::Die));
        }
        script
    }

    /// An agent's phone that is rung.
    pub(in super::super) fn agent(dice: &mut Dice) -> Script {
        let mut script = Script {
            crosses: dice.chance(150),
            ignores_cancel: dice.chance(30),
            no_contact: dice.chance(20),
            forks: dice.chance(30),
            change: Script::change(dice),
            ..Script::default()
        };
        let trying = dice.between(0, 80);
        if dice.chance(500) {
            script.before.push((trying, Deed::Say("100 Trying")));
        }
        let ringing = trying + dice.between(0, 300);
        if dice.chance(900) {
            script.before.push((ringing, Deed::Say("180 Ringing")));
        }
        let think = ringing + dice.between(0, 8_000);
        let last = match dice.below(100) {
            0..60 => Some((think, Deed::Say("200 OK"))),
            60..64 => Some((think + dice.between(5_000, 45_000), Deed::Say("200 OK"))),
            64..82 => Some((think, Deed::Say(dice.pick(&REFUSALS)))),
            82..86 => Some((think, Deed::Die)),
            _ => None,
        };
        script.before.extend(last);
        if dice.chance(20) {
            script.before.clear();
        }
        let stay = dice.between(500, 40_000);
        if dice.chance(600) {
            script.plan.push((stay, Deed::Leave));
        }
        if dice.chance(150) {
            script.plan.push((dice.between(500, 30_000), Deed::Odd("REFER")));
        }
        script.misbehave(stay, dice);
        script
    }

    /// A phone whose user is on another call.
    pub(in super::super) fn busy() -> Script {
        let say = (Duration::from_millis(20), Deed::Say("486 Busy Here"));
        Script { before: vec![say], ..Script::default() }
    }

    fn change(dice: &mut Dice) -> Option<Change> {
        match dice.below(20) {
            0 => {
                Some(Change::Refuses(dice.pick(&["488 Not Acceptable Here", "500 Server Error", "481 Gone"])))
            }
            1 | 2 => Some(Change::Takes(dice.below(5_000) as u64)),
            3 => Some(Change::NeverSays),
            _ => None,
        }
    }

    /// Holds, resumes, odd requests, death: within this time.
    fn misbehave(&mut self, within: Duration, dice: &mut Dice) {
        let within = u64::try_from(within.as_millis()).unwrap_or(1);
        let at = |dice: &mut Dice| dice.between(0, within + within / 4);
        if dice.chance(250) {
            let hold = at(dice);
            self.plan.push((hold, Deed::Hold));
            self.plan.push((hold + dice.between(0, 5_000), Deed::Resume));
        }
        if dice.chance(60) {
            self.plan
                .push((at(dice), Deed::Odd(dice.pick(&["INFO", "UPDATE", "MESSAGE", "OPTIONS", "NOTIFY"]))));
        }
        if dice.chance(30) {
            self.plan.push((at(dice), Deed::Stale));
        }
        if dice.chance(40) {
            self.plan.push((at(dice), dice.pick(&[Deed::Die, Deed::Die, Deed::Forget])));
        }
    }
}

impl Peer {
    /// The call begins: what happens while it has no answer.
    pub(in super::super) fn set_out(&mut self, hand: &mut Hand<'_>) {
        for (wait, deed) in self.script.before.clone() {
            hand.after(wait, Tick::Do(deed));
        }
    }

    /// The dialog stands.
    pub(super) fn begin(&mut self, hand: &mut Hand<'_>) {
        for (wait, deed) in self.script.plan.clone() {
            hand.after(wait, Tick::Do(deed));
        }
    }

    /// The switch rings this phone.
    pub(super) fn rung(&mut self, hand: &mut Hand<'_>) {
        self.set_out(hand);
    }

    pub(super) fn turned_away(&mut self, code: u16, hand: &mut Hand<'_>) {
        hand.tally.note("turned away");
        if self.script.redials && (500..600).contains(&code) {
            hand.acts.push(Act::Redial(self.cli.clone()));
        }
    }

    /// The other side wants another direction.
    pub(super) fn consider(&mut self, index: usize, direction: &'static str, hand: &mut Hand<'_>) {
        match self.script.change {
            None => self.agree(index, direction, hand),
            Some(Change::Refuses(status)) => self.refuse_change(index, status, hand),
            Some(Change::Takes(millis)) => {
                self.wait_over_change(index, hand);
                hand.after(Duration::from_millis(millis), Tick::Do(Deed::Agree(index, direction)));
            }
            Some(Change::NeverSays) => self.wait_over_change(index, hand),
        }
    }

    pub(super) fn perform(&mut self, deed: Deed, hand: &mut Hand<'_>) {
        match (deed, self.phase) {
            (Deed::Die, _) => {
                hand.tally.note("deaths");
                self.dead = true;
            }
            (Deed::Forget, Phase::Up) => self.forgetful = true,
            _ if self.forgetful => {}
            (Deed::Cancel, Phase::Calling) => self.cancel(hand),
            (Deed::Leave, Phase::Calling) => self.cancel(hand),
            (Deed::Leave, Phase::Up) => {
                self.bye(hand);
                if self.script.redials {
                    self.script.redials = false;
                    hand.acts.push(Act::Redial(self.cli.clone()));
                }
            }
            (Deed::Hold, Phase::Up) => self.reinvite("sendonly", hand),
            (Deed::Resume, Phase::Up) => self.reinvite("sendrecv", hand),
            (Deed::Say(status), Phase::Invited) => {
                self.answer(status, hand);
                if self.phase == Phase::Up {
                    self.begin(hand);
                }
            }
            (Deed::Odd(method), Phase::Up) => self.odd(method, hand),
            (Deed::Stale, Phase::Up) => self.stale(hand),
            (Deed::Agree(index, direction), Phase::Up) => self.agree(index, direction, hand),
            _ => {}
        }
    }
}
