//! What an operator does to a lake: change a type, look for damage, take an object back, submit records again, roll days of
//! the history.
//!
//! Not for source objects that arrive: that is [`run`](mod@crate::run), which all of these go through.

use crate::lake::Lake;
use crate::record::CommitState;
use crate::run::commit::{Means, roll_forward};
use lakegate_base::Result;
use lakegate_sandbox::Transform;

pub mod change;
pub mod drift;
pub mod fsck;
pub mod maintain;
pub mod quarantine;
mod retract;

pub use retract::retract;

/// Completes what was begun in a table: an operator who gives a command again after a crash means that too. All commits
/// as they are then.
fn settled(lake: &Lake, transform: &Transform, table: &str) -> Result<Vec<CommitState>> {
    let concerns = |state: &&CommitState| {
        !state.done && (state.record.pipeline == table || state.record.contracts.contains_key(table))
    };
    let states = lake.commits()?;
    let undone: Vec<CommitState> = states.iter().filter(concerns).cloned().collect();
    if undone.is_empty() {
        return Ok(states);
    }
    let means = Means { transform: Some(transform), ..Means::default() };
    roll_forward(lake, &undone, means, &|_| false)?;
    lake.commits()
}
