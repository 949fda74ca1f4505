//! Verbs of deployed pipelines in a build without the feature `aws`: each says what is missing.

use crate::cloud::absent;
use crate::show::output::Outcome;
use clap::Args;

/// Whatever follows the verb.
#[derive(Args, Clone, Debug)]
pub struct AbsentArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

/// Runs none of them.
pub fn run(verb: &str) -> Outcome {
    Err(absent(&format!("`lakegate {verb}`")))
}
