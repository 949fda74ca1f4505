//! `lakegate fsck`: finds and mends what a crash left.
//!
//! For: staged files nobody committed, commits nobody completed, part files that vanished or belong to
//! nobody. Not for: what is inside part files. The decision to know: everything it mends could be
//! left to the next `run` as well; `--dry-run` only tells.

use crate::args::lake::{LakeArg, ThroughArg};
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone, count, visible};
use clap::Args;
use lakegate_lake::operate::fsck::fsck;
use serde_json::{Value, json};

/// Arguments of `fsck`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate fsck lake --dry-run     only tell
  lakegate fsck lake               mend
  lakegate fsck s3://acme-lake/sales/
  lakegate fsck --pipeline orders

Exit codes: 0 nothing is left to mend, 1 something could not be mended.")]
pub struct FsckArgs {
    /// The lake: a folder, or s3://BUCKET/PREFIX/ [default: lake, or that of lakegate.toml]
    #[arg(value_name = "LAKE", conflicts_with = "pipeline")]
    lake: Option<Place>,
    #[command(flatten)]
    through: ThroughArg,
    /// Only tell what is found, mend nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    transform: TransformArg,
}

/// Runs `fsck`.
pub fn run(args: &FsckArgs, context: &Context) -> Outcome {
    let lake = LakeArg { lake: args.lake.clone(), through: args.through.clone() }.existing()?;
    let name = lake.shown.display().to_string();
    // Without a component what vanished cannot be made again, but all else can still be mended.
    let transform = args.transform.load();
    let findings = fsck(&lake, transform.as_ref().ok(), !args.dry_run)?;
    let mended = findings.iter().filter(|finding| finding.mended).count();
    let left = findings.len() - mended;
    let screen = context.out;
    let mut text = format!("{}: ", screen.paint(Tone::Name, &name));
    if findings.is_empty() {
        text.push_str(&format!("{}\n", screen.paint(Tone::Good, "nothing to mend")));
    } else {
        let found = count(findings.len() as u64, "finding", "findings");
        text.push_str(&format!("{found}, {mended} mended, {left} left\n"));
    }
    let mut grid = Grid::new(&["", "finding", ""]).of(Holds::Names);
    for finding in &findings {
        let (state, tone) = match (finding.mended, args.dry_run) {
            (true, _) => ("mended", Tone::Good),
            (false, true) => ("found", Tone::Warn),
            (false, false) => ("left", Tone::Bad),
        };
        grid.row(vec![
            Cell::new(tone, state),
            Cell::new(Tone::Bold, finding.code.to_string()),
            visible(&finding.what).into(),
        ]);
    }
    if !grid.is_empty() {
        text.push_str(&grid.render(screen));
    }
    let json = json!({
        "lake": name, "dry_run": args.dry_run, "mended": mended, "left": left,
        "findings": findings.iter().map(|finding| {
            json!({"code": finding.code.to_string(), "what": finding.what, "mended": finding.mended})
        }).collect::<Vec<Value>>(),
    });
    let exit = if left > 0 && !args.dry_run { Exit::Failed } else { Exit::Done };
    Ok(Answer { text, json, exit })
}
