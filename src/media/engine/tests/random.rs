//! Whatever the orders and packets, nothing panics and nothing is left behind.

use super::*;

#[test]
fn random_orders_and_packets_never_panic_and_leave_nothing_behind() {
    for seed in 0..64u8 {
        let mut rig = Rig::new(Duration::from_secs(1));
        let mut dice = Rng::new([seed; 32]);
        let mut roll = |sides: u64| dice.bits() % sides;
        for _ in 0..1_000 {
            let (leg, other) = (roll(6), roll(6));
            match roll(13) {
                0 => rig.order(Command::Set(Stream {
                    port: PORTS[roll(3) as usize],
                    direction: if roll(2) == 0 { Direction::SendRecv } else { Direction::Inactive },
                    latch: roll(3) == 0,
                    ..stream(leg)
                })),
                1 => rig.play(leg, &[other as u32], roll(2) == 0),
                2 => rig.order(Command::Bridge { a: LegId(leg), b: LegId(other) }),
                3 => rig.order(Command::Unbridge { leg: LegId(leg) }),
                4 => rig.order(Command::Close { leg: LegId(leg) }),
                5 => rig.run(ms(roll(50))),
                7 => rig.say(leg, other as u32, &[other as u32, 1, 0][..roll(4) as usize]),
                8 => rig.order(Command::Hush { leg: LegId(leg) }),
                9 => rig.order(Command::Listen { leg: LegId(leg), on: roll(2) == 0 }),
                10 => {
                    let event = Header { payload_type: 101, ..audio(roll(65_536) as u16) };
                    rig.receive_at(roll(3) as usize, remote(leg), event, &[roll(20) as u8, 10, 0, 160]);
                }
                6 => {
                    let bytes: Vec<u8> =
                        (0..roll(60)).map(|n| (roll(256) as u8) | u8::from(n == 0) << 7).collect();
                    rig.engine.receive(roll(4) as usize, remote(leg), &bytes, rig.log.now, &mut rig.log);
                }
                _ => rig.receive_at(roll(3) as usize, remote(leg), audio(roll(65_536) as u16), &[1; 160]),
            }
        }
        for leg in 0..6 {
            rig.order(Command::Close { leg: LegId(leg) });
        }
        assert_eq!(rig.engine.next_due(), None, "seed {seed}");
        rig.sent();
        rig.run(ms(1_000));
        assert_eq!(rig.sent(), [], "seed {seed}");
    }
}
