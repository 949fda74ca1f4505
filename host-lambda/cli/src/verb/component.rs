//! `lakegate component`: which transform runs.
//!
//! For: digest, size, interface version, limits and imports of a component. Not for: what it does with an
//! input (`preview`). The decision to know: the imports are read from the component's own type and
//! not assumed, although one that imports anything is refused when it is loaded.

use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone, duration, number, size};
use clap::Args;
use lakegate_sandbox::Transform;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Arguments of `component`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate component
  lakegate component --transform new.wasm
  lakegate component --json | jq -r .digest")]
pub struct ComponentArgs {
    #[command(flatten)]
    transform: TransformArg,
    /// Compile the shipped component ahead into this folder; for packaging
    #[arg(long, value_name = "DIR", hide = true, requires = "target", conflicts_with = "transform")]
    precompile: Option<PathBuf>,
    /// Target of --precompile
    #[arg(long, value_name = "TRIPLE", hide = true, requires = "precompile")]
    target: Option<String>,
}

/// Runs `component`.
pub fn run(args: &ComponentArgs, context: &Context) -> Outcome {
    if let (Some(folder), Some(target)) = (&args.precompile, &args.target) {
        let path = Transform::precompile_shipped(target, folder)?;
        let path = path.display().to_string();
        return Ok(Answer { text: format!("{path}\n"), json: json!({"path": path}), ..Answer::default() });
    }
    let transform = args.transform.load()?;
    let description = transform.describe()?;
    let limits: Map<String, Value> = serde_json::from_str(&description.limits).unwrap_or_default();
    let imports = transform.imports();
    let from = match &args.transform.transform {
        Some(path) => path.display().to_string(),
        None => "shipped with this command".to_owned(),
    };
    let load = u64::try_from(transform.load_time().as_millis()).unwrap_or(u64::MAX);
    let loaded = format!(
        "{} in {}",
        if transform.from_cache() { "compiled code from the cache" } else { "compiled" },
        duration(load)
    );
    let screen = context.out;
    let mut text = format!(
        "{} {} ({from})\n",
        screen.paint(Tone::Name, &description.name),
        screen.paint(Tone::Bold, &description.version)
    );
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    let mut fact = |name: &str, value: Cell| grid.row(vec![Cell::new(Tone::Dim, name), value]);
    fact("digest", format!("sha256 {}", transform.digest()).into());
    fact("size", size(transform.size()).into());
    fact("interface", format!("lakegate:transform@{}", transform.wit_version()).into());
    fact("spec version", description.spec_version.to_string().into());
    fact(
        "imports",
        if imports.is_empty() { Cell::new(Tone::Good, "none") } else { imports.join(", ").into() },
    );
    fact("loaded", loaded.into());
    text.push_str(&grid.render(screen));
    if !limits.is_empty() {
        text.push_str(&format!("\n{}\n", screen.paint(Tone::Bold, "Limits")));
        let mut grid = Grid::new(&["", ">"]);
        for (name, value) in &limits {
            let shown = value.as_u64().map_or_else(|| value.to_string(), number);
            grid.row(vec![Cell::new(Tone::Dim, name.clone()), shown.into()]);
        }
        text.push_str(&grid.render(screen));
    }
    let json = json!({
        "name": description.name, "version": description.version, "digest": transform.digest(),
        "bytes": transform.size(), "interface": format!("lakegate:transform@{}", transform.wit_version()),
        "spec_version": description.spec_version, "imports": imports, "limits": limits,
        "load_milliseconds": load, "from_cache": transform.from_cache(),
    });
    Ok(Answer { text, json, ..Answer::default() })
}
