//! `lakegate diff`: what another release would change.

use crate::args::inputs::inputs;
use crate::args::registry::{KeyArg, LakesArg, RegistryArg, check_name, open, parse_version};
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::progress::Steps;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, visible};
use clap::Args;
use lakegate_base::Error;
use lakegate_release::compare::{ColumnComparison, Comparison, Pair, Side, TableComparison, compare};
use serde_json::{Value, json};

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate diff orders 1.2.0 1.3.0 sample.json
  lakegate diff orders 1.2.0 1.3.0 samples/ --lake lake     under the live contracts of a lake
  lakegate diff orders 1.2.0 1.3.0 samples/ --fail-on any   ends with 1 where anything differs, for a pipeline's check

Both releases run over each sample as `preview` would; nothing is written. Shown are tables, columns and values that would come out otherwise; a sample that one of them refuses, also for a conflict of types, is one line. Ends with 0 whatever differs, unless --fail-on says otherwise.")]
pub struct DiffArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Version before
    #[arg(value_name = "VERSION")]
    before: String,
    /// Version after
    #[arg(value_name = "VERSION")]
    after: String,
    /// Raw files, folders, s3:// objects or prefixes to try both on
    #[arg(value_name = "SAMPLE", required = true)]
    samples: Vec<Place>,
    /// End with 1 where this differs in any sample: any, rows (counts or rejected records), schema (columns or types),
    /// failed (a sample that only the second refuses)
    #[arg(long, value_name = "WHAT", value_enum)]
    fail_on: Vec<FailOn>,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// What is no difference to live with.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum FailOn {
    Any,
    Rows,
    Schema,
    Failed,
}

/// What became of the samples.
#[derive(Default)]
struct Summary {
    same: u64,
    differ: u64,
    /// Other counts of rows or rejected records.
    rows: u64,
    /// Other columns or types.
    schema: u64,
    /// Refused by the second release, and not by the first.
    failed: u64,
}

impl Summary {
    fn add(&mut self, found: &Comparison) {
        if found.same() {
            self.same += 1;
            return;
        }
        self.differ += 1;
        let rows = found.rejected.same() && found.tables.iter().all(|table| table.rows.same());
        self.rows += u64::from(!rows);
        let mut columns = found.tables.iter().flat_map(|table| &table.columns);
        self.schema += u64::from(columns.any(|column| !column.types.same()));
    }

    fn fails(&self, on: &[FailOn]) -> bool {
        on.iter().any(|on| match on {
            FailOn::Any => self.differ + self.failed > 0,
            FailOn::Rows => self.rows > 0,
            FailOn::Schema => self.schema > 0,
            FailOn::Failed => self.failed > 0,
        })
    }

    fn refused(&mut self, by_both: bool) {
        if by_both {
            self.same += 1;
        } else {
            self.failed += 1;
        }
    }

    fn json(&self) -> Value {
        let Self { same, differ, rows, schema, failed } = self;
        json!({"same": same, "differ": differ, "rows": rows, "schema": schema, "failed": failed})
    }

    fn line(&self) -> String {
        format!(
            "{} the same, {} otherwise ({} with other rows, {} with other columns), {} refused\n",
            count(self.same, "sample", "samples"),
            number(self.differ),
            number(self.rows),
            number(self.schema),
            number(self.failed)
        )
    }
}

