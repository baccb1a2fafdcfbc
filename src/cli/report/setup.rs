//! What the configuration says for reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::Error;
use crate::config::{CallbacksCountAs, CountsAs, Deployment, PracticePlaces};
use crate::ledger::report::{CallbacksCount, Practice, Terms, Treated, cbt};

/// Where the ledger is, and how calls are counted.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The ledger.
    pub ledger: PathBuf,
    /// How calls are counted.
    pub terms: Terms,
    /// Names of the columns of the CBT file; an empty one leaves its column out.
    pub cbt_header: [String; cbt::COLUMNS],
}

impl Setup {
    /// For a ledger at `path`, in `zone`, with a configuration that says nothing else.
    pub fn plain(path: &Path, zone: &str) -> Result<Setup, Error> {
        let terms = Terms::plain(zone_named(zone)?);
        Ok(Setup { ledger: path.to_owned(), terms, cbt_header: cbt::HEADER.map(str::to_owned) })
    }

    /// As the configuration has it.
    pub fn of(deployment: &Deployment) -> Result<Setup, Error> {
        let mut setup = Setup::plain(&deployment.ledger.path, &deployment.node.zone)?;
        let (plan, report) = (&deployment.plan, &deployment.report);
        if let Some(Ok(names)) = report.cbt_header.clone().map(<[String; cbt::COLUMNS]>::try_from) {
            setup.cbt_header = names;
        }
        let terms = &mut setup.terms;
        terms.callbacks = match report.callbacks_count_as {
            CallbacksCountAs::Requested => CallbacksCount::Requested,
            CallbacksCountAs::Answered => CallbacksCount::Answered,
        };
        (terms.abandoned_after, terms.redials_within) = (report.abandoned_after, report.redials_within);
        for (practice, places) in plan.ingress.practices.iter().zip(&report.practices) {
            let PracticePlaces { fifth, region, icb, sub_icb, pcn } = places.clone();
            let known = Practice {
                name: practice.name.clone(),
                has_ods: practice.ods.is_some(),
                fifth,
                places: [region, icb, sub_icb, pcn],
            };
            terms.practices.insert(practice.in_records().to_owned(), known);
        }
        let name_of =
            |team: &crate::id::TeamId| plan.acd.teams.get(team.index()).map(|team| team.name.clone());
        for line in &plan.acd.lines {
            terms.line_teams.insert(line.name.clone(), line.teams.iter().filter_map(name_of).collect());
        }
        let mut teams: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for team in &plan.acd.teams {
            for agent in team.agents.iter().filter_map(|agent| plan.acd.agents.get(agent.index())) {
                teams.entry(agent.name.clone()).or_default().push(team.name.clone());
            }
        }
        terms.teams = teams;
        let treated = |counts_as: &CountsAs| match counts_as {
            CountsAs::Advice => Treated::Advice,
            CountsAs::Referral => Treated::Referral,
        };
        let codes = report.dispositions.iter().map(|(code, counts_as)| (code.clone(), treated(counts_as)));
        terms.dispositions = codes.collect();
        terms.pathways = plan.pathways.iter().map(|pathway| pathway.name.clone()).collect();
        Ok(setup)
    }
}

/// The zone of this name.
pub(super) fn zone_named(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|_| Error::Zone(name.to_owned()))
}
