//! `lakegate backfill`: takes what lies below a prefix and is not in the tables.
//!
//! For: one machine, object by object, or many invocations of the deployed function (`distributed`). Not for taking an
//! object (`deployed`, or the function). The decision to know: what is missing is found in one way (`looked`), before
//! and after, here and distributed, so that no two answers about it differ.

mod distributed;
mod estimate;
mod execution;
mod looked;
mod manifest;

use crate::args::config::ConfigArg;
use crate::cloud;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Screen, Tone, count, number, visible};
use crate::verb::deployed::take;
use clap::Args;
use lakegate_aws::event::ObjectRef;
use lakegate_base::Error;
use looked::{Looked, look};
use serde_json::json;

/// Objects that are listed before a list is cut.
const LISTED: usize = 20;

/// Arguments of `backfill`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate backfill s3://raw/orders/ --dry-run          what is there and not yet in the tables
  lakegate backfill s3://raw/orders/2025/ --config deploy/lakegate.toml
  lakegate backfill s3://raw/orders/ --distributed --dry-run      how many invocations, minutes and dollars
  lakegate backfill s3://raw/orders/ --distributed      by the function of the deployed stack; again: goes on looking

Exit codes: 0 all is taken, 1 something is not, 3 all is, and records were rejected.")]
pub struct BackfillArgs {
    /// Where to look: s3://BUCKET/PREFIX
    #[arg(value_name = "S3 URI")]
    below: Place,
    #[command(flatten)]
    config: ConfigArg,
    /// Say what would be taken; take nothing
    #[arg(long)]
    dry_run: bool,
    /// Let the deployed function take it, many batches at once: the state machine STACK-backfill
    ///
    /// What is missing is written down as a manifest in the lake. The state machine goes on when this command ends;
    /// the same command attaches to it.
    #[arg(long)]
    distributed: bool,
}

/// Runs `backfill`.
pub fn run(args: &BackfillArgs, context: &Context) -> Outcome {
    let Place::S3(uri) = &args.below else {
        return Err(Error::usage(format!("{} is no s3://BUCKET/PREFIX/", args.below))
            .with_hint("for files, `lakegate run FOLDER --lake LAKE` does what a backfill does"));
    };
    bucket_and_key(uri)?;
    let deployed = cloud::connect(args.config.config.as_deref())?;
    if args.distributed {
        return distributed::run(&deployed, uri, args.dry_run, context);
    }
    let looked = look(&deployed, uri)?;
    if args.dry_run || looked.open.is_empty() {
        return Ok(to_take(uri, &looked, context.out));
    }
    let objects: Vec<ObjectRef> = looked.open.into_iter().map(|open| open.object).collect();
    take(&deployed, &objects, false, &looked.left, context)
}

/// What would be taken.
fn to_take(uri: &str, looked: &Looked, screen: Screen) -> Answer {
    let (open, left) = (&looked.open, &looked.left);
    let to_take =
        if open.is_empty() { "nothing".into() } else { count(open.len() as u64, "object", "objects") };
    let mut text = format!("{}: {to_take} to take, {}\n", screen.paint(Tone::Name, uri), left.text());
    let uris: Vec<String> = open.iter().map(|open| open.object.uri()).collect();
    text.push_str(&listed(&uris));
    let json = json!({
        "to_take": uris, "done": left.done, "failed_before": left.failed, "not_ours": left.others,
        "folder_markers": left.markers,
    });
    Answer { text, json, ..Answer::default() }
}

/// The first of some URIs, a line each.
fn listed(uris: &[String]) -> String {
    let mut text: String = uris.iter().take(LISTED).map(|uri| format!("  {}\n", visible(uri))).collect();
    if uris.len() > LISTED {
        text.push_str(&format!("  … and {} more (--json has all)\n", number((uris.len() - LISTED) as u64)));
    }
    text
}
