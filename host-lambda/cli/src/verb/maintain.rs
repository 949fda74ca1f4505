//! `lakegate maintain`: rolls closed days of the load history into a Parquet file each.
//!
//! For: a schedule, once a day, where SQL looks at months of the history. Not for the lines, which stay: they are done marks. The
//! decision to know: it lives in the command, since a function links no writer of Parquet but the transform's.

mod day_file;

use crate::args::lake::LakeArg;
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone, count, number, size};
use clap::Args;
use day_file::DayFile;
use lakegate_base::Error;
use lakegate_base::time::{parse, rfc3339};
use lakegate_lake::operate::maintain::{DayState, RolledDay, roll_days};
use lakegate_lake::source::now_ms;
use serde_json::json;

/// Days that are listed before the list is cut.
const LISTED: usize = 20;

/// Arguments of `maintain`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate maintain                            all days that are over, in UTC
  lakegate maintain --pipeline orders --dry-run
  lakegate maintain --lake s3://acme-lake/sales/ --before 2025-07-01

A day that was rolled is left alone; one that a late load came to is rolled anew. The lines of the load history stay as they are.

Exit codes: 0 every day is rolled, or --dry-run told which are not.")]
pub struct MaintainArgs {
    #[command(flatten)]
    lake: LakeArg,
    /// Only days before this one, in UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    before: Option<String>,
    /// Only tell which days are to be rolled
    #[arg(long)]
    dry_run: bool,
}

/// Runs `maintain`.
pub fn run(args: &MaintainArgs, context: &Context) -> Outcome {
    let before = before(args.before.as_deref(), &rfc3339(now_ms()))?;
    let lake = args.lake.existing()?;
    let lake = if args.dry_run { lake } else { lake.writable()? };
    let days = roll_days(&lake, &before, !args.dry_run, &DayFile)?;
    let name = lake.shown.display().to_string();
    let of = |state| days.iter().filter(move |day| day.state == state).count() as u64;
    let (rolled, due, there) = (of(DayState::Rolled), of(DayState::Due), of(DayState::There));
    let screen = context.out;
    let done = if args.dry_run {
        format!("{} to be rolled", count(due, "day", "days"))
    } else {
        format!("{} rolled", count(rolled, "day", "days"))
    };
    let mut text = format!("{}: {done}, {} before\n", screen.paint(Tone::Name, &name), number(there));
    text.push_str(&listed(&days, screen));
    let json = json!({
        "lake": name, "dry_run": args.dry_run, "before": before, "rolled": rolled, "due": due, "there": there,
        "days": days,
    });
    Ok(Answer { text, json, exit: Exit::Done })
}

/// Today, or an earlier day that is named.
fn before(named: Option<&str>, now: &str) -> Result<String, Error> {
    let today = now.get(..10).unwrap_or_default();
    let Some(named) = named else { return Ok(today.to_owned()) };
    if named.len() != 10 || parse(&format!("{named}T00:00:00Z")).is_none() {
        return Err(Error::usage(format!("`{named}` is no day")).with_hint("write it as 2025-07-01"));
    }
    Ok(named.min(today).to_owned())
}

fn listed(days: &[RolledDay], screen: crate::show::render::Screen) -> String {
    let mut grid = Grid::new(&["", "day", "pipeline", ">loads", ">bytes"]).of(Holds::Names);
    let new = || days.iter().filter(|day| day.state != DayState::There);
    for day in new().take(LISTED) {
        let (state, tone) =
            if day.state == DayState::Due { ("due", Tone::Warn) } else { ("rolled", Tone::Good) };
        grid.row(vec![
            Cell::new(tone, state),
            day.day.clone().into(),
            day.pipeline.clone().into(),
            number(day.loads).into(),
            size(day.bytes).into(),
        ]);
    }
    if grid.is_empty() {
        return String::new();
    }
    let mut text = grid.render(screen);
    let all = new().count();
    if all > LISTED {
        text.push_str(&format!("  … and {} more (--json has all)\n", number((all - LISTED) as u64)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_are_over_are_meant() {
        let now = "2025-07-02T00:00:00.000Z";
        assert_eq!(before(None, now).unwrap(), "2025-07-02");
        assert_eq!(before(Some("2025-07-01"), now).unwrap(), "2025-07-01");
        assert_eq!(before(Some("2026-01-01"), now).unwrap(), "2025-07-02", "today is not over");
        for wrong in ["2025-7-1", "yesterday", "2025-13-01", "2025-07-01T00"] {
            assert!(before(Some(wrong), now).unwrap_err().message().contains("is no day"), "{wrong}");
        }
    }
}
