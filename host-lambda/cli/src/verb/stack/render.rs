//! `lakegate stack render`: the files of a stack, and what changed in them.

use crate::args::config::ConfigArg;
use crate::args::transform::TransformArg;
use crate::cloud::{Connection, configuration_path};
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Screen, Tone, count};
use clap::Args;
use lakegate_aws::check;
use lakegate_aws::deployed::read_address;
use lakegate_base::{Error, Result};
use lakegate_config::{Address, Config, Origin, Pipeline, Told};
use lakegate_lake::run::Plan;
use lakegate_stack::{Rendered, Surroundings, Tables, differences, render};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Arguments of `stack render`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate stack render                           into ./stack, from lakegate.toml here or in a folder above
  lakegate stack render --dry-run                 says what would change; exit code 1 when anything would
  lakegate stack render --config prod/lakegate.toml --into prod/stack
  cd stack && sam deploy --guided                 once `cargo xtask package` has put lakegate.zip there")]
pub(super) struct RenderArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Folder to write into [default: `stack` beside the configuration]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Say what would change and write nothing; exit code 1 when anything would
    #[arg(long)]
    dry_run: bool,
}

/// Folders that hold rendered files alone: what is not rendered any more goes.
const OURS: [&str; 2] = ["policies", "state-machines"];

/// What becomes of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    New,
    Changed,
    Same,
    Gone,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Gone => "gone",
        }
    }
}

pub(super) fn run(args: &RenderArgs, context: &Context) -> Outcome {
    let path = configuration_path(args.config.config.as_deref())?;
    let config = checked(&path)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let rendered = render(&config, &surroundings(&config)?)?;
    let into = args.into.clone().unwrap_or_else(|| folder.join("stack"));
    let changes = changes(&into, &rendered)?;
    let before = read(&into.join("template.yaml"))?.unwrap_or_default();
    if !args.dry_run {
        write(&into, &rendered, &changes)?;
    }
    answer(args, &into, &rendered, &changes, &before, context.out)
}

/// The configuration; what `lakegate config check` finds stops the rendering.
pub(super) fn checked(path: &Path) -> Result<Config> {
    let origin = Origin::File(path.to_owned());
    let text = fs::read_to_string(path).map_err(|error| Error::io(&origin.name(), error))?;
    let checked = check::check(&text, &origin, &|| TransformArg::default().load(), None)?;
    let found = checked.findings;
    let Some(first) = found.first() else { return Ok(checked.config) };
    let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
    let hint = first.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    Err(Error::usage(format!(
        "{}{line}: {}{hint}{}",
        first.file,
        first.message,
        if found.len() > 1 {
            format!(", and {} more", count(found.len() as u64 - 1, "mistake", "mistakes"))
        } else {
            String::new()
        }
    ))
    .with_hint("`lakegate config check` tells all of it"))
}

/// What the specs and questions say that the configuration names.
pub(super) fn surroundings(config: &Config) -> Result<Surroundings> {
    let mut found = Surroundings::default();
    for (name, pipeline) in &config.pipelines {
        found.tables.insert(name.clone(), tables(pipeline)?);
        if let Some(address) = &pipeline.queries {
            found.questions.insert(name.clone(), text_at(address)?);
        }
    }
    Ok(found)
}

/// The tables that a pipeline makes; of a release that may change, none are known.
fn tables(pipeline: &Pipeline) -> Result<Tables> {
    let spec = match &pipeline.told {
        Told::Channel { .. } => return Ok(Tables::default()),
        Told::Nothing => String::new(),
        Told::Spec { address } => text_at(address)?,
    };
    Ok(Tables { names: Plan::new(spec, pipeline.table.clone())?.tables().to_vec() })
}

fn text_at(address: &Address) -> Result<String> {
    match address {
        Address::Local(path) => {
            fs::read_to_string(path).map_err(|error| Error::io(&path.display().to_string(), error))
        }
        Address::S3 { .. } => read_address(Connection::open()?.aws(), address),
    }
}

/// The text of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(&path.display().to_string(), error)),
    }
}

/// What becomes of each file of the folder.
fn changes(into: &Path, rendered: &Rendered) -> Result<BTreeMap<String, Change>> {
    let mut changes = BTreeMap::new();
    for (name, text) in &rendered.files {
        let change = match read(&into.join(name))? {
            None => Change::New,
            Some(there) if there == *text => Change::Same,
            Some(_) => Change::Changed,
        };
        changes.insert(name.clone(), change);
    }
    for folder in OURS {
        let Ok(there) = fs::read_dir(into.join(folder)) else { continue };
        let names = there.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| name.ends_with(".json")) {
            changes.entry(format!("{folder}/{name}")).or_insert(Change::Gone);
        }
    }
    Ok(changes)
}

fn write(into: &Path, rendered: &Rendered, changes: &BTreeMap<String, Change>) -> Result<()> {
    for (name, change) in changes {
        let path = into.join(name);
        let failed = |error| Error::io(&path.display().to_string(), error);
        match (change, rendered.files.get(name)) {
            (Change::Gone, _) => fs::remove_file(&path).map_err(failed)?,
            (Change::New | Change::Changed, Some(text)) => {
                fs::create_dir_all(path.parent().unwrap_or(into)).map_err(failed)?;
                fs::write(&path, text).map_err(failed)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Logical ids by what becomes of them. Of a template that cannot be read nothing is known: all are new.
fn compared(before: &str, after: &str) -> Result<[Vec<String>; 3]> {
    let found = differences(before, after).or_else(|_| differences("", after))?;
    let of = |change: &str| {
        found.iter().filter(|one| one.change == change).map(|one| one.id.clone()).collect::<Vec<String>>()
    };
    Ok([of("new"), of("changed"), of("gone")])
}

fn answer(
    args: &RenderArgs,
    into: &Path,
    rendered: &Rendered,
    changes: &BTreeMap<String, Change>,
    before: &str,
    screen: Screen,
) -> Result<Answer> {
    let differs = changes.values().any(|change| *change != Change::Same);
    let exit = if args.dry_run && differs { Exit::Failed } else { Exit::Done };
    let after = rendered.files.get("template.yaml").map_or("", String::as_str);
    let [new, changed, gone] = compared(before, after)?;
    let mut text = String::new();
    for (name, change) in changes {
        let tone = if *change == Change::Same { Tone::Dim } else { Tone::Good };
        let word = screen.paint(tone, &format!("{:<8}", change.word()));
        text.push_str(&format!("  {word} {}\n", into.join(name).display()));
    }
    for (what, names) in [("new", &new), ("changed", &changed), ("gone", &gone)] {
        // All are new the first time.
        if !names.is_empty() && !before.is_empty() {
            text.push_str(&format!("  resources {what}: {}\n", names.join(", ")));
        }
    }
    if before.is_empty() {
        text.push_str(&format!("  {}\n", count(new.len() as u64, "resource", "resources")));
    }
    for note in &rendered.notes {
        text.push_str(&format!("  {} {note}\n", screen.paint(Tone::Warn, "note:")));
    }
    for (what, command) in &rendered.commands {
        text.push_str(&format!("\n  {what}:\n    {command}\n"));
    }
    let files: Vec<Value> =
        changes.iter().map(|(name, change)| json!({"file": name, "change": change.word()})).collect();
    let commands: Vec<Value> =
        rendered.commands.iter().map(|(what, command)| json!({"for": what, "command": command})).collect();
    let json = json!({
        "folder": into.display().to_string(),
        "files": files,
        "resources": {"new": new, "changed": changed, "gone": gone},
        "commands": commands,
        "notes": rendered.notes,
    });
    Ok(Answer { text, json, exit })
}
