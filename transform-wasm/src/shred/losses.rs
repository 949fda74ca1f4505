//! What columns do not keep of the values they take: digits below their unit, digits that no double holds.
//!
//! For: one counted warning a column at a job's end. The decision to know: what the record at hand adds is kept
//! apart until it is taken, so that a record that is rejected, or comes again, is not counted.

use lakegate_model::fix::quote;

use crate::column::ColumnType;
use crate::report::{Edit, Warning};
use crate::value::{Number, digits};

use super::plan::{PlanTable, Target};

/// Digits of the longest decimal.
const DECIMAL_DIGITS: u32 = 38;

/// Counts of one column.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    /// Values with digits below the column's unit.
    cut: u64,
    /// Numbers that no double holds as they are written.
    unheld: u64,
    /// Most digits of these before the point.
    whole: u32,
    /// Most digits of these after the point.
    fraction: u32,
}

/// Counts of all columns.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// By table and column: of the records taken, and of the one at hand.
    columns: Vec<Vec<(Loss, Loss)>>,
    /// Table and column of what the record at hand adds.
    touched: Vec<(usize, usize)>,
}

impl Loss {
    fn is_none(&self) -> bool {
        self.cut == 0 && self.unheld == 0
    }

    fn add(&mut self, other: &Self) {
        self.cut += other.cut;
        self.unheld += other.unheld;
        self.whole = self.whole.max(other.whole);
        self.fraction = self.fraction.max(other.fraction);
    }
}

impl Losses {
    /// Nothing yet, of a plan's tables.
    pub(super) fn new(tables: &[PlanTable]) -> Self {
        let columns = tables.iter().map(|table| vec![<(Loss, Loss)>::default(); table.columns.len()]);
        Self { columns: columns.collect(), touched: Vec::new() }
    }

    /// A value had digits below the column's unit.
    #[cold]
    pub(super) fn cut(&mut self, target: &Target) {
        self.at_hand(target).cut += 1;
    }

    /// A double does not hold a number as it is written.
    #[cold]
    pub(super) fn unheld(&mut self, target: &Target, number: &Number, text: &[u8]) {
        let (whole, fraction) = digits(number, text);
        self.at_hand(target).add(&Loss { cut: 0, unheld: 1, whole, fraction });
    }

    fn at_hand(&mut self, target: &Target) -> &mut Loss {
        let loss = &mut self.columns[target.table][target.column].1;
        if loss.is_none() {
            self.touched.push((target.table, target.column));
        }
        loss
    }

    /// The record, or block of them, is taken.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.touched.is_empty() {
            self.end(true);
        }
    }

    /// It is not.
    #[inline]
    pub(super) fn forget(&mut self) {
        if !self.touched.is_empty() {
            self.end(false);
        }
    }

    #[cold]
    fn end(&mut self, taken: bool) {
        for (table, column) in self.touched.drain(..) {
            let (sum, at_hand) = &mut self.columns[table][column];
            let own = std::mem::take(at_hand);
            if taken {
                sum.add(&own);
            }
        }
    }

    /// A warning for each column that lost something.
    pub(super) fn warnings(&self, tables: &[PlanTable], names: &[&str]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for ((table, plan), losses) in names.iter().zip(tables).zip(&self.columns) {
            for ((name, ty), (loss, _)) in plan.names.iter().zip(&plan.columns).zip(losses) {
                let column = if names.len() > 1 { format!("`{table}.{name}`") } else { format!("`{name}`") };
                let typed = |ty: &str| [Edit::column(table, name, None, "type", quote(ty))];
                if loss.cut > 0 {
                    let is_milli = *ty == ColumnType::Timestamp;
                    let (unit, way) = if is_milli {
                        ("millisecond", ": type = \"timestamp(6)\" keeps microseconds")
                    } else {
                        ("microsecond", "")
                    };
                    let message = format!("{column}: values had digits below a {unit}, which were cut{way}");
                    let warning = Warning { count: loss.cut, ..Warning::new("digits_cut", message) };
                    warnings.push(if is_milli { warning.fixed_by(typed("timestamp(6)")) } else { warning });
                }
                if loss.unheld > 0 {
                    let keeps = keeps(loss);
                    let message = format!(
                        "{column}: numbers have more digits than a double holds: type = \"{keeps}\" keeps them"
                    );
                    let warning = Warning { count: loss.unheld, ..Warning::new("digits_lost", message) };
                    warnings.push(warning.fixed_by(typed(&keeps)));
                }
            }
        }
        warnings
    }
}

/// The type that holds all of the numbers counted.
fn keeps(loss: &Loss) -> String {
    match loss.whole.saturating_add(loss.fraction) {
        precision if precision <= DECIMAL_DIGITS => format!("decimal({precision},{})", loss.fraction),
        _ => "string".into(),
    }
}
