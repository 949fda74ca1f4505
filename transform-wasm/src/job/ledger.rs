//! The account of a job's records: what came, what was taken, what was not and why.
//!
//! For: keeping the report's counts and the quarantine's lines together, since each rejected record is one of
//! both. Not for: deciding what is rejected.

use crate::error::{Code, Failure};
use crate::json::Reject;
use crate::report::Report;
use crate::spec::MaxRejected;

use super::quarantine::{Quarantine, Span};
use super::source::Source;

/// What to do about a CSV that is not UTF-8.
pub const ENCODING_HINT: &str =
    "if the text is encoded otherwise, name it, such as encoding = \"windows-1252\" in [input]";

/// Counts and lines.
pub struct Ledger {
    /// The report so far.
    pub report: Report,
    /// Lines of rejected records that wait to go out.
    pub quarantine: Quarantine,
    /// What may be why records are rejected, where the input's beginning shows it.
    pub advice: Option<String>,
    /// Names of the tables, by number.
    tables: Vec<String>,
}

impl Ledger {
    /// Nothing has come yet; `masked`: nothing of a rejected record may be kept.
    pub fn new(tables: Vec<String>, masked: bool) -> Self {
        let report = Report {
            version: 1,
            format: "unknown".into(),
            compression: "none".into(),
            comparable: true,
            ..Report::default()
        };
        Self { report, quarantine: Quarantine::new(masked), advice: None, tables }
    }

    /// Number of the record that comes next, from 1.
    pub fn next_number(&self) -> u64 {
        self.report.records + 1
    }

    /// A record was taken.
    pub fn accept(&mut self) {
        self.report.records += 1;
        self.report.accepted += 1;
    }

    /// A record goes into quarantine.
    ///
    /// # Errors
    /// Fault `internal` only.
    pub fn reject(&mut self, source: &Source, span: Span, reject: &Reject) -> Result<(), Failure> {
        let table = reject.table.map(|table| self.tables[table].as_str());
        self.quarantine.add(source, span, table, reject, &mut self.report)
    }

    /// What was rejected so far is void: it comes again in the next pass.
    pub fn forget_rejected(&mut self) {
        self.quarantine.clear();
        self.report.rejected = 0;
        self.report.rejects.clear();
    }

    /// More records were rejected than the spec allows.
    pub fn too_many_rejected(&self) -> Failure {
        let report = &self.report;
        let codes: Vec<String> = report.rejects.iter().map(|(code, n)| format!("{n} × {code}")).collect();
        let (rejected, records, codes) = (report.rejected, report.records, codes.join(", "));
        let mut message = format!("{rejected} of {records} records were rejected ({codes})");
        if report.rescued > 0 {
            let codes: Vec<String> = report.rescues.iter().map(|(code, n)| format!("{n} × {code}")).collect();
            message = format!("{message} and {} rescued ({})", report.rescued, codes.join(", "));
        }
        message += ", which is more than max_rejected allows";
        if let Some(why) = self.likely_reason() {
            message = format!("{message}: {why}");
        }
        Failure::input(Code::TooManyRejected, message).hint(MaxRejected::HINT)
    }

    /// Why so many were, where the spec lacks an option.
    fn likely_reason(&self) -> Option<&str> {
        let report = &self.report;
        let not_utf8 = report.rejects.get("invalid_utf8").copied().unwrap_or(0);
        match matches!(&*report.format, "csv" | "tsv") && 2 * not_utf8 > report.rejected {
            true => Some(ENCODING_HINT),
            false => self.advice.as_deref(),
        }
    }
}
