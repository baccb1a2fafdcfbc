#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::acd::Band;

const PHARMACY: PathwayId = PathwayId(0);
const FALLS: PathwayId = PathwayId(1);
const A: AgentId = AgentId(0);

fn secs(secs: u64) -> Mono {
    Mono(secs * 1_000_000)
}

/// The pharmacy answers within 120 s, the falls team within 600 s.
fn pathways() -> Pathways {
    let pathway = |(name, within): (&str, u64)| Pathway {
        name: name.into(),
        kind: Kind::Other,
        acknowledge_within: Duration::from_secs(within),
        destination: None,
        hours: None,
        gone: false,
    };
    Pathways::new([("pharmacy", 120), ("falls", 600)].map(pathway).to_vec(), Duration::from_secs(60))
}

fn reported(pathways: &mut Pathways, pathway: PathwayId, free: u32, second: u64) {
    pathways.report(pathway, Report { free, at: secs(second) }, secs(second)).unwrap();
}

fn referral(case: u64, pathway: PathwayId) -> Referral {
    let urgency = Urgency { band: Band::ROUTINE, breach: secs(5_000) };
    Referral { of: Subject::Case(CaseId(case)), pathway, from: A, urgency }
}

fn offers(pathways: &Pathways, second: u64) -> Vec<Offer> {
    pathways.offers(secs(second)).map(|(_, _, offer)| offer).collect()
}

#[test]
fn a_pathway_is_offered_only_while_a_fresh_report_says_that_it_has_room() {
    let mut pathways = pathways();
    assert_eq!(offers(&pathways, 0), [Offer::Closed(Closed::NoReport); 2]);
    reported(&mut pathways, PHARMACY, 2, 10);
    reported(&mut pathways, FALLS, 0, 10);
    assert_eq!(offers(&pathways, 70), [Offer::Room(2), Offer::Closed(Closed::Full)]);
    let stale = Closed::Stale { age: Duration::from_secs(61) };
    assert_eq!(offers(&pathways, 71), [Offer::Closed(stale); 2]);
    assert_eq!(pathways.refer(referral(1, PHARMACY), secs(71)), Err(Refused::Closed(stale)));
    assert_eq!(stale.to_string(), "its report is 61 s old");
}

#[test]
fn an_answer_keeps_a_pathway_fresh_but_never_overrules_what_it_said_itself() {
    let mut pathways = pathways();
    pathways.answered(PHARMACY, 4, secs(1));
    assert_eq!(offers(&pathways, 10)[0], Offer::Room(4));
    reported(&mut pathways, PHARMACY, 0, 10);
    pathways.answered(PHARMACY, 4, secs(20));
    assert_eq!(offers(&pathways, 20)[0], Offer::Closed(Closed::Full));
    pathways.answered(PHARMACY, 4, secs(71));
    assert_eq!(offers(&pathways, 131)[0], Offer::Room(4));
    assert!(matches!(offers(&pathways, 132)[0], Offer::Closed(Closed::Stale { .. })));
}

#[test]
fn a_referral_takes_room_until_a_later_report_counts_it() {
    let mut pathways = pathways();
    reported(&mut pathways, PHARMACY, 2, 10);
    let first = pathways.refer(referral(1, PHARMACY), secs(11)).unwrap();
    pathways.refer(referral(2, PHARMACY), secs(11)).unwrap();
    assert_eq!(pathways.refer(referral(3, PHARMACY), secs(12)), Err(Refused::Closed(Closed::Full)));
    pathways.acknowledge(first, secs(13)).unwrap();
    assert_eq!(offers(&pathways, 13)[0], Offer::Closed(Closed::Full), "the patient is there now");
    reported(&mut pathways, PHARMACY, 2, 20);
    assert_eq!(offers(&pathways, 20)[0], Offer::Room(1), "the second still awaits an answer");
}

#[test]
fn a_referral_declined_gives_its_room_and_its_case_back() {
    let mut pathways = pathways();
    reported(&mut pathways, PHARMACY, 1, 10);
    let id = pathways.refer(referral(1, PHARMACY), secs(11)).unwrap();
    pathways.decline(id, secs(12)).unwrap();
    let ended = Ended { id, referral: referral(1, PHARMACY), outcome: Outcome::Declined };
    assert_eq!((pathways.poll_output(), pathways.poll_output()), (Some(ended), None));
    assert_eq!(offers(&pathways, 12)[0], Offer::Room(1));
    assert_eq!(pathways.acknowledge(id, secs(13)), Err(Refused::UnknownReferral(id)));
}

