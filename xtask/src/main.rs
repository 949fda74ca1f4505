//! `cargo xtask`: what cargo alone cannot do, one file a task.
//!
//! Not for anything a user of `lakegate` needs at run time. The one decision to know: tasks talk on
//! standard error; standard output carries only a task's answer.

mod bench;
mod build;
mod component;
mod demo;
mod package;
mod reproduce;
mod setup;
mod test;
mod web;
mod workspace;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::build::Profile;
use crate::package::{Processor, Wanted};
use crate::workspace::Workspace;

/// Builds, tests and measures Lakegate.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                 set up, build, run the five example pipelines, show tables and SQL answers
  cargo xtask test                 set up and pass every test
  cargo xtask build --release      everything as shipped; the last line is the path of `lakegate`
  cargo xtask package --arm64      the zip for AWS Lambda; the last line is its path
  cargo xtask bench --quick        the benchmark on small data";

#[derive(Subcommand)]
enum Task {
    /// Build the transform component and check that it imports nothing
    ///
    /// Always optimised, whatever else is. Writes CARGO_TARGET_DIR/component/lakegate.wasm, from where
    /// the host's build script embeds it.
    Component {
        /// Another crate of this workspace that makes a component: into component/PACKAGE.wasm
        #[arg(long, value_name = "PACKAGE", default_value = "lakegate-transform", hide_default_value = true)]
        package: String,
    },
    /// Build the component, the browser page and `lakegate`, which carries both; the last line on standard output is the binary's path
    Build {
        /// Optimised, as shipped
        #[arg(long)]
        release: bool,
    },
    /// Build the component from two folders and compare the digests
    Reproduce,
    /// Make sure of the Wasm target and the Python environment; prints the environment's Python
    Setup,
    /// Set up, build, and pass every test; the last line is `N passed, N failed`
    Test,
    /// Set up, build, run the five example pipelines on local lakes, show tables and SQL answers
    Demo,
    /// Build the zip for AWS Lambda (provided.al2023); its path is the last line on standard output
    ///
    /// In it are `bootstrap`, the default release compiled ahead for the processor, and with --config the
    /// configuration and the local specs that it names. Says the zip's size before the path. Fails when the
    /// program needs a newer glibc than 2.34, which is what that system has.
    Package {
        /// For Graviton
        #[arg(long, conflicts_with = "x86_64")]
        arm64: bool,
        /// For Intel and AMD [default: this machine's]
        #[arg(long = "x86_64")]
        x86_64: bool,
        /// Quick to build, for tests on this machine
        #[arg(long)]
        dev: bool,
        /// A lakegate.toml to go into the zip, with the local specs that it names
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Build the browser preview; the last line on standard output is the folder to serve
    Web,
    /// Measure Lakegate beside pandas, DuckDB and Polars; a full run writes BENCH.md
    Bench {
        /// Small data, one round
        #[arg(long)]
        quick: bool,
        /// Only these inputs: json, ndjson, sales, wide, text
        #[arg(long, value_name = "INPUT", num_args = 1..)]
        only: Vec<String>,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let workspace = Workspace::find()?;
    match arguments.task {
        Task::Component { package } => {
            component::component_of(&workspace, &package).map(|made| println!("{}", made.path.display()))
        }
        Task::Build { release } => {
            let profile = if release { Profile::Release } else { Profile::Dev };
            build::build_all(&workspace, profile).map(|binary| println!("{}", binary.display()))
        }
        Task::Reproduce => reproduce::reproduce(&workspace),
        Task::Setup => setup::setup(&workspace).map(|python| println!("{}", python.display())),
        Task::Test => test::test(&workspace),
        Task::Demo => demo::demo(&workspace),
        Task::Package { arm64, x86_64, dev, config } => {
            let processor = match (arm64, x86_64) {
                (true, _) => Processor::Arm64,
                (_, true) => Processor::X86_64,
                _ => Processor::here(),
            };
            package::package(&workspace, &Wanted { processor, dev, config })
                .map(|zip| println!("{}\n{}", zip.said, zip.path.display()))
        }
        Task::Web => web::web(&workspace).map(|folder| println!("{}", folder.display())),
        Task::Bench { quick, only } => bench::bench(&workspace, quick, &only),
    }
}
