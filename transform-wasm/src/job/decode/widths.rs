//! The account of records that had another number of values than are named.

use crate::report::{Report, Warning};
use crate::spec::Widths;

/// How many were filled up, and how many lost something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OddWidths {
    padded: u64,
    cut: u64,
}

impl OddWidths {
    /// A record was taken that has `found` values where `wanted` are named.
    #[inline]
    pub(super) fn note(&mut self, found: usize, wanted: usize, widths: Widths) {
        self.padded += u64::from(found < wanted);
        self.cut += u64::from(widths.loses(found, wanted));
    }

    /// Says what was filled and lost.
    pub(super) fn report(self, report: &mut Report) {
        for (count, code, message) in [
            (
                self.padded,
                "rows_padded",
                "records with fewer values than are named have nulls there (short_rows = \"pad\")",
            ),
            (
                self.cut,
                "rows_cut",
                "records with more values than are named lost what was too much (long_rows = \"cut\")",
            ),
        ] {
            if count > 0 {
                report.warn(Warning { count, ..Warning::new(code, message) });
            }
        }
    }
}

/// What is said of a CSV record that is rejected; `hash`: it begins as comments often do.
#[cold]
pub(super) fn other_count(found: usize, wanted: usize, hash: bool) -> String {
    let way = Widths::way(found, wanted);
    let mut message = format!(
        "the record has {found} fields, the header has {wanted}: {way} in [input] takes such records"
    );
    if hash {
        message.push_str("; if lines that begin with # are comments, set comment = \"#\" in [input]");
    }
    message
}
