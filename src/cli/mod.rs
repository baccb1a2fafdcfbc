//! The commands.

pub mod report;
mod table;
