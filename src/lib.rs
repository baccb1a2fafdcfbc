//! Hearken: a SIP call-routing daemon for overflow calls from GP surgeries and for 999 lines.
//!
//! The whole of call control is one deterministic state machine, [`switch::Switch`]: inputs go in with
//! the time, outputs come out, and nothing below floor 4 reads a clock, opens a socket, takes a lock or
//! draws randomness except from a generator seeded at construction.
//!
//! A module may use only floors below its own (`tests/layering.rs` enforces this):
//!
//! | floor | modules | what lives there |
//! |---|---|---|
//! | 0 | [`time`], [`id`], [`octets`], [`rng`], [`audio`], [`access`] | instants and deadlines, identifiers, stored bytes, the seeded generator, the words for audio, users |
//! | 1 | [`calendar`], [`policy`], [`acd`] | opening hours; who may call and which line they join; lines, teams, agents, matching |
//! | 2 | [`sip`], [`rtp`] | bytes in, bytes out; strangers to each other |
//! | 3 | [`call`], [`switch`] | one back-to-back call; the machine that owns them all |
//! | 4 | [`net`], [`media`], [`ledger`], [`flight`], [`config`], [`web`] | adapters: sockets, media threads, records, the flight log, TOML to plan, HTTP |
//! | 5 | [`daemon`], [`sim`] | the drivers: real time, virtual time |
//! | 6 | [`cli`] | commands: run, check, explain, simulate, replay, flight, report, demo, user |

pub mod access;
pub mod audio;
pub mod id;
pub mod octets;
pub mod rng;
pub mod time;

pub mod acd;
pub mod calendar;
pub mod policy;

pub mod rtp;
pub mod sip;

pub mod call;
pub mod switch;

pub mod config;
pub mod flight;
pub mod ledger;
pub mod media;
pub mod net;
pub mod web;

pub mod daemon;
pub mod sim;

pub mod cli;