#[test]
fn a_referral_not_acknowledged_in_time_goes_back_as_urgent_as_it_was() {
    let mut pathways = pathways();
    reported(&mut pathways, PHARMACY, 1, 10);
    let id = pathways.refer(referral(1, PHARMACY), secs(11)).unwrap();
    assert_eq!(pathways.poll_timeout(), Some(secs(131)));
    pathways.handle_timeout(secs(130));
    assert_eq!(pathways.poll_output(), None);
    assert_eq!(pathways.acknowledge(id, secs(200)), Err(Refused::UnknownReferral(id)), "a late wake");
    let ended = Ended { id, referral: referral(1, PHARMACY), outcome: Outcome::Unacknowledged };
    assert_eq!((pathways.poll_output(), pathways.poll_output()), (Some(ended), None));
    assert_eq!((pathways.poll_timeout(), pathways.get(id)), (None, None));
}

#[test]
fn a_case_is_referred_to_one_pathway_at_a_time() {
    let mut pathways = pathways();
    reported(&mut pathways, PHARMACY, 5, 10);
    reported(&mut pathways, FALLS, 5, 10);
    let id = pathways.refer(referral(1, PHARMACY), secs(11)).unwrap();
    let again = pathways.refer(referral(1, FALLS), secs(11));
    assert_eq!(again, Err(Refused::AlreadyReferred));
    pathways.decline(id, secs(12)).unwrap();
    assert!(pathways.refer(referral(1, FALLS), secs(12)).is_ok());
}

#[test]
fn a_report_overtaken_by_a_later_one_is_left_aside_and_none_is_of_the_future() {
    let mut pathways = pathways();
    reported(&mut pathways, PHARMACY, 5, 30);
    pathways.report(PHARMACY, Report { free: 9, at: secs(20) }, secs(31)).unwrap();
    assert_eq!(offers(&pathways, 31)[0], Offer::Room(5));
    pathways.report(PHARMACY, Report { free: 7, at: secs(9_000) }, secs(40)).unwrap();
    assert_eq!(offers(&pathways, 100)[0], Offer::Room(7));
    assert!(matches!(offers(&pathways, 101)[0], Offer::Closed(Closed::Stale { .. })));
    let nowhere = PathwayId(2);
    let report = Report { free: 1, at: secs(1) };
    assert_eq!(pathways.report(nowhere, report, secs(102)), Err(Refused::UnknownPathway(nowhere)));
    assert_eq!(pathways.refer(referral(1, nowhere), secs(102)), Err(Refused::UnknownPathway(nowhere)));
}

proptest! {
    #[test]
    fn every_referral_ends_once_and_no_pathway_is_sent_more_than_it_reported(
        steps in proptest::collection::vec((0..6u8, 0..2u32, 0..12u64, 0..50u64), 1..300),
    ) {
        let mut pathways = pathways();
        let mut made = BTreeMap::new();
        let mut ended = BTreeMap::new();
        // How many have been sent since the last report, and how many it said.
        let mut sent = [(0, 0); 2];
        let mut now = secs(0);
        for (step, pathway, number, pass) in steps {
            now = now + Duration::from_secs(pass);
            let pathway = PathwayId(pathway);
            let id = ReferralId(number + made.len().saturating_sub(8) as u64);
            match step {
                0 | 1 => {
                    let free = number as u32 % 5;
                    pathways.report(pathway, Report { free, at: now }, now).unwrap();
                    sent[pathway.index()] = (0, free);
                }
                2 | 3 => {
                    let made_before = made.len();
                    if let Ok(id) = pathways.refer(referral(number, pathway), now) {
                        made.insert(id, referral(number, pathway));
                        sent[pathway.index()].0 += 1;
                        prop_assert_eq!(made.len(), made_before + 1);
                    }
                }
                4 => drop(pathways.acknowledge(id, now)),
                _ if number % 3 == 0 => drop(pathways.decline(id, now)),
                _ => pathways.handle_timeout(now),
            }
            while let Some(Ended { id, referral, outcome }) = pathways.poll_output() {
                prop_assert_eq!(Some(&referral), made.get(&id));
                prop_assert!(ended.insert(id, outcome).is_none(), "{} ended twice", id);
                if outcome != Outcome::Acknowledged {
                    // The room is given back, unless an earlier report was meant.
                    let (sent, _) = &mut sent[referral.pathway.index()];
                    *sent = u32::saturating_sub(*sent, 1);
                }
            }
            prop_assert!(sent.iter().all(|(sent, free)| sent <= free), "{:?}", sent);
            let awaiting = made.keys().filter(|id| !ended.contains_key(id));
            prop_assert!(awaiting.eq(pathways.referrals.keys()));
            pathways = serde_json::from_str(&serde_json::to_string(&pathways).unwrap()).unwrap();
        }
        pathways.handle_timeout(now + Duration::from_secs(600));
        while let Some(Ended { id, .. }) = pathways.poll_output() {
            prop_assert!(ended.insert(id, Outcome::Unacknowledged).is_none());
        }
        prop_assert!(ended.keys().eq(made.keys()) && pathways.poll_timeout().is_none());
    }
}
