//! `cargo xtask demo`: the five example pipelines on a fresh local lake, with their SQL answers.
//!
//! Not a test (`test.rs` runs the same pipelines quietly and has them checked). Each example has a lake of its
//! own, since four of them write a table called `orders`; the demo only starts the `lakegate` binary, exactly
//! as a person would. It is the first thing that a stranger builds, so it builds no more than it needs: no
//! AWS, no browser page.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::component::component;
use crate::programs::{Profile, binary};
use crate::setup::setup_demo;
use crate::workspace::{Workspace, output_of, run, stdout_of, step};

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
    /// `lakegate` command lines; `LAKE` stands for the example's lake, `RECORD` for the quarantined record
    /// number [`MENDED`].
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
            "quarantine list order_items --lake LAKE",
            "quarantine resubmit order_items RECORD --from fixed.ndjson --lake LAKE",
        ],
    },
    Example {
        name: "sales",
        says: "CSV: drop nulls, cast, derive an amount, one partition a day",
        commands: &["run sales --spec transform.toml --lake LAKE"],
    },
];

/// The record of `orders-contract/orders.ndjson` that `fixed.ndjson` mends.
const MENDED: u32 = 14;

/// `lakegate`'s exit code for: done, with rejected records.
const EXIT_REJECTED: i32 = 3;

/// Sets up, builds, runs and shows everything.
pub fn demo(workspace: &Workspace) -> Result<()> {
    eprintln!("Four steps; the first time, steps 2 and 3 compile some 300 crates, later seconds.");
    let python = step("1 of 4: Python with DuckDB, to ask the tables", || setup_demo(workspace))?;
    step("2 of 4: the transform, as a WebAssembly component", || component(workspace, Profile::Demo))?;
    let lakegate = step("3 of 4: `lakegate` with that component in it, for lakes in folders", || {
        binary(workspace, Profile::Demo, &["lakegate"])
    })?;
    let lakes = workspace.target.join("demo");
    if lakes.exists() {
        std::fs::remove_dir_all(&lakes).with_context(|| format!("cannot remove {}", lakes.display()))?;
    }
    step("4 of 4: five pipelines", || run_pipelines(workspace, &lakegate, &python, &lakes, Talk::Show))?;
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
    let mut command = Command::new(lakegate);
    command.current_dir(folder);
    let mut shown = String::from("lakegate");
    for word in line.split(' ') {
        let word = match word {
            "LAKE" => lake.display().to_string(),
            "RECORD" => mended_record(lakegate, lake)?,
            word => word.to_string(),
        };
        shown = format!("{shown} {}", if Path::new(&word) == lake { "lake" } else { &word });
        command.arg(word);
    }
    if talk == Talk::Show {
        println!("\n  $ {shown}");
    } else {
        command.stderr(std::process::Stdio::piped());
    }
    let output = output_of(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    if talk == Talk::Show {
        // The example's own SQL follows; what `lakegate` proposes is left out here.
        let proposed = |line: &str| line.starts_with("Query it") || line.starts_with("  SELECT");
        let lake = lake.display().to_string();
        for line in text.trim_end().lines().filter(|line| !proposed(line)) {
            println!("    {}", line.replace(&lake, "lake"));
        }
    }
    match output.status.code() {
        Some(0 | EXIT_REJECTED) => Ok(()),
        _ => {
            bail!("`{shown}` ended with {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr))
        }
    }
}

/// The id of the quarantined record that `fixed.ndjson` mends: it names its commit, so it differs from lake to lake.
fn mended_record(lakegate: &Path, lake: &Path) -> Result<String> {
    let mut command = Command::new(lakegate);
    command.args(["quarantine", "list", "order_items", "--json", "--lake"]).arg(lake);
    let text = stdout_of(&mut command)?;
    let list: serde_json::Value = serde_json::from_str(&text).context("the list is not JSON")?;
    let ids = list["records"].as_array().into_iter().flatten().filter_map(|record| record["id"].as_str());
    let ending = format!("-{MENDED}");
    let found = ids.into_iter().find(|id| id.ends_with(&ending));
    found.map(str::to_string).with_context(|| format!("record {MENDED} is not in quarantine"))
}
