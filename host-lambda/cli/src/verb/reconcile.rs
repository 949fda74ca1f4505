//! `lakegate reconcile`: does everything that lies in a pipeline's source lie in its tables, and the other way round?
//!
//! For: an answer for people, and an exit code for a schedule. Not for mending. The decision to know: the walk is the AWS
//! crate's, a page at a time; here pages are asked for until so many objects were looked at.

use crate::args::config::ConfigArg;
use crate::cloud;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::progress::Steps;
use crate::show::render::{Cell, Grid, Holds, Screen, Tone, count, number, size, visible};
use clap::Args;
use lakegate_aws::deployed::{Deployed, Inventory, Reconciled, Why};
use lakegate_base::Error;
use serde_json::json;

/// Differences that are listed before a list is cut.
const LISTED: usize = 20;
/// Objects of one page.
const PAGE: usize = 1000;

/// Arguments of `reconcile`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate reconcile orders
  lakegate reconcile orders --json | jq '.missing[].source'
  lakegate reconcile orders --inventory s3://acme-inventory/raw/daily/2025-06-01T01-00Z/manifest.json
  lakegate reconcile orders --limit 100000 --after 'source/orders/2025/06/x.json'    a part of a large source

The version that lies in the source now must be in the tables. What is missing is taken by `lakegate backfill`; what failed by `lakegate run --failed`. What is in the tables and was deleted from the source stays there until `lakegate retract`.

Exit codes: 0 nothing is missing, 1 something is.")]
pub struct ReconcileArgs {
    /// Name of the pipeline
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// About how many objects to look at, of the source and of the tables together [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on where a part before ended: what it calls `next`
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Take the source's objects from this S3 Inventory, in CSV, and do not list them: for more than a million
    #[arg(long, value_name = "S3 URI")]
    inventory: Option<Place>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs `reconcile`.
pub fn run(args: &ReconcileArgs, context: &Context) -> Outcome {
    let deployed = cloud::connect(args.config.config.as_deref())?;
    let pipeline = deployed.named(&args.pipeline)?;
    let mut all = Reconciled { next: args.after.clone(), ..Reconciled::default() };
    let mut inventory = args.inventory.as_ref().map(|place| opened(&deployed, place)).transpose()?;
    let steps = Steps::new(context.err);
    loop {
        let left = args.limit.map_or(PAGE, |limit| limit.saturating_sub(looked_at(&all)).min(PAGE));
        let after = all.next.as_deref();
        let page = match &mut inventory {
            Some(inventory) if after.is_none_or(|after| !after.starts_with("tables/")) => {
                deployed.reconcile_inventory(pipeline, inventory, after, left.max(1))?
            }
            _ => deployed.reconcile(pipeline, after, left.max(1))?,
        };
        all.in_tables += page.in_tables;
        all.retracted += page.retracted;
        all.looked_for += page.looked_for;
        all.missing.extend(page.missing);
        all.gone.extend(page.gone);
        all.next = page.next;
        let looked = looked_at(&all);
        steps.update(all.next.as_deref().unwrap_or_default(), looked as u64, looked as u64);
        if all.next.is_none() || args.limit.is_some_and(|limit| looked >= limit) {
            break;
        }
    }
    steps.finish();
    let exit = if all.missing.is_empty() { Exit::Done } else { Exit::Failed };
    let json = json!({
        "pipeline": args.pipeline, "source": pipeline.source.location.uri(), "in_tables": all.in_tables,
        "retracted": all.retracted, "missing": all.missing, "looked_for": all.looked_for, "gone": all.gone,
        "next": all.next,
    });
    Ok(Answer { text: text(args, &all, context.out), json, exit })
}

fn opened(deployed: &Deployed, place: &Place) -> Result<Inventory, Error> {
    let Place::S3(uri) = place else {
        return Err(Error::usage("an inventory is in S3").with_hint("write s3://BUCKET/…/manifest.json"));
    };
    let (bucket, key) = bucket_and_key(uri)?;
    Inventory::open(deployed.aws(), bucket, key)
}

fn looked_at(all: &Reconciled) -> usize {
    let counted = all.in_tables + all.retracted + all.looked_for;
    usize::try_from(counted).unwrap_or(usize::MAX).saturating_add(all.missing.len())
}

fn text(args: &ReconcileArgs, all: &Reconciled, screen: Screen) -> String {
    let missing = all.missing.len() as u64;
    let tone = if missing > 0 { Tone::Bad } else { Tone::Good };
    let mut text = format!(
        "{}: {} in the tables, {} taken out on purpose, {}\n",
        screen.paint(Tone::Name, &args.pipeline),
        count(all.in_tables, "object of the source", "objects of the source"),
        number(all.retracted),
        screen.paint(tone, &format!("{} missing", number(missing))),
    );
    let mut grid = Grid::new(&["missing", ">bytes", "object"]).of(Holds::Names);
    for one in all.missing.iter().take(LISTED) {
        let why = match (one.why, &one.code) {
            (Why::Failed, Some(code)) => format!("failed: {code}"),
            (Why::Failed, None) => "failed".to_owned(),
            (Why::New, _) => "never taken".to_owned(),
            (Why::Changed, _) => "overwritten since".to_owned(),
            (Why::Undone, _) => "not yet done".to_owned(),
        };
        grid.row(vec![Cell::new(Tone::Warn, why), size(one.bytes).into(), visible(&one.source).into()]);
    }
    text.push_str(&listed(&grid, missing, screen));
    let gone = all.gone.len() as u64;
    if all.looked_for > 0 {
        let of = count(all.looked_for, "object in the tables", "objects in the tables");
        text.push_str(&format!("  {of} looked for, {} not in the source any more\n", number(gone)));
    }
    let mut grid = Grid::new(&[">rows", "gone from the source", "run"]).of(Holds::Names);
    for one in all.gone.iter().take(LISTED) {
        grid.row(vec![
            number(one.rows).into(),
            visible(&one.source).into(),
            Cell::new(Tone::Dim, one.id.clone()),
        ]);
    }
    text.push_str(&listed(&grid, gone, screen));
    if let Some(next) = &all.next {
        text.push_str(&format!("  not all was looked at; the next part: --after '{}'\n", visible(next)));
    }
    text
}

fn listed(grid: &Grid, all: u64, screen: Screen) -> String {
    if grid.is_empty() {
        return String::new();
    }
    let mut text = grid.render(screen);
    if all > LISTED as u64 {
        text.push_str(&format!("  … and {} more (--json has all)\n", number(all - LISTED as u64)));
    }
    text
}
