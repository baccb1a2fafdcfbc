//! A distributor stored in mid-run and read back goes on as if nothing had happened.

use super::*;

fn busy_hub() -> Hub {
    let mut hub = Hub::new(&[A, B, C]);
    for number in 1..=6 {
        hub.arrive(10 + number, number, LineId(number as u32 % 2));
    }
    hub.answer(17, A, 1);
    hub.pause(18, A);
    hub.refuse(19, B, 2);
    hub.emergency(20, 7, ELM);
    hub
}

fn rest_of_the_day(acd: &mut Distributor) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (second, input) in [
        (21, Input::Finish { agent: A, call: call(1) }),
        (22, Input::Resume { agent: A }),
        (30, Input::Abandon { call: call(7) }),
        (45, Input::Arrive { call: call(8), newcomer: Newcomer::new(OAK, Band::EMERGENCY) }),
        (99, Input::LogOut { agent: C }),
    ] {
        acd.handle(input, secs(second)).unwrap();
    }
    acd.handle_timeout(secs(900));
    outputs.extend(std::iter::from_fn(|| acd.poll_output()));
    outputs
}

#[test]
fn a_stored_distributor_goes_on_with_the_same_outputs() {
    let mut hub = busy_hub();
    let bytes = postcard::to_stdvec(&hub.acd).unwrap();
    let mut restored: Distributor = postcard::from_bytes(&bytes).unwrap();
    restored.check_invariants();
    let outputs = rest_of_the_day(&mut hub.acd);
    assert!(outputs.len() > 20);
    assert_eq!(rest_of_the_day(&mut restored), outputs);
    assert_eq!(postcard::to_stdvec(&restored).unwrap(), postcard::to_stdvec(&hub.acd).unwrap());
}

#[test]
fn json_carries_the_whole_state_too() {
    let mut hub = busy_hub();
    let text = serde_json::to_string(&hub.acd).unwrap();
    let mut restored: Distributor = serde_json::from_str(&text).unwrap();
    assert_eq!(rest_of_the_day(&mut restored), rest_of_the_day(&mut hub.acd));
}

#[test]
fn outputs_not_yet_drained_are_stored_too() {
    let mut acd = Distributor::new(plan(), Mono(0));
    acd.handle(Input::LogIn { agent: A }, Mono(1)).unwrap();
    let mut restored: Distributor = postcard::from_bytes(&postcard::to_stdvec(&acd).unwrap()).unwrap();
    assert_eq!(restored.poll_output(), Some(Output::Availability { agent: A, state: Availability::Free }));
}
