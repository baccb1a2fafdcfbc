//! The daemon as its peers see it: the real binary on loopback, with real SIP phones and callers around it.
//!
//! Peers are SIPp, baresip and [`harness::Phone`], a user agent of the tests' own that shares no code with
//! the daemon. Each test has a /24 of loopback addresses to itself, so all may run at the same time. What
//! peers saw is held against the ledger.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod harness;
#[allow(dead_code)]
#[path = "../ledger/server.rs"]
mod server;

mod api;
mod audio;
mod busy;
mod callbacks;
mod cases;
mod codes;
mod commands;
mod crash;
mod dialogs;
mod disk;
mod door;
mod drain;
mod emergency;
mod events;
mod first;
mod hangup;
mod health;
mod hold;
mod homer;
mod keys;
mod ladder;
mod log;
mod loss;
mod missed;
mod oidc;
mod overflow;
mod plans;
mod reload;
mod reports;
mod rerun;
mod shadow;
mod spill;
mod traces;
mod transfer;
mod waits;
mod watched;
