//! `lakegate stack`: what is deployed around the pipelines of `lakegate.toml`.
//!
//! For: a folder to begin with, the rendered files, and how what is deployed differs from them. Not for how a template
//! looks (`lakegate-stack`) or for deploying it (`sam deploy`). The decision to know: rendering first checks the
//! configuration as `config check` does, since a mistake found by CloudFormation is found late.

mod check;
mod formation;
mod init;
mod live;
mod render;

use crate::context::Context;
use crate::show::output::Outcome;
use clap::{Args, Subcommand};

/// Arguments of `stack`.
#[derive(Args, Clone, Debug)]
pub struct StackArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Make a folder with a configuration, a spec, a sample and the next commands
    Init(init::InitArgs),
    /// Write template, state machines, policies and dashboard from lakegate.toml
    ///
    /// Into the folder `stack` beside it. The same configuration gives the same bytes. Says what changed.
    Render(render::RenderArgs),
    /// Compare what is deployed with what would be rendered now
    ///
    /// Asks CloudFormation for template and states, and looks at what is there of buckets, databases, crawlers and topics.
    Check(check::CheckArgs),
}

/// Runs `stack`.
pub fn run(args: &StackArgs, context: &Context) -> Outcome {
    match &args.action {
        Action::Init(args) => init::run(args, context),
        Action::Render(args) => render::run(args, context),
        Action::Check(args) => check::run(args, context),
    }
}
