//! What `init --fix` does: the spec changed as the warnings of a proposal say.
//!
//! Not for judging an input (the transform does) nor for changing a text (`lakegate-edit`). Decisions to know: only a
//! warning with one way out is followed, since of several a person chooses; and what changes how the input is read, or
//! what a row is, comes first, because another proposal follows from it.

use lakegate_base::{Code, Error};
use lakegate_lake::run::Proposal;
use lakegate_model::Fix;
use lakegate_model::report::Warning;

/// Proposals at most: each fix may show another one.
const ROUNDS: usize = 8;

/// What came of the fixes.
pub struct Fixed {
    /// The spec with them.
    pub spec: String,
    /// What is proposed under it, as far as it changes what is learned.
    pub proposal: Proposal,
    /// Those that were made.
    pub made: Vec<Fix>,
    /// What each warning with several ways out leaves to choose from.
    pub choices: Vec<Vec<Fix>>,
}

/// Proposes by `propose` until no warning is left to follow. A spec that is `given` stays, with its comments; from nothing
/// the whole proposal comes out.
///
/// # Errors
/// Those of `propose`; a given spec has no place for a fix.
pub fn fix(given: &str, mut propose: impl FnMut(&str) -> Result<Proposal, Error>) -> Result<Fixed, Error> {
    let mut spec = given.to_owned();
    let mut made: Vec<Fix> = Vec::new();
    let mut proposal = propose(&spec)?;
    for _ in 0..ROUNDS {
        let sure = of(&proposal, alone);
        // What is proposed of columns is another thing once the shape is.
        let new = sure.into_iter().filter(|fix| !made.contains(fix));
        let next: Vec<Fix> = new.filter(|fix| !given.is_empty() || fix.is_of_shape()).collect();
        let changed = edited(&spec, &next)?;
        if changed == spec {
            break;
        }
        made.extend(next);
        spec = changed;
        proposal = propose(&spec)?;
    }
    if given.is_empty() {
        let columns: Vec<Fix> = of(&proposal, alone).into_iter().filter(|fix| !fix.is_of_shape()).collect();
        spec = edited(&proposal.spec, &columns)?;
        made.extend(columns);
    }
    let choices = of(&proposal, |fixes| Some(fixes).filter(|fixes| fixes.len() > 1));
    Ok(Fixed { spec, proposal, made, choices })
}

/// The one way out.
fn alone(fixes: Vec<Fix>) -> Option<Fix> {
    <[Fix; 1]>::try_from(fixes).ok().map(|[fix]| fix)
}

/// What is made of the fixes of each warning, once; the samples' own order.
fn of<T: PartialEq>(proposal: &Proposal, of: impl Fn(Vec<Fix>) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for Warning { fixes, .. } in proposal.reports.iter().flat_map(|report| report.warnings.clone()) {
        found.extend(of(fixes).filter(|one| !found.contains(one)));
    }
    found
}

fn edited(spec: &str, fixes: &[Fix]) -> Result<String, Error> {
    fixes.iter().try_fold(spec.to_owned(), |spec, fix| {
        lakegate_edit::apply(&spec, fix).map_err(|said| Error::new(Code::SpecInvalid, said))
    })
}
