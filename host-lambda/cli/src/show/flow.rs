//! What became of records, on one line: `10 records → 0 rejected → 3 filtered → 7 rows`.
//!
//! For: the headline of `run`, `preview` and `status`, and of a table that has a row per element. Not for: reasons
//! (`reasons`). The decision to know: every number stands there in every case, a zero too, so that a row that a filter
//! took is never missed, and nobody has to know which number is left out when.

use crate::show::render::{Screen, Tone, count, number};
use lakegate_model::report::{Report, TableReport};

/// The numbers of a headline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Records that were met.
    pub records: u64,
    /// Those that are in quarantine.
    pub rejected: u64,
    /// Rows of all tables that were made and taken out again.
    pub filtered: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Tables that rows went into.
    pub tables: usize,
}

impl Flow {
    /// Of one source object.
    pub fn of(report: &Report) -> Self {
        let sum = |of: fn(&TableReport) -> u64| report.tables.iter().map(of).sum();
        Self {
            records: report.records,
            rejected: report.rejected,
            filtered: sum(|table| table.filtered),
            rows: sum(|table| table.rows_out),
            tables: report.tables.len(),
        }
    }

    /// The line, without an end.
    pub fn line(&self, screen: Screen) -> String {
        let told = |number_of: u64, what: &str| {
            let tone = if number_of > 0 { Tone::Warn } else { Tone::Good };
            screen.paint(tone, &format!("{} {what}", number(number_of)))
        };
        let rejected = told(self.rejected, "rejected");
        let filtered = format!("{} filtered", number(self.filtered));
        let filtered = if self.filtered > 0 { screen.paint(Tone::Warn, &filtered) } else { filtered };
        let rows = count(self.rows, "row", "rows");
        let tables = if self.tables > 1 { format!(" in {} tables", self.tables) } else { String::new() };
        format!("{} → {rejected} → {filtered} → {rows}{tables}", count(self.records, "record", "records"))
    }
}

/// `3 records → 6 rows, one per element of /products`; with a filter what it took, too.
pub fn exploded(records: u64, made: u64, out: u64, array: &str) -> String {
    let rows = count(made, "row", "rows");
    let mut line = format!("{} → {rows}, one per element of {array}", count(records, "record", "records"));
    if out < made {
        line.push_str(&format!(" → {} filtered → {}", number(made - out), count(out, "row", "rows")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_stands_in_the_headline() {
        let table = |rows_out, filtered| TableReport { rows_out, filtered, ..TableReport::default() };
        let report = |tables| Report { records: 1_000, rejected: 1, tables, ..Report::default() };
        for (tables, expected) in [
            (vec![table(7, 3)], "1,000 records → 1 rejected → 3 filtered → 7 rows"),
            (vec![table(1, 0)], "1,000 records → 1 rejected → 0 filtered → 1 row"),
            (vec![table(7, 3), table(2, 1)], "1,000 records → 1 rejected → 4 filtered → 9 rows in 2 tables"),
            (vec![], "1,000 records → 1 rejected → 0 filtered → 0 rows"),
        ] {
            assert_eq!(Flow::of(&report(tables)).line(Screen::default()), expected);
        }
    }

    #[test]
    fn rows_per_element_are_said_with_their_array() {
        assert_eq!(exploded(3, 6, 6, "/products"), "3 records → 6 rows, one per element of /products");
        let filtered = "1 record → 6 rows, one per element of /a → 5 filtered → 1 row";
        assert_eq!(exploded(1, 6, 1, "/a"), filtered);
    }
}
