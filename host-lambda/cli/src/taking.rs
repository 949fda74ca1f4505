//! One input through the flow, as `run` takes it from the command line and `serve` from uploads.

use crate::args::plans::Plans;
use crate::args::transform::{Chosen, Pick};
use crate::show::contract_view::ContractView;
use crate::show::made::lake_flag;
use crate::show::problem;
use crate::show::reasons::Reasons;
use lakegate_base::{Code, Error};
use lakegate_lake::Lake;
use lakegate_lake::run::{self, Cause, Outcome, Progress, State};
use lakegate_lake::source::Source;
use lakegate_release::compare::Side;
use lakegate_release::{run_shadow, tell_host};
use std::collections::BTreeMap;
use std::path::Path;

/// What the inputs of one call share.
pub struct Taking<'a> {
    /// Where to.
    pub lake: &'a Lake,
    /// Its folder as the person named it, for messages.
    pub folder: &'a Path,
    /// With what.
    pub chosen: &'a Chosen,
    /// Told what, where no release says it.
    pub plans: &'a Plans,
    /// File of the spec, for messages.
    pub spec: Option<&'a Path>,
    /// Also where nothing changed.
    pub again: bool,
    /// The command that takes them, as the lake names hosts.
    pub host: &'static str,
}

impl Taking<'_> {
    /// Takes one source, which messages call `name`.
    ///
    /// # Errors
    /// As [`run::run`], and those of a release's plan.
    pub fn one(
        &self,
        source: &Source,
        name: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Error> {
        self.in_turn(source, name, None, progress)
    }

    /// The same, which waits for its turn: see [`Cause::turn`].
    ///
    /// # Errors
    /// As [`Self::one`].
    pub fn in_turn(
        &self,
        source: &Source,
        name: &str,
        turn: Option<&dyn Fn()>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Error> {
        let Pick { transform, plan, shadow } = self.chosen.of(source, self.again)?;
        let plan = match plan {
            Some(plan) => plan,
            None => self.plans.of(source)?,
        };
        if let Some(follower) = self.chosen.follower() {
            // For people: an object does not fail for it.
            let _lost = tell_host(self.lake, self.host, follower);
        }
        let cause = Cause { turn, ..Cause::default() };
        let made = run::run_because(self.lake, &transform, source, &plan, &cause, progress).map_err(|error| {
            let problem = problem::in_input_or_spec(error, name, self.spec);
            if problem.code() != Code::TooManyRejected {
                return problem;
            }
            let flag = lake_flag(self.folder);
            let mut reasons = problem.rejected().map(Reasons::of).unwrap_or_default();
            reasons.known_in(self.lake);
            let advice = reasons.advice(&flag);
            let lake = self.folder.display();
            problem.with_hint(advice.unwrap_or_else(|| {
                format!(
                    "`lakegate status {lake} {}` shows the reasons; if so many are expected, raise max_rejected in \
                     [output] of the spec",
                    if source.uri().starts_with("stdin:") { source.uri() } else { name }
                )
            }))
        });
        let bad = made.as_ref().map_or(true, |made| made.passes > 0 && made.report.rejected > 0);
        if let Some(follower) = self.chosen.follower().filter(|_| bad) {
            // For people, too: whether the canary stays.
            let _lost = follower.judge(self.lake, plan.pipeline(), plan.release.as_ref());
        }
        let mut outcome = made?;
        if matches!(outcome.state, State::NothingToDo | State::Superseded) {
            self.lake.settle(plan.pipeline(), &source.record())?;
        }
        if let Some(shadow) = shadow.filter(|_| matches!(outcome.state, State::Made | State::Replaced)) {
            let committed = Side { transform: &transform, plan: &plan };
            if let Err(error) = run_shadow(self.lake, committed, &shadow, source, &outcome.commit) {
                outcome.warnings.push(format!("the shadow {} cannot be compared: {error}", shadow.id()));
            }
        }
        Ok(outcome)
    }
}

/// The live contracts of all tables, to tell afterwards what changed.
pub fn contracts(lake: &Lake) -> Result<BTreeMap<String, ContractView>, Error> {
    let mut contracts = BTreeMap::new();
    for table in lake.tables()? {
        if let Some(live) = lake.contract(&table)? {
            contracts.insert(table, ContractView::parse(&live.text)?);
        }
    }
    Ok(contracts)
}
