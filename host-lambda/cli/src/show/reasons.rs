//! Why records were rejected: each reason with its count and its first records, and the columns whose type was left.
//!
//! For: `run`, `preview`, `status` and every failure. Not for: the quarantine of a table (`quarantine`). The decision to
//! know: one shape for one object and for many, done or failed, so that nobody has to look in another place for why.

use crate::show::render::{Cell, Grid, Screen, Tone, number, visible};
use lakegate_lake::Lake;
use lakegate_lake::operate::drift;
use lakegate_model::rejected::{SAMPLES, Sample};
use lakegate_model::{Drift, Rejected};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reasons of one or more sources.
#[derive(Clone, Debug, Default)]
pub struct Reasons {
    by_code: BTreeMap<String, Told>,
    drift: Vec<Drift>,
}

#[derive(Clone, Debug, Default)]
struct Told {
    records: u64,
    /// The first of them, each with its source.
    samples: Vec<(String, Sample)>,
}

impl Reasons {
    /// Of one source, which needs no name.
    pub fn of(rejected: &Rejected) -> Self {
        let mut reasons = Self::default();
        reasons.add("", rejected);
        reasons
    }

    /// Adds those of a source.
    pub fn add(&mut self, source: &str, rejected: &Rejected) {
        for reason in &rejected.reasons {
            let told = self.by_code.entry(reason.code.clone()).or_default();
            told.records += reason.records;
            let room = SAMPLES.saturating_sub(told.samples.len());
            let named = |sample: &Sample| (source.to_owned(), sample.clone());
            told.samples.extend(reason.samples.iter().take(room).map(named));
        }
        Drift::join(&mut self.drift, &rejected.drift);
    }

    /// Adds the columns of others, for what is said of all together.
    pub fn join(&mut self, other: &Self) {
        Drift::join(&mut self.drift, &other.drift);
    }

    /// With what the lake knows of these columns: one type is proposed for all of its objects.
    pub fn known_in(&mut self, lake: &Lake) {
        self.drift = drift::known(lake, &self.drift);
    }

    /// Records of a reason that is known by its count alone.
    pub fn count(&mut self, code: &str, records: u64) {
        let told = self.by_code.entry(code.to_owned()).or_default();
        told.records = told.records.max(records);
    }

    /// As a table under a title, where there are `many` each record with its source; empty without any.
    pub fn table(&self, title: &str, many: bool, screen: Screen) -> String {
        if self.by_code.is_empty() {
            return String::new();
        }
        let mut grid = Grid::new(&[">records", "reason", "source", ">record", ">line", "where", "message"]);
        for (code, told) in self.sorted() {
            let mut first = [Cell::new(Tone::Warn, number(told.records)), code.clone().into()];
            if told.samples.is_empty() {
                grid.row(first.clone().to_vec());
            }
            for (source, sample) in &told.samples {
                let mut cells = std::mem::take(&mut first).to_vec();
                cells.extend([
                    Cell::new(Tone::Name, if many { visible(source) } else { String::new() }),
                    number(sample.record).into(),
                    sample.line.map(number).unwrap_or_default().into(),
                    Cell::new(Tone::Name, sample.path.as_deref().map(visible).unwrap_or_default()),
                    visible(&sample.message).into(),
                ]);
                grid.row(cells);
            }
        }
        format!("\n{}\n{}", screen.paint(Tone::Bold, title), grid.render(screen))
    }

    /// A line for each column whose type was left, with the command that changes it; `lake` stands behind that.
    pub fn drift(&self, lake: &str, screen: Screen) -> String {
        if self.drift.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "Type drift"));
        for drift in &self.drift {
            text.push_str(&format!("  {} {}\n", screen.paint(Tone::Warn, "!"), visible(&drift.told(lake))));
        }
        text
    }

    /// What to do about the first such column.
    pub fn advice(&self, lake: &str) -> Option<String> {
        self.drift.first().map(|drift| drift.told(lake))
    }

    /// The reasons for programs.
    pub fn reasons_json(&self) -> Value {
        let sample = |(source, sample): &(String, Sample)| {
            let mut object = serde_json::to_value(sample).unwrap_or_default();
            if let Some(object) = object.as_object_mut().filter(|_| !source.is_empty()) {
                object.insert("source".to_owned(), source.as_str().into());
            }
            object
        };
        let reason = |(code, told): (&String, &Told)| {
            let samples: Vec<Value> = told.samples.iter().map(sample).collect();
            json!({"code": code, "records": told.records, "samples": samples})
        };
        self.sorted().into_iter().map(reason).collect()
    }

    /// The columns for programs, each with its command.
    pub fn drift_json(&self, lake: &str) -> Value {
        let one = |drift: &Drift| {
            let mut object = serde_json::to_value(drift).unwrap_or_default();
            if let Some(object) = object.as_object_mut() {
                object.insert("command".to_owned(), format!("{}{lake}", drift.command()).into());
            }
            object
        };
        self.drift.iter().map(one).collect()
    }

    /// The commonest first; of those alike in the order of their names.
    fn sorted(&self) -> Vec<(&String, &Told)> {
        let mut all: Vec<_> = self.by_code.iter().collect();
        all.sort_by_key(|(_, told)| std::cmp::Reverse(told.records));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_model::Reason;

    fn rejected(code: &str, records: u64) -> Rejected {
        let sample =
            |record| Sample { record, line: Some(record + 1), path: Some("/a".into()), message: "no".into() };
        let samples = (1..=records.min(3)).map(sample).collect();
        Rejected { reasons: vec![Reason { code: code.into(), records, samples }], drift: Vec::new() }
    }

    #[test]
    fn reasons_of_one_source_need_no_name() {
        let text = Reasons::of(&rejected("type_mismatch", 12)).table("Rejected", false, Screen::default());
        let expected = "\nRejected\n  records  reason         record  line  where  message\n\
            \x20      12  type_mismatch       1     2  /a     no\n\
            \x20                              2     3  /a     no\n\
            \x20                              3     4  /a     no\n";
        assert_eq!(text, expected);
        assert_eq!(Reasons::default().table("Rejected", true, Screen::default()), "");
    }

    #[test]
    fn of_many_sources_the_first_records_are_named_with_theirs() {
        let mut reasons = Reasons::default();
        for source in ["a.json", "b.json", "c.json", "d.json"] {
            reasons.add(source, &rejected("fraction", 1));
        }
        reasons.count("duplicate_key", 9);
        let json = reasons.reasons_json();
        assert_eq!((&json[0]["code"], &json[0]["records"]), (&"duplicate_key".into(), &9.into()));
        let of: Vec<&Value> =
            json[1]["samples"].as_array().unwrap().iter().map(|sample| &sample["source"]).collect();
        assert_eq!(of, ["a.json", "b.json", "c.json"]);
        assert!(
            reasons.table("x", true, Screen::default()).contains("4  fraction       a.json"),
            "{reasons:?}"
        );
    }
}