/// Runs `diff`.
pub fn run(args: &DiffArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let (before, after) = (parse_version(&args.before)?, parse_version(&args.after)?);
    let opened = open(&args.name, &args.registry, &KeyArg::default(), &args.lakes)?;
    let loader = opened.loader()?;
    let load = |version| loader.load(&args.name, version);
    let (before, after) = (load(&before)?, load(&after)?);
    let plan = |release: &lakegate_release::Release| release.plan(None);
    let (plan_before, plan_after) = (plan(&before)?, plan(&after)?);
    let lakes = opened.lakes()?;
    let lake = match &lakes[..] {
        [] => None,
        [(_, lake)] => Some(lake),
        _ => {
            let names: Vec<&str> = lakes.iter().map(|(name, _)| name.as_str()).collect();
            let what = format!("several lakes are written by {}: {}", args.name, names.join(", "));
            return Err(Error::usage(what)
                .with_hint("name the one to compare under with --lake, outside of that folder"));
        }
    };
    let samples = inputs(&args.samples, args.lakes.lake.as_ref().map(Place::shown).as_deref())?;
    let screen = context.out;
    let mut text =
        format!("{} → {}\n", screen.paint(Tone::Name, &before.id()), screen.paint(Tone::Name, &after.id()));
    let steps = Steps::new(context.err);
    let (mut all, mut summary) = (Vec::new(), Summary::default());
    for (done, sample) in samples.iter().enumerate() {
        steps.update(&sample.name(), done as u64, samples.len() as u64);
        let source = sample.open(None)?;
        let sides = [
            Side { transform: &before.transform, plan: &plan_before },
            Side { transform: &after.transform, plan: &plan_after },
        ];
        match compare(sides[0], sides[1], &source, lake) {
            Ok(found) => {
                text.push_str(&render(&sample.name(), &found, screen));
                summary.add(&found);
                all.push(json!({"sample": sample.name(), "same": found.same(), "comparison": found}));
            }
            Err(error) => {
                // Refused by both: the releases do not differ in it.
                let both = compare(sides[0], sides[0], &source, lake).is_err();
                summary.refused(both);
                let problem = problem::in_input_or_spec(error, &sample.name(), None);
                text.push_str(&render_refused(&sample.name(), &problem, both, screen));
                all.push(json!({"sample": sample.name(), "same": both, "failed": problem::json(&problem)}));
            }
        }
    }
    steps.finish();
    text.push_str(&format!("\n{}", summary.line()));
    let exit = if summary.fails(&args.fail_on) { Exit::Failed } else { Exit::Done };
    let json = json!({
        "before": before.id(), "after": after.id(), "same": summary.differ + summary.failed == 0, "samples": all,
        "summary": summary.json(),
    });
    Ok(Answer { text, json, exit })
}

fn render(name: &str, found: &Comparison, screen: Screen) -> String {
    let mut text = format!("\n{}: ", screen.paint(Tone::Bold, &visible(name)));
    if found.same() {
        return text + &format!("{}\n", screen.paint(Tone::Good, "nothing changes"));
    }
    text.push_str(&format!("{} records", pair(&found.records)));
    if found.rejected != Pair(0, 0) {
        text.push_str(&format!(", {} rejected", pair(&found.rejected)));
    }
    text.push('\n');
    for table in &found.tables {
        text.push_str(&render_table(table, screen));
    }
    text
}

/// A sample that one of the releases does not take, or neither.
fn render_refused(name: &str, problem: &Error, both: bool, screen: Screen) -> String {
    let by = if both { "both refuse it" } else { "one of them refuses it" };
    let why = screen.paint(Tone::Bad, &visible(&problem.to_string()));
    format!("\n{}: {by}: {why}\n", screen.paint(Tone::Bold, &visible(name)))
}

fn render_table(table: &TableComparison, screen: Screen) -> String {
    let mut text = format!(
        "  {} {}: {} rows, {} files\n",
        screen.paint(Tone::Bold, "Table"),
        screen.paint(Tone::Name, &table.table),
        pair(&table.rows),
        pair(&table.files)
    );
    let mut grid =
        Grid::new(&["column", "type", ">nulls", ">values changed", "before", "after"]).of(Holds::Values);
    for column in table.columns.iter().filter(|column| !column.same()) {
        grid.row(render_column(column));
    }
    let same = table.columns.iter().filter(|column| column.same()).count();
    if !grid.is_empty() {
        text.push_str(&grid.render(screen));
    }
    text + &format!("  {}\n", screen.paint(Tone::Dim, &format!("{same} columns are the same")))
}

fn render_column(column: &ColumnComparison) -> Vec<Cell> {
    let (ty, tone) = match &column.types {
        Pair(None, Some(new)) => (format!("+ {new}"), Tone::Good),
        Pair(Some(old), None) => (format!("- {old}"), Tone::Bad),
        Pair(Some(old), Some(new)) if old != new => (format!("{old} → {new}"), Tone::Warn),
        Pair(old, _) => (old.clone().unwrap_or_default(), Tone::Dim),
    };
    let changed = match column.changed {
        Some(changed) => number(changed),
        None if column.types.0.is_some() && column.types.1.is_some() => "yes".into(),
        None => String::new(),
    };
    let (before, after) =
        column.example.as_ref().map_or((String::new(), String::new()), |Pair(a, b)| (visible(a), visible(b)));
    vec![
        Cell::new(Tone::Name, visible(&column.column)),
        Cell::new(tone, ty),
        pair(&column.nulls).into(),
        changed.into(),
        before.into(),
        after.into(),
    ]
}

/// `12`, or `12 → 13`.
fn pair(pair: &Pair<u64>) -> String {
    if pair.same() { number(pair.0) } else { format!("{} → {}", number(pair.0), number(pair.1)) }
}
