//! The `lakegate` command: its clap tree and the way from arguments to an exit code.
//!
//! For: everything a person meets on a laptop, one file a subcommand. Not for: how a source object is
//! transformed and stored (that is the library underneath, the same as in Lambda). The decision to
//! know: a subcommand takes its arguments and a [`Context`] and returns an `Outcome`; only `output`
//! writes to standard output, so that text, `--json` and exit codes are the same rule everywhere.

pub(crate) mod bridge;
mod build;
mod component;
mod config;
mod contract;
pub(crate) mod contract_view;
mod deployed;
mod files;
mod footer;
mod fsck;
mod init;
mod inspect;
pub(crate) mod made;
mod new;
pub(crate) mod output;
mod preview;
pub(crate) mod problem;
mod progress;
mod quarantine;
mod reasons;
pub(crate) mod release;
mod render;
mod rows;
pub(crate) mod run;
mod serve;
pub(crate) mod status;

use crate::error::{Code, Error};
use crate::sandbox::Transform;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use output::{Answer, Exit, Outcome};
use render::Screen;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// What every subcommand knows of its surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// The screen behind standard output.
    pub out: Screen,
    /// The screen behind standard error.
    pub err: Screen,
    /// Whether standard output belongs to one JSON object.
    pub json: bool,
}

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
    Run(run::RunArgs),
    /// Propose a spec from samples, on standard output
    ///
    /// Reads whole samples, joins the types of all of them, and prints a commented transform.toml. A spec
    /// that declares every column makes `run` read its input only once; it is meant to be edited.
    Init(init::InitArgs),
    /// Show what `run` would make of a file; write nothing
    ///
    /// Runs the same transform over the whole file and shows rows, columns with their types, part files
    /// and rejected records with their reasons. The lake stays as it is.
    Preview(preview::PreviewArgs),
    /// Serve the browser page, and take what it uploads into a lake
    ///
    /// The page previews raw files in the browser; what is uploaded goes through the same flow as with `run`, one
    /// file after the other. Answers this machine only.
    Serve(serve::ServeArgs),
    /// Show schema, row groups, statistics and lineage of Parquet files
    ///
    /// Reads only footers: types, nulls, smallest and largest values, bytes by column, row groups, and
    /// which component, spec and contract made a file. Works for Parquet of any origin.
    Inspect(inspect::InspectArgs),
    /// Show what happened to a lake, a source object or a part file
    ///
    /// Reads the lake's commit records: which source objects were taken, when, under which contract, what
    /// came out, what was rejected or failed.
    Status(status::StatusArgs),
    /// Show, compare or change the contract of a table
    ///
    /// A contract is a table's agreed plan: columns, types, where values come from. It grows by itself and
    /// never changes a type by itself; `change` does that, and replays what was written.
    Contract(contract::ContractArgs),
    /// See, fix and resubmit rejected records
    ///
    /// A record that does not fit its contract is kept whole with its reason. List them, edit the raw
    /// text, resubmit it: what was resolved is marked.
    Quarantine(quarantine::QuarantineArgs),
    /// Find and mend what a crash left
    ///
    /// Completes commits that were cut short, removes staged files that nobody committed, and makes
    /// vanished part files again from their sources.
    Fsck(fsck::FsckArgs),
    /// Take all objects below a prefix that are not in the tables yet
    ///
    /// Goes through the pipelines of lakegate.toml, as the deployed function would.
    Backfill(deployed::BackfillArgs),
    /// Hold a deployed pipeline: its events are answered and nothing is taken
    Pause(deployed::PauseArgs),
    /// Let a paused pipeline go on
    Resume(deployed::PauseArgs),
    /// Take the rows of a bad source object out of the tables again
    Retract(deployed::RetractArgs),
    /// Make a key pair that signs releases
    Keygen(release::keygen::KeygenArgs),
    /// Publish a signed release of a transform: component, spec and samples
    ///
    /// Writes it into a registry, a folder or a bucket. It is used by nobody until it is promoted.
    Publish(release::publish::PublishArgs),
    /// Compile a release ahead for hosts that must not compile: functions in Lambda
    Precompile(release::publish::PrecompileArgs),
    /// List releases: versions, digests, which are stable, canary or shadow since when
    Releases(release::list::ReleasesArgs),
    /// Make a release stable, a canary or a shadow; hosts take it over without a redeployment
    Promote(release::promote::PromoteArgs),
    /// Take the newest release back: the one before is stable again
    Rollback(release::promote::RollbackArgs),
    /// Show what another release would change: schema, rows, values
    Diff(release::diff::DiffArgs),
    /// Make what is in a lake again with a named release, in place or beside
    Replay(release::replay::ReplayArgs),
    /// Run a receipt's inputs again and prove that every byte is the same
    Verify(release::verify::VerifyArgs),
    /// Check `lakegate.toml`, which describes deployed pipelines
    ///
    /// Finds every mistake in one go, each with its line, before anything is deployed.
    Config(config::ConfigArgs),
    /// Show the transform: digest, size, interface, imports
    ///
    /// The transform is one sandboxed WebAssembly component; the one shown is the one that `run` would use.
    Component(component::ComponentArgs),
    /// Make the crate of a transform of your own
    ///
    /// A small Rust crate with a function over the rows of each table, its test, a spec and a sample. The function
    /// can add columns, replace values and reject records; the spec then filters, checks and partitions by them.
    New(new::NewArgs),
    /// Build such a crate into a component and check it as a host would
    ///
    /// Needs Rust and its target wasm32-unknown-unknown. Cargo talks on standard error.
    Build(build::BuildArgs),
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
    Cli::command().version(&*Box::leak(version.into_boxed_str()))
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
        Commands::Run(args) => run::run(args, context),
        Commands::Init(args) => init::run(args, context),
        Commands::Preview(args) => preview::run(args, context),
        Commands::Serve(args) => serve::run(args, context),
        Commands::Inspect(args) => inspect::run(args, context),
        Commands::Status(args) => status::run(args, context),
        Commands::Contract(args) => contract::run(args, context),
        Commands::Quarantine(args) => quarantine::run(args, context),
        Commands::Fsck(args) => fsck::run(args, context),
        Commands::Backfill(args) => deployed::backfill(args, context),
        Commands::Pause(args) => deployed::pause(args, true, context),
        Commands::Resume(args) => deployed::pause(args, false, context),
        Commands::Retract(args) => deployed::retract(args, context),
        Commands::Keygen(args) => release::keygen::run(args, context),
        Commands::Publish(args) => release::publish::run(args, context),
        Commands::Precompile(args) => release::publish::run_precompile(args, context),
        Commands::Releases(args) => release::list::run(args, context),
        Commands::Promote(args) => release::promote::run(args, context),
        Commands::Rollback(args) => release::promote::run_rollback(args, context),
        Commands::Diff(args) => release::diff::run(args, context),
        Commands::Replay(args) => release::replay::run(args, context),
        Commands::Verify(args) => release::verify::run(args, context),
        Commands::Config(args) => config::run(args, context),
        Commands::Component(args) => component::run(args, context),
        Commands::New(args) => new::run(args, context),
        Commands::Build(args) => build::run(args, context),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
