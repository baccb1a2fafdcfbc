//! The network between the switch and everybody else: what becomes of what is sent.

use std::time::Duration;

use bytes::Bytes;

use super::dice::Dice;

/// How bad the network of one seed is; chances in a thousand, delays in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    pub(super) lost: u32,
    pub(super) doubled: u32,
    /// Bytes that came out as others.
    pub(super) spoilt: u32,
    pub(super) cut_short: u32,
    /// Held up behind what is sent later.
    pub(super) held_up: u32,
    pub(super) delay: (u64, u64),
    pub(super) hold_up: u64,
    /// A stream's bytes come in pieces cut anywhere.
    pub(super) chopped: u32,
    /// A connection breaks at a message.
    pub(super) broken: u32,
    /// A loop somewhere sends a datagram on dozens of times.
    pub(super) stormy: u32,
}

impl Weather {
    /// Half of the seeds are fair, a few brutal.
    pub(super) fn drawn(dice: &mut Dice) -> Weather {
        let fair = Weather {
            lost: 0,
            doubled: 0,
            spoilt: 0,
            cut_short: 0,
            held_up: 0,
            delay: (1, 20),
            hold_up: 200,
            chopped: 100,
            broken: 0,
            stormy: 0,
        };
        match dice.below(10) {
            0..2 => fair,
            2..5 => Weather { lost: 10, doubled: 10, held_up: 20, delay: (1, 60), ..fair },
            5..7 => Weather {
                lost: 50,
                doubled: 50,
                held_up: 100,
                hold_up: 1_500,
                chopped: 500,
                broken: 2,
                ..fair
            },
            7 => Weather { doubled: 300, stormy: 5, held_up: 300, hold_up: 3_000, delay: (1, 900), ..fair },
            8 => Weather {
                lost: 20,
                spoilt: 30,
                cut_short: 15,
                doubled: 30,
                held_up: 30,
                chopped: 800,
                ..fair
            },
            _ => Weather {
                lost: 300,
                doubled: 200,
                held_up: 200,
                hold_up: 3_500,
                delay: (1, 400),
                chopped: 900,
                broken: 20,
                ..fair
            },
        }
    }

    /// No loss any more, for the end of the day.
    pub(super) fn clears_up(&mut self) {
        *self = Weather {
            lost: 0,
            doubled: 0,
            spoilt: 0,
            cut_short: 0,
            held_up: 0,
            delay: (1, 20),
            hold_up: 0,
            chopped: 0,
            broken: 0,
            stormy: 0,
        };
    }

    /// When and how often a datagram comes out, and whether as it went in.
    pub(super) fn carry(&self, bytes: &Bytes, dice: &mut Dice) -> Vec<(Duration, Bytes)> {
        if dice.chance(self.lost) {
            return Vec::new();
        }
        let copies = match () {
            () if dice.chance(self.stormy) => 20 + dice.below(60),
            () if dice.chance(self.doubled) => 1 + dice.below(3),
            () => 1,
        };
        let mut out = Vec::with_capacity(copies);
        for _ in 0..copies {
            let mut delay = dice.between(self.delay.0, self.delay.1);
            if dice.chance(self.held_up) {
                delay += dice.between(0, self.hold_up);
            }
            out.push((delay, self.spoil(bytes, dice)));
        }
        out
    }

    fn spoil(&self, bytes: &Bytes, dice: &mut Dice) -> Bytes {
        if bytes.is_empty() || !(dice.chance(self.spoilt) || dice.chance(self.cut_short)) {
            return bytes.clone();
        }
        if dice.chance(500) && self.cut_short > 0 {
            return bytes.slice(..dice.below(bytes.len()));
        }
        let mut spoilt = bytes.to_vec();
        for _ in 0..1 + dice.below(4) {
            let at = dice.below(spoilt.len());
            match dice.below(4) {
                0 => spoilt[at] = dice.bits() as u8,
                1 => spoilt[at] ^= 1 << dice.below(8),
                2 => drop(spoilt.remove(at)),
                _ => spoilt.insert(at, b"\r\n;:<>\"0 \0\xff"[dice.below(11)]),
            }
            if spoilt.is_empty() {
                break;
            }
        }
        spoilt.into()
    }

    /// A message on a stream, in pieces.
    pub(super) fn chop(&self, bytes: &Bytes, dice: &mut Dice) -> Vec<Bytes> {
        let mut rest = bytes.clone();
        let mut pieces = Vec::new();
        while rest.len() > 1 && dice.chance(self.chopped) && pieces.len() < 8 {
            pieces.push(rest.split_to(1 + dice.below(rest.len() - 1)));
        }
        pieces.push(rest);
        pieces
    }
}
