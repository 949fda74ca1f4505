//! The `lakegate` command: its clap tree and the way from arguments to an exit code.
//!
//! For: everything a person meets on a laptop, one file a subcommand. Not for: how a source object is
//! transformed and stored (that is the library underneath, the same as in Lambda). The decision to
//! know: a subcommand takes its arguments and a [`Context`] and returns an `Outcome`; only `output`
//! writes to standard output, so that text, `--json` and exit codes are the same rule everywhere.

#![forbid(unsafe_code)]

mod args;
mod at_once;
#[cfg(feature = "aws")]
mod cloud;
#[cfg(not(feature = "aws"))]
#[path = "cloud_absent.rs"]
mod cloud;
mod context;
mod failed;
mod place;
mod scaffold;
mod serve;
mod show;
mod sums;
mod taking;
mod verb;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::Context;
use lakegate_base::Error;
use lakegate_sandbox::Transform;
use show::output::{self, Answer, Exit, Outcome};
use show::render::Screen;
use std::any::TypeId;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Raw JSON and CSV in, queryable Parquet tables out.
///
/// Lakegate reads files as they come (nested JSON, NDJSON, CSV, compressed or not), agrees on a contract
/// for each table, and writes typed Parquet into a lake: a folder that DuckDB, Athena and Spark can query.
/// What cannot be read is not lost: it waits in quarantine with its reason.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "lakegate",
    after_help = "Examples:
  lakegate preview orders.json                       look before anything is written
  lakegate run orders.json                           make the table `orders` in ./lake
  lakegate init orders.json more/ > orders.toml      propose a spec from samples
  lakegate run exports/ --spec orders.toml --lake ./lake
  cat feed.ndjson | lakegate run - --table feed

Exit codes: 0 done, 1 failed, 2 usage, 3 done with rejected records."
)]
struct Cli {
    /// Print exactly one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Commands,
}

