//! Why records were rejected, as a table; also of an input that failed because too many were.
//!
//! For: `preview` and `status`. Not for: the quarantine of a table (`quarantine`). The decision to know: an
//! input that fails as a whole has no result to look at, so a preview runs it once more and keeps
//! only the lines that the transform writes before it gives up.

use crate::show::render::{Cell, Grid, Screen, Tone, number, visible};
use lakegate_lake::run::Plan;
use lakegate_lake::source::Source;
use lakegate_model::QuarantineLine;
use lakegate_sandbox::{JobOptions, Step, TableContract, Transform};

/// Lines shown before the list is cut.
const LISTED: usize = 10;

/// The first reasons as a table; empty without any.
pub fn table(lines: &[QuarantineLine<'static>], screen: Screen) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "Rejected records"));
    let mut grid = Grid::new(&[">record", ">line", "where", "reason", "message"]);
    for line in lines.iter().take(LISTED) {
        grid.row(vec![
            number(line.record).into(),
            line.line.map(number).unwrap_or_default().into(),
            Cell::new(Tone::Name, line.path.as_deref().map(visible).unwrap_or_default()),
            Cell::new(Tone::Warn, line.code.clone()),
            visible(&line.message).into(),
        ]);
    }
    text.push_str(&grid.render(screen));
    if lines.len() > LISTED {
        text.push_str(&format!("  … and {} more\n", number((lines.len() - LISTED) as u64)));
    }
    text
}

/// The lines of a quarantine object; what cannot be read is left out.
pub fn parse(bytes: &[u8]) -> Vec<QuarantineLine<'static>> {
    bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// What the transform rejects of `source`, as far as it tells before it fails.
pub fn of(
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    mut contracts: Vec<TableContract>,
) -> Vec<QuarantineLine<'static>> {
    let mut bytes = Vec::new();
    // As in a run: the first pass may ask for contracts, the second one has them.
    for final_pass in [false, true] {
        bytes.clear();
        match pass(transform, source, plan, contracts, final_pass, &mut bytes) {
            Some(widened) => contracts = widened,
            None => break,
        }
    }
    parse(&bytes)
}

/// One pass; the contracts it asks for, or `None` when it is over, well or not.
fn pass(
    transform: &Transform,
    source: &Source,
    plan: &Plan,
    contracts: Vec<TableContract>,
    final_pass: bool,
    rejected: &mut Vec<u8>,
) -> Option<Vec<TableContract>> {
    let options = JobOptions {
        spec: plan.spec.clone(),
        table: plan.table.clone(),
        contracts,
        source: source.facts(),
        final_pass,
        ..JobOptions::default()
    };
    let mut session = transform.open(options).ok()?;
    let mut chunks = source.open().ok()?;
    loop {
        match session.step().ok()? {
            Step::NeedInput => match chunks.next().ok()? {
                [] => session.end().ok()?,
                chunk => session.push(chunk).ok()?,
            },
            Step::Quarantine(lines) => rejected.extend_from_slice(&lines),
            Step::Widen(widened) => return Some(widened.contracts),
            Step::Done(_) => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_and_shown() {
        let lines = parse(b"{\"record\":2,\"line\":3,\"path\":\"/a\",\"code\":\"type_mismatch\",\"message\":\"m\"}\nbroken\n");
        assert_eq!(lines.len(), 1);
        let text = table(&lines, Screen::default());
        assert!(text.contains("     2     3  /a     type_mismatch  m"), "{text}");
        assert_eq!(table(&[], Screen::default()), "");
    }
}
