//! Failures that are alike: told once, with how many there are, three of them by name, and one hint.
//!
//! For: commands that take many sources, and `status`. Not for: `--json`, which has every one. The decision to know: two
//! are alike where code and message are, whatever numbers the message holds, since those are counts and places.

use crate::show::render::{Cell, Grid, Screen, Tone, count, number, visible};

/// Sources that are named.
const NAMED: usize = 3;
/// Kinds of failure that are listed before the list is cut.
const LISTED: usize = 10;

/// Failures, each kind with its sources.
#[derive(Clone, Debug, Default)]
pub struct Alike {
    groups: Vec<Group>,
}

/// One kind.
#[derive(Clone, Debug)]
struct Group {
    code: String,
    /// The first one's.
    message: String,
    hint: Option<String>,
    /// The first sources.
    names: Vec<String>,
    sources: u64,
}

impl Group {
    /// `a.json`, or `a.json, b.json, c.json and 18 more`.
    fn shown(&self, skipped: usize) -> String {
        let named = self.names.iter().skip(skipped).map(|name| visible(name)).collect::<Vec<_>>().join(", ");
        match self.sources - self.names.len() as u64 {
            0 => named,
            more if named.is_empty() => number(more),
            more => format!("{named} and {} more", number(more)),
        }
    }
}

impl Alike {
    /// Adds a failure; whether it is the first of its kind.
    pub fn add(&mut self, name: &str, code: &str, message: &str, hint: Option<&str>) -> bool {
        let same = |group: &&mut Group| group.code == code && is_like(&group.message, message);
        if let Some(group) = self.groups.iter_mut().find(same) {
            group.sources += 1;
            if group.names.len() < NAMED {
                group.names.push(name.to_owned());
            }
            return false;
        }
        self.groups.push(Group {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            names: vec![name.to_owned()],
            sources: 1,
        });
        true
    }

    /// All of them as a table; the hint of each kind that has several sources, or with `hints` of each.
    pub fn table(&self, hints: bool, screen: Screen) -> String {
        if self.groups.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "Failed, nothing of them was written"));
        let mut grid = Grid::new(&["source", "code", "message"]);
        for group in self.groups.iter().take(LISTED) {
            grid.row(vec![
                Cell::new(Tone::Name, group.shown(0)),
                Cell::new(Tone::Bad, group.code.clone()),
                visible(&group.message).into(),
            ]);
        }
        text.push_str(&grid.render(screen));
        if self.groups.len() > LISTED {
            let more = self.groups[LISTED..].iter().map(|group| group.sources).sum();
            text.push_str(&format!("  … and {} more\n", number(more)));
        }
        let mut told: Vec<&str> = Vec::new();
        for group in self.groups.iter().take(LISTED).filter(|group| hints || group.sources > 1) {
            let Some(hint) = group.hint.as_deref().filter(|hint| !told.contains(hint)) else { continue };
            told.push(hint);
            text.push_str(&format!("  {} {}\n", screen.paint(Tone::Good, "hint:"), visible(hint)));
        }
        text
    }

    /// For those who were told the first of each kind as it happened: how many more there were.
    pub fn rest(&self, screen: Screen) -> String {
        let mut text = String::new();
        for group in self.groups.iter().filter(|group| group.sources > 1) {
            let more = count(group.sources - 1, "more source failed", "more sources failed");
            let more = screen.paint(Tone::Bad, &more);
            text.push_str(&format!(
                "{more} like {} ({}): {}\n",
                visible(&group.names[0]),
                group.code,
                group.shown(1)
            ));
        }
        text
    }
}

/// Whether two messages differ in numbers only.
fn is_like(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| c.is_ascii_digit());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    a == b || words(a) == words(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_alike_are_told_once() {
        let mut alike = Alike::default();
        let mut first = 0;
        for source in 1..=21 {
            let message = format!("{source} of 30 records were rejected");
            first += u32::from(alike.add(
                &format!("{source}.json"),
                "too_many_rejected",
                &message,
                Some("raise it"),
            ));
        }
        first += u32::from(alike.add("x.json", "syntax_error", "a comma is missing", Some("add it")));
        assert_eq!(first, 2);
        let text = alike.table(false, Screen::default());
        assert!(
            text.contains("  1.json, 2.json, 3.json and 18 more  too_many_rejected  1 of 30 records"),
            "{text}"
        );
        assert!(text.contains("  x.json                              syntax_error"), "{text}");
        assert!(text.ends_with("  hint: raise it\n"), "{text}");
        assert!(alike.table(true, Screen::default()).ends_with("  hint: add it\n"));
        assert_eq!(
            alike.rest(Screen::default()),
            "20 more sources failed like 1.json (too_many_rejected): 2.json, 3.json and 18 more\n"
        );
    }
}