#[derive(Subcommand, Clone, Debug)]
enum Commands {
    /// Turn raw files into part files of tables in a lake
    ///
    /// Reads each input once (twice where types must be agreed first), writes Parquet below
    /// LAKE/TABLE/, and prints what it made with a query to look at it. Either all of an input becomes
    /// visible or nothing does, and running it again changes nothing.
    Run(verb::run::RunArgs),
    /// Propose a spec from samples, on standard output
    ///
    /// Reads whole samples, joins the types of all of them, and prints a commented transform.toml. A spec
    /// that declares every column makes `run` read its input only once; it is meant to be edited.
    Init(verb::init::InitArgs),
    /// Show what `run` would make of a file; write nothing
    ///
    /// Runs the same transform over the whole file and shows rows, columns with their types, part files
    /// and rejected records with their reasons. The lake stays as it is.
    Preview(verb::preview::PreviewArgs),
    /// Serve the browser page, and take what it uploads into a lake
    ///
    /// The page previews raw files in the browser; what is uploaded goes through the same flow as with `run`, one
    /// file after the other. Answers this machine only.
    Serve(verb::serve::ServeArgs),
    /// Show schema, row groups, statistics and lineage of Parquet files
    ///
    /// Reads only footers: types, nulls, smallest and largest values, bytes by column, row groups, and
    /// which component, spec and contract made a file. Works for Parquet of any origin.
    Inspect(verb::inspect::InspectArgs),
    /// Show what happened to a lake, a source object or a part file
    ///
    /// Reads the lake's commit records: which source objects were taken, when, under which contract, what
    /// came out, what was rejected or failed.
    Status(verb::status::StatusArgs),
    /// Show, compare or change the contract of a table
    ///
    /// A contract is a table's agreed plan: columns, types, where values come from. It grows by itself and
    /// never changes a type by itself; `change` does that, and replays what was written.
    Contract(verb::contract::ContractArgs),
    /// See, fix and resubmit rejected records
    ///
    /// A record that does not fit its contract is kept whole with its reason. List them, edit the raw
    /// text, resubmit it: what was resolved is marked.
    Quarantine(verb::quarantine::QuarantineArgs),
    /// Find and mend what a crash left
    ///
    /// Completes commits that were cut short, removes staged files that nobody committed, and makes
    /// vanished part files again from their sources.
    Fsck(verb::fsck::FsckArgs),
    /// Roll closed days of the load history into a Parquet file each, for SQL
    ///
    /// Writes what is not there yet beside the history, whose lines stay as they are.
    Maintain(verb::maintain::MaintainArgs),
    /// Take all objects below a prefix that are not in the tables yet
    ///
    /// Goes through the pipelines of lakegate.toml, as the deployed function would; with --distributed that function
    /// takes them, many batches at once.
    #[cfg(feature = "aws")]
    Backfill(verb::backfill::BackfillArgs),
    #[cfg(not(feature = "aws"))]
    Backfill(verb::absent::AbsentArgs),
    /// Find what lies in a pipeline's source and not in its tables, and the other way round
    ///
    /// Looks at both sides, a page at a time, and changes nothing.
    #[cfg(feature = "aws")]
    Reconcile(verb::reconcile::ReconcileArgs),
    #[cfg(not(feature = "aws"))]
    Reconcile(verb::absent::AbsentArgs),
    /// Estimate what a month of a stack costs, line by line
    ///
    /// From measured work and counted requests, and prices that each say where they were read, or that they were not.
    #[cfg(feature = "aws")]
    Cost(verb::cost::CostArgs),
    #[cfg(not(feature = "aws"))]
    Cost(verb::absent::AbsentArgs),
    /// Make, and render, what is deployed around the pipelines of lakegate.toml
    ///
    /// A CloudFormation template with buckets, function, triggers, catalog, alarms and dashboard.
    #[cfg(feature = "aws")]
    Stack(verb::stack::StackArgs),
    #[cfg(not(feature = "aws"))]
    Stack(verb::absent::AbsentArgs),
    /// Hold a deployed pipeline: its events are answered and nothing is taken
    #[cfg(feature = "aws")]
    Pause(verb::deployed::PauseArgs),
    #[cfg(not(feature = "aws"))]
    Pause(verb::absent::AbsentArgs),
    /// Let a paused pipeline go on
    #[cfg(feature = "aws")]
    Resume(verb::deployed::PauseArgs),
    #[cfg(not(feature = "aws"))]
    Resume(verb::absent::AbsentArgs),
    /// Take the rows of a bad source object out of the tables again
    #[cfg(feature = "aws")]
    Retract(verb::deployed::RetractArgs),
    #[cfg(not(feature = "aws"))]
    Retract(verb::absent::AbsentArgs),
    /// Make a key pair that signs releases
    Keygen(verb::keygen::KeygenArgs),
    /// Publish a signed release of a transform: component, spec and samples
    ///
    /// Writes it into a registry, a folder or a bucket. It is used by nobody until it is promoted.
    Publish(verb::publish::PublishArgs),
    /// Compile a release ahead for hosts that must not compile: functions in Lambda
    Precompile(verb::publish::PrecompileArgs),
    /// Sign releases that are there with a further key
    Sign(verb::publish::SignArgs),
    /// List releases: versions, digests, which are stable, canary or shadow since when
    Releases(verb::list::ReleasesArgs),
    /// Check, mend, copy and prune a registry
    Registry(verb::registry::RegistryArgs),
    /// Make a release stable, a canary or a shadow; hosts take it over without a redeployment
    Promote(verb::promote::PromoteArgs),
    /// Take the newest release back: the one before is stable again
    Rollback(verb::promote::RollbackArgs),
    /// Show what another release would change: schema, rows, values
    Diff(verb::diff::DiffArgs),
    /// Make what is in a lake again with a named release, in place or beside
    Replay(verb::replay::ReplayArgs),
    /// Run a receipt's inputs again and prove that every byte is the same
    Verify(verb::verify::VerifyArgs),
    /// Check `lakegate.toml`, which describes deployed pipelines
    ///
    /// Finds every mistake in one go, each with its line, before anything is deployed.
    #[cfg(feature = "aws")]
    Config(verb::config::ConfigArgs),
    #[cfg(not(feature = "aws"))]
    Config(verb::absent::AbsentArgs),
    /// Show the transform: digest, size, interface, imports
    ///
    /// The transform is one sandboxed WebAssembly component; the one shown is the one that `run` would use.
    Component(verb::component::ComponentArgs),
    /// Make the crate of a transform of your own
    ///
    /// A small Rust crate with a function over the rows of each table, its test, a spec and a sample. The function
    /// can add columns, replace values and reject records; the spec then filters, checks and partitions by them.
    New(verb::new::NewArgs),
    /// Build such a crate into a component and check it as a host would
    ///
    /// Needs Rust and its target wasm32-unknown-unknown. Cargo talks on standard error.
    Build(verb::build::BuildArgs),
}

/// The whole program: parses the process's arguments, runs, prints; the exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let context = Context { out: Screen::stdout(), err: Screen::stderr(), json: false };
    // Not locked: a progress bar draws on standard error from a thread of its own.
    ExitCode::from(answer(arguments, context, &mut io::stdout(), &mut io::stderr()).code())
}

fn answer(arguments: Vec<OsString>, context: Context, out: &mut impl Write, err: &mut impl Write) -> Exit {
    // Looked at by hand because a command line that clap refuses must still answer in JSON.
    let json = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    if arguments.len() <= 1 {
        let help = tree().render_long_help();
        let text = if context.out.colour { help.ansi().to_string() } else { help.to_string() };
        return output::finish(&Ok(Answer { text, ..Answer::default() }), false, out, err, context.err);
    }
    let parsed = tree().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => {
            let context = Context { json: cli.json, ..context };
            output::finish(&dispatch(&cli.command, &context), cli.json, out, err, context.err)
        }
        Err(error) if error.use_stderr() && json => {
            output::finish(&Err(usage(&error)), json, out, err, context.err)
        }
        Err(error) => {
            let shown = error.render();
            let colour = if error.use_stderr() { context.err.colour } else { context.out.colour };
            let text = if colour { shown.ansi().to_string() } else { shown.to_string() };
            // Nobody is left to tell when the stream is gone.
            let _ = if error.use_stderr() {
                err.write_all(text.as_bytes())
            } else {
                out.write_all(text.as_bytes())
            };
            if error.use_stderr() { Exit::Usage } else { Exit::Done }
        }
    }
}

