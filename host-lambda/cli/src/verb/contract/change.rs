//! `lakegate contract change`: another type for a column.
//!
//! For: the one change that a contract never makes by itself. Not for: how it is done (`lakegate_lake::operate::change`).
//! The decision to know: it replays every source object of the table, so it needs the sources where
//! they were, and may take as long as all runs did. Then it takes again what had failed for the old type.

use crate::args::lake::{LakeArg, NamedLake};
use crate::args::plans::read_spec;
use crate::args::transform::{Chosen, TransformArg};
use crate::context::Context;
use crate::failed;
use crate::place::Place;
use crate::show::contract_view::{Change, ContractView, render_changes};
use crate::show::flow::Flow;
use crate::show::made::lake_flag;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::progress::{Bar, Steps};
use crate::show::render::{Screen, Tone, count, duration, short, visible};
use crate::taking::Taking;
use crate::verb::contract::live;
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::operate::change::{Changed, change_type};
use lakegate_lake::record::FailedRecord;
use lakegate_lake::run;
use lakegate_model::Report;
use lakegate_sandbox::Transform;
use serde_json::{Value, json};
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
    let mut changed = changed?;
    let taken = take_again(args, &lake, &transform, spec.as_deref(), &mut changed, context)?;
    let tables = changed.replayed.iter().flat_map(|outcome| &outcome.report.tables);
    let sums = Sums {
        before: entry.ty.to_string(),
        rows: tables.filter(|table| table.table == args.table).map(|table| table.rows_out).sum(),
        rejected: changed.replayed.iter().map(|outcome| outcome.report.rejected).sum(),
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let whole = changed.failed_objects.is_empty() && changed.left.is_empty();
    let again: u64 = taken.iter().map(|(_, outcome)| outcome.report.rejected).sum();
    let exit = match (whole, sums.rejected + again) {
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Done,
        (true, _) => Exit::Rejected,
    };
    Ok(Answer {
        text: text(args, &lake, &changed, &taken, &sums, context.out),
        json: to_json(args, &changed, &taken, &sums),
        exit,
    })
}

/// Objects that had failed for the old type and are taken now, by the names of their sources.
type Taken = Vec<(String, run::Outcome)>;

/// Takes the objects again that failed because their values had left the old type; what fails once more, and what
/// pipelines take, stays with the others that failed.
fn take_again(
    args: &ChangeArgs,
    lake: &NamedLake,
    transform: &Transform,
    spec: Option<&str>,
    changed: &mut Changed,
    context: &Context,
) -> Result<Taken, Error> {
    let of_this = |failed: &FailedRecord| {
        let mut drift = failed.told.drift.iter();
        drift.any(|drift| drift.table == args.table && drift.column == args.column)
    };
    if changed.from == changed.to || of_pipelines(lake) {
        return Ok(Vec::new());
    }
    let all = std::mem::take(&mut changed.failed_objects);
    let (wanted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(of_this);
    let there = failed::there(wanted.clone())?;
    let gone = |failed: &FailedRecord| there.iter().all(|(_, there)| there != failed);
    changed.failed_objects = wanted.into_iter().filter(gone).chain(others).collect();
    let chosen = Chosen::Component(transform.clone());
    let mut taken = Vec::new();
    let bar = Bar::new(context.err, there.iter().map(|(input, _)| input.bytes()).sum(), there.len());
    for (input, failed) in there {
        let name = input.name();
        bar.source(&name);
        let made = failed::plans_of(lake, &failed, spec, false).and_then(|plans| {
            let source = input.open(None)?;
            let (lake, folder, host) = (&**lake, &*lake.shown, "contract");
            let taking =
                Taking { lake, folder, chosen: &chosen, plans: &plans, spec: None, again: false, host };
            taking.one(&source, &name, &mut |progress| bar.update(&name, &progress))
        });
        match made {
            Ok(outcome) => taken.push((name, outcome)),
            Err(error) => {
                let (code, message) = (error.name().to_owned(), error.message().to_owned());
                changed.failed_objects.push(FailedRecord { code, message, ..failed });
            }
        }
        bar.done(&input.name(), input.bytes());
    }
    bar.finish();
    Ok(taken)
}

/// Pipelines of a configuration write to this lake, and take their objects themselves.
fn of_pipelines(lake: &NamedLake) -> bool {
    lake.is_in_s3() && !lake.alone
}

fn text(
    args: &ChangeArgs,
    lake: &NamedLake,
    changed: &Changed,
    taken: &Taken,
    sums: &Sums,
    screen: Screen,
) -> String {
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
        let lake = lake_flag(&lake.shown);
        text.push_str(&format!("  {} rejected", screen.paint(Tone::Warn, &records)));
        text.push_str(&format!(": lakegate quarantine list {}{lake}\n", args.table));
    }
    for (name, outcome) in taken {
        let flow = Flow::of(&outcome.report).line(screen);
        text.push_str(&format!("  {} {}: {flow}\n", screen.paint(Tone::Good, "taken again"), visible(name)));
    }
    for failure in &changed.failed_objects {
        text.push_str(&format!(
            "  {} {}: {}\n",
            screen.paint(Tone::Bad, "failed"),
            visible(&failure.source.uri),
            visible(&failure.message)
        ));
    }
    if !changed.failed_objects.is_empty() {
        let again = if of_pipelines(lake) {
            "`lakegate run --failed --pipeline NAME`".to_owned()
        } else {
            format!("`lakegate run --failed{}`", lake_flag(&lake.shown))
        };
        text.push_str(&format!("  {again} takes what failed once more\n"));
    }
    for (uri, error) in &changed.left {
        let what = screen.paint(Tone::Bad, "still of the old type");
        text.push_str(&format!("  {what} {}: {}\n", visible(uri), visible(&error.to_string())));
    }
    text
}

fn to_json(args: &ChangeArgs, changed: &Changed, taken: &Taken, sums: &Sums) -> Value {
    json!({
        "table": args.table, "column": args.column, "type": args.new_type, "from": changed.from, "to": changed.to,
        "replayed": changed.replayed.len(), "rows_out": sums.rows, "rejected": sums.rejected,
        "recovered": changed.records_recovered, "milliseconds": sums.milliseconds,
        "failed": changed.failed_objects.iter().map(|failure| {
            json!({"source": failure.source.uri, "code": failure.code, "message": failure.message})
        }).collect::<Vec<_>>(),
        "taken_again": taken.iter().map(|(name, outcome)| {
            let Report { records, accepted, rejected, .. } = &outcome.report;
            json!({"source": name, "records": records, "accepted": accepted, "rejected": rejected})
        }).collect::<Vec<_>>(),
        "left": changed.left.iter().map(|(uri, error)| {
            json!({"source": uri, "code": error.name(), "message": error.to_string()})
        }).collect::<Vec<_>>(),
    })
}
