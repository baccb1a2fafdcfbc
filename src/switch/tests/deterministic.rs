//! The same inputs at the same times give the same outputs, also across a snapshot.

use std::time::Duration;

use super::world::{Caller, Ringing, TRUNK, TRUNK_999, World, phone};
use crate::switch::{Output, Switch};

/// A busy half hour: callers, misses, holds, a snapshot half way if asked for.
fn story(snapshot: bool) -> Vec<Output> {
    let mut world = World::new(3);
    for n in 0..30u64 {
        let source = if n % 7 == 0 { TRUNK_999 } else { TRUNK };
        let mut caller = Caller::new(&format!("c{n}"), source);
        caller.call(&mut world);
        for agent in 0..3 {
            for text in world.take_to(&phone(agent)) {
                if !text.starts_with("INVITE") {
                    continue;
                }
                let ringing = Ringing { at: phone(agent), invite: text };
                match n % 4 {
                    0 => ringing.answer(&mut world),
                    1 => ringing.reply(&mut world, "486 Busy Here"),
                    2 => ringing.reply(&mut world, "180 Ringing"),
                    _ => {}
                }
            }
        }
        world.pass(Duration::from_millis(700 * n));
        if n % 3 == 0 {
            caller.send(&mut world, "BYE", "");
        }
        if snapshot && n == 15 {
            let bytes = postcard::to_stdvec(&world.switch).unwrap();
            let resumed: Switch = postcard::from_bytes(&bytes).unwrap();
            world.switch = resumed;
        }
    }
    world.pass(Duration::from_secs(600));
    world.outputs
}

#[test]
fn the_same_inputs_twice_give_the_same_bytes() {
    let (first, second) = (story(false), story(false));
    assert!(first.len() > 300, "{}", first.len());
    assert_eq!(postcard::to_stdvec(&first).unwrap(), postcard::to_stdvec(&second).unwrap());
}

#[test]
fn a_snapshot_changes_nothing() {
    assert_eq!(postcard::to_stdvec(&story(false)).unwrap(), postcard::to_stdvec(&story(true)).unwrap());
}
