//! `lakegate contract change`: another type for a column.
//!
//! For: the one change that a contract never makes by itself. Not for: how it is done (`lakegate_lake::operate::change`).
//! The decision to know: it replays every source object of the table, so it needs the sources where
//! they were, and may take as long as all runs did.

use crate::args::lake::LakeArg;
use crate::args::plans::read_spec;
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::show::contract_view::{Change, ContractView, render_changes};
use crate::show::made::lake_flag;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::progress::Steps;
use crate::show::render::{Screen, Tone, count, duration, short, visible};
use crate::verb::contract::live;
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::operate::change::{Changed, change_type};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Arguments of `contract change`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate contract change orders order_id string
  lakegate contract change orders price 'decimal(12,2)' --spec orders.toml    the spec declares it too

Types: boolean, bigint, double, decimal(p,s), string, date, timestamp, timestamp(6), json.
The sources must still be where they were run from.")]
pub(super) struct ChangeArgs {
    /// Table name
    table: String,
    /// Column whose type changes
    column: String,
    /// Its new type
    #[arg(value_name = "TYPE")]
    new_type: String,
    /// Spec that declares the new type, where the old one declares the old [default: each source's own]
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    #[command(flatten)]
    lake: LakeArg,
    #[command(flatten)]
    transform: TransformArg,
}

/// What the summary tells beyond the library's answer.
struct Sums {
    before: String,
    rows: u64,
    rejected: u64,
    milliseconds: u64,
}

/// Runs `contract change`.
pub(super) fn run(args: &ChangeArgs, context: &Context) -> Outcome {
    let begun = Instant::now();
    let lake = args.lake.existing()?;
    let view = ContractView::parse(&live(&lake, &args.table)?.text)?;
    let Some(entry) = view.columns.iter().find(|entry| entry.name == args.column) else {
        let names: Vec<&str> = view.columns.iter().map(|entry| entry.name.as_str()).collect();
        return Err(Error::usage(format!("the table {} has no column `{}`", args.table, args.column))
            .with_hint(format!("its columns are {}", names.join(", "))));
    };
    let spec = args.spec.as_ref().map(|place| read_spec(Some(place))).transpose()?;
    let transform = args.transform.load()?;
    let steps = Steps::new(context.err);
    let changed = change_type(
        &lake,
        &transform,
        &args.table,
        &args.column,
        &args.new_type,
        spec.as_deref(),
        &mut |step| {
            steps.update(&step.source, step.done as u64, step.total as u64);
        },
    );
    steps.finish();
    let changed = changed?;
    let tables = changed.replayed.iter().flat_map(|outcome| &outcome.report.tables);
    let sums = Sums {
        before: entry.ty.to_string(),
        rows: tables.filter(|table| table.table == args.table).map(|table| table.rows_out).sum(),
        rejected: changed.replayed.iter().map(|outcome| outcome.report.rejected).sum(),
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let whole = changed.failed_objects.is_empty() && changed.left.is_empty();
    let exit = match (whole, sums.rejected) {
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Done,
        (true, _) => Exit::Rejected,
    };
    Ok(Answer {
        text: text(args, &lake.shown, &changed, &sums, context.out),
        json: to_json(args, &changed, &sums),
        exit,
    })
}

fn text(args: &ChangeArgs, lake: &Path, changed: &Changed, sums: &Sums, screen: Screen) -> String {
    if changed.from == changed.to {
        return format!("{}: {} is {} already, nothing to do\n", args.table, args.column, sums.before);
    }
    let change = Change {
        what: "type",
        column: args.column.clone(),
        before: Some(sums.before.clone()),
        after: Some(args.new_type.clone()),
    };
    let mut text = format!(
        "{}: {} -> {}\n{}  {} replayed, {} in all ({})\n",
        screen.paint(Tone::Name, &args.table),
        short(&changed.from),
        short(&changed.to),
        render_changes(&[change], screen),
        count(changed.replayed.len() as u64, "source object", "source objects"),
        count(sums.rows, "row", "rows"),
        duration(sums.milliseconds)
    );
    if changed.records_recovered > 0 {
        let records = count(changed.records_recovered, "quarantined record", "quarantined records");
        text.push_str(&format!("  {}\n", screen.paint(Tone::Good, &format!("{records} recovered"))));
    }
    if sums.rejected > 0 {
        let records = count(sums.rejected, "record", "records");
        let lake = lake_flag(lake);
        text.push_str(&format!("  {} rejected", screen.paint(Tone::Warn, &records)));
        text.push_str(&format!(": lakegate quarantine list {}{lake}\n", args.table));
    }
    for failure in &changed.failed_objects {
        text.push_str(&format!(
            "  {} {}: {}\n",
            screen.paint(Tone::Bad, "failed"),
            visible(&failure.source.uri),
            visible(&failure.message)
        ));
    }
    for (uri, error) in &changed.left {
        let what = screen.paint(Tone::Bad, "still of the old type");
        text.push_str(&format!("  {what} {}: {}\n", visible(uri), visible(&error.to_string())));
    }
    text
}

fn to_json(args: &ChangeArgs, changed: &Changed, sums: &Sums) -> Value {
    json!({
        "table": args.table, "column": args.column, "type": args.new_type, "from": changed.from, "to": changed.to,
        "replayed": changed.replayed.len(), "rows_out": sums.rows, "rejected": sums.rejected,
        "recovered": changed.records_recovered, "milliseconds": sums.milliseconds,
        "failed": changed.failed_objects.iter().map(|failure| {
            json!({"source": failure.source.uri, "code": failure.code, "message": failure.message})
        }).collect::<Vec<_>>(),
        "left": changed.left.iter().map(|(uri, error)| {
            json!({"source": uri, "code": error.name(), "message": error.to_string()})
        }).collect::<Vec<_>>(),
    })
}
