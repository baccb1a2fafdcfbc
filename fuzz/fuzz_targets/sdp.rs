//! A body of type `application/sdp`, and keys in the bodies of INFO: nothing panics, and our answer to whatever
//! can be agreed is one that we can read.

#![no_main]

use std::net::IpAddr;

use hearken::audio::{Codec, Direction};
use hearken::sip::info;
use hearken::sip::sdp::{Description, Local, offer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = info::press("application/dtmf-relay", data);
    let _ = info::press("application/dtmf", data);
    let Ok(description) = Description::parse(data) else { return };
    let ours = [Codec::Pcma, Codec::Pcmu];
    let local = Local { address: IpAddr::from([192, 0, 2, 1]), port: 20_000, session: 1, version: 1 };
    let _ = description.settle(&ours, Direction::SendRecv);
    let Ok(agreed) = description.choose(&ours, Direction::SendRecv) else { return };
    let answer = Description::parse(&description.answer(&local, &agreed)).expect("our answer can be read");
    let settled = answer.settle(&ours, Direction::SendRecv).expect("and agrees to something");
    assert_eq!(settled.codec, agreed.codec);
    assert!(Description::parse(&offer(&local, &ours, agreed.direction)).is_ok());
});
