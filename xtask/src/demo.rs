//! `cargo xtask demo`: the five example pipelines on a fresh local lake, with their SQL answers.
//!
//! Not a test (`test.rs` runs the same pipelines quietly and has them checked). The one decision to
//! know: each example has a lake of its own, since four of them write a table called `orders`; the
//! demo only starts the `lakegate` binary, exactly as a person would.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::{Profile, build};
use crate::setup::setup;
use crate::workspace::{Workspace, output_of, run, step};

/// Whether the pipelines' own words are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Commands, their answers, SQL and its answers.
    Show,
    /// Only failures.
    Quiet,
}

/// One example: a folder below `tests/examples`.
struct Example {
    name: &'static str,
    says: &'static str,
    /// `lakegate` command lines; `LAKE` stands for the example's lake.
    commands: &'static [&'static str],
}

const EXAMPLES: [Example; 5] = [
    Example {
        name: "orders",
        says: "nested JSON, one row per product; the second file brings new columns",
        commands: &[
            "run orders_ETL.json --spec transform.toml --lake LAKE",
            "run orders_ETL_february.json --spec transform.toml --lake LAKE",
        ],
    },
    Example {
        name: "orders-staged",
        says: "a folder of JSON and NDJSON below a staging prefix",
        commands: &["run raw_orders_data --spec transform.toml --lake LAKE"],
    },
    Example { name: "orders-auto", says: "no spec at all", commands: &["run orders.json --lake LAKE"] },
    Example {
        name: "orders-contract",
        says: "declared types, two tables, checks; four bad records, one of them mended",
        commands: &[
            "run orders.ndjson --spec transform.toml --lake LAKE",
            "quarantine list orders --lake LAKE",
            "run fixed.ndjson --spec transform.toml --lake LAKE",
        ],
    },
    Example {
        name: "sales",
        says: "CSV: drop nulls, cast, derive an amount, one partition a day",
        commands: &["run sales --spec transform.toml --lake LAKE"],
    },
];

/// `lakegate`'s exit code for: done, with rejected records.
const EXIT_REJECTED: i32 = 3;

/// Sets up, builds, runs and shows everything.
pub fn demo(workspace: &Workspace) -> Result<()> {
    let python = step("set-up", || setup(workspace))?;
    let lakegate = build(workspace, Profile::Dev)?;
    let lakes = workspace.target.join("demo");
    if lakes.exists() {
        std::fs::remove_dir_all(&lakes).with_context(|| format!("cannot remove {}", lakes.display()))?;
    }
    run_pipelines(workspace, &lakegate, &python, &lakes, Talk::Show)?;
    println!("\nThe lakes are in {}. The binary is {}.", lakes.display(), lakegate.display());
    Ok(())
}

/// Runs every example into `lakes/<example>` and, when talking, its SQL.
pub fn run_pipelines(
    workspace: &Workspace,
    lakegate: &Path,
    python: &Path,
    lakes: &Path,
    talk: Talk,
) -> Result<()> {
    for example in &EXAMPLES {
        let folder = workspace.tests("examples").join(example.name);
        let lake = lakes.join(example.name);
        std::fs::create_dir_all(&lake).with_context(|| format!("cannot make {}", lake.display()))?;
        if talk == Talk::Show {
            println!("\n━━ {} ━━ {}", example.name, example.says);
        }
        for line in example.commands {
            run_command(lakegate, line, &folder, &lake, talk)
                .with_context(|| format!("example {}", example.name))?;
        }
        if talk == Talk::Show {
            let query = workspace.tests("python").join("query.py");
            run(Command::new(python).arg(query).arg(&lake).arg(folder.join("queries.sql")))?;
        }
    }
    Ok(())
}

/// Runs one `lakegate` command line inside the example's folder.
fn run_command(lakegate: &Path, line: &str, folder: &Path, lake: &Path, talk: Talk) -> Result<()> {
    let arguments = line.split(' ').map(|word| match word {
        "LAKE" => lake.to_path_buf(),
        word => PathBuf::from(word),
    });
    let mut command = Command::new(lakegate);
    command.args(arguments).current_dir(folder);
    if talk == Talk::Show {
        println!("\n  $ lakegate {line}");
    } else {
        command.stderr(std::process::Stdio::piped());
    }
    let output = output_of(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    if talk == Talk::Show {
        text.lines().for_each(|line| println!("    {line}"));
    }
    match output.status.code() {
        Some(0 | EXIT_REJECTED) => Ok(()),
        _ => bail!(
            "`lakegate {line}` ended with {}\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}