/// The clap tree. The version names the component too: the two are released apart.
fn tree() -> clap::Command {
    let component = match Transform::shipped_digest() {
        Some(digest) => format!("component sha256 {digest}"),
        None => "no component in this build: `cargo xtask build` makes one".to_owned(),
    };
    let version = format!("{}\n{component}", env!("CARGO_PKG_VERSION"));
    // Clap wants it for as long as the program runs; it is made once.
    no_uri_for_a_path(Cli::command()).version(&*Box::leak(version.into_boxed_str()))
}

/// Every path on the command line refuses what looks like a URI.
fn no_uri_for_a_path(command: clap::Command) -> clap::Command {
    let is_path = |arg: &clap::Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    command
        .mut_args(|arg| if is_path(&arg) { arg.value_parser(place::path()) } else { arg })
        .mut_subcommands(no_uri_for_a_path)
}

/// A refusal by clap as a [`Error`]: its first paragraph is the message, a tip is the hint.
fn usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = paragraphs.next().unwrap_or_default();
    let problem = Error::usage(message.trim_start_matches("error: "));
    match paragraphs.find_map(|part| part.strip_prefix("tip: ").map(str::to_owned)) {
        Some(tip) => problem.with_hint(tip),
        None => {
            problem.with_hint("`lakegate help` lists the commands, `lakegate COMMAND --help` the arguments")
        }
    }
}

fn dispatch(command: &Commands, context: &Context) -> Outcome {
    match command {
        Commands::Run(args) => verb::run::run(args, context),
        Commands::Init(args) => verb::init::run(args, context),
        Commands::Preview(args) => verb::preview::run(args, context),
        Commands::Serve(args) => verb::serve::run(args, context),
        Commands::Inspect(args) => verb::inspect::run(args, context),
        Commands::Status(args) => verb::status::run(args, context),
        Commands::Contract(args) => verb::contract::run(args, context),
        Commands::Quarantine(args) => verb::quarantine::run(args, context),
        Commands::Fsck(args) => verb::fsck::run(args, context),
        Commands::Maintain(args) => verb::maintain::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Backfill(args) => verb::backfill::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Reconcile(args) => verb::reconcile::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Stack(args) => verb::stack::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Cost(args) => verb::cost::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Pause(args) => verb::deployed::pause(args, true, context),
        #[cfg(feature = "aws")]
        Commands::Resume(args) => verb::deployed::pause(args, false, context),
        #[cfg(feature = "aws")]
        Commands::Retract(args) => verb::deployed::retract(args, context),
        Commands::Keygen(args) => verb::keygen::run(args, context),
        Commands::Publish(args) => verb::publish::run(args, context),
        Commands::Precompile(args) => verb::publish::run_precompile(args, context),
        Commands::Sign(args) => verb::publish::run_sign(args, context),
        Commands::Releases(args) => verb::list::run(args, context),
        Commands::Registry(args) => verb::registry::run(args, context),
        Commands::Promote(args) => verb::promote::run(args, context),
        Commands::Rollback(args) => verb::promote::run_rollback(args, context),
        Commands::Diff(args) => verb::diff::run(args, context),
        Commands::Replay(args) => verb::replay::run(args, context),
        Commands::Verify(args) => verb::verify::run(args, context),
        #[cfg(feature = "aws")]
        Commands::Config(args) => verb::config::run(args, context),
        #[cfg(not(feature = "aws"))]
        Commands::Backfill(_) => verb::absent::run("backfill"),
        #[cfg(not(feature = "aws"))]
        Commands::Reconcile(_) => verb::absent::run("reconcile"),
        #[cfg(not(feature = "aws"))]
        Commands::Stack(_) => verb::absent::run("stack"),
        #[cfg(not(feature = "aws"))]
        Commands::Cost(_) => verb::absent::run("cost"),
        #[cfg(not(feature = "aws"))]
        Commands::Pause(_) => verb::absent::run("pause"),
        #[cfg(not(feature = "aws"))]
        Commands::Resume(_) => verb::absent::run("resume"),
        #[cfg(not(feature = "aws"))]
        Commands::Retract(_) => verb::absent::run("retract"),
        #[cfg(not(feature = "aws"))]
        Commands::Config(_) => verb::absent::run("config"),
        Commands::Component(args) => verb::component::run(args, context),
        Commands::New(args) => verb::new::run(args, context),
        Commands::Build(args) => verb::build::run(args, context),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
