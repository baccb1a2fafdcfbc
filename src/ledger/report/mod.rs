//! Reports: what became of calls, counted by definitions that others have published.
//!
//! Pure over rows: a store gives them ([`Rows`]), the configuration says how to count ([`Terms`]), and one pass
//! over the calls makes the figures. Whether a call counts for a figure is said in one place ([`Figure::counts`]),
//! which the reports and a figure's trace share, so that a number is always the number of the calls that its trace
//! shows. docs/reports.md has the definitions and their sources.
//!
//! | part | is |
//! |---|---|
//! | [`Rows`] | what a store gives: calls, promises and cases of a period |
//! | [`Terms`] | what the configuration says: practices, teams, dispositions, choices |
//! | [`Background`], [`walk`] | each call of a period with what is known of it besides its row |
//! | [`Figure`] | which calls count for what |
//! | [`Sheet`] | figures as a list of items: AmbSYS, IUC ADC, the GP contract |
//! | [`cbt`] | the monthly counts of cloud-based telephony |
//! | [`By`], [`Summary`] | waits, callbacks and cases by line, practice, team, trunk, hour or fifth |
//! | [`Day`] | the half hours of the day |

mod again;
pub mod cbt;
mod clock;
mod day;
mod figure;
mod group;
mod rows;
mod sheet;

mod stored;
mod summary;
mod terms;
mod walk;

#[cfg(test)]
mod tests;

pub use super::words::Kind;
pub use again::Again;
pub use clock::{Clock, Local};
pub use day::{Day, HalfHour};
pub use figure::Figure;
pub use group::By;
pub use rows::{CallKey, CallRow, CaseRow, PromiseRow, Reached, Rows};
pub use sheet::{Item, Sheet, Value};
pub use summary::{Cases, Promises, Redials, Referrals, Summary};
pub use terms::{CallbacksCount, Practice, Terms, Treated};
pub use walk::{Background, Scope, Told, walk};
