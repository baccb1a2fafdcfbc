//! The switch: the one machine that owns every transaction, dialog, call, line and agent.

pub mod plan;
