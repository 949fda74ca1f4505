//! What a person should look at in a proposal.

use lakegate_model::fix::quote;

use crate::column::ColumnType;
use crate::contract::{Contract, Origin};
use crate::learn::{Kinds, declared_type};
use crate::report::{Edit, Warning};
use crate::spec::Numbers;

use super::{Intent, Path};

/// Most columns that are named; the others are counted.
const NAMED: usize = 3;

/// Columns that are written as text, and would be dates and times if the spec said so.
#[derive(Default)]
pub struct Moments {
    /// As they are said.
    columns: Vec<String>,
    types: Vec<Edit>,
}

impl Moments {
    /// Remembers a column of values of no declared type.
    pub fn note(&mut self, at: &At<'_>, path: &Path, ty: ColumnType) {
        let declared = declared_type(path.kinds, path.digits, Numbers::Exact);
        if let (ColumnType::String, Some(moment @ (ColumnType::Date | ColumnType::Timestamp))) =
            (ty, declared)
        {
            self.columns.push(format!("`{}` ({moment})", at.column));
            self.types.push(at.typed(moment));
        }
    }

    /// One warning for all of them.
    pub fn warning(self) -> Option<Warning> {
        let Self { columns, types } = self;
        let more = columns.len().saturating_sub(NAMED);
        let named = columns.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!(
            "{named}{more}: every value is a date or a time, and is written as text: declare the type, as \
             `lakegate init` proposes it"
        );
        (!columns.is_empty()).then(|| Warning::new("moments_as_text", message).fixed_by(types))
    }
}

/// A column as a spec speaks of it.
pub struct At<'a> {
    /// Its table.
    pub table: &'a str,
    /// Its name.
    pub column: &'a str,
    /// Where it comes from.
    pub from: String,
}

impl At<'_> {
    fn edit(&self, key: &'static str, value: &str) -> Edit {
        Edit::column(self.table, self.column, Some(self.from.clone()), key, quote(value))
    }

    fn typed(&self, ty: ColumnType) -> Edit {
        self.edit("type", &ty.to_string())
    }
}

/// What of a path's values does not show in its type.
pub fn of_values(at: &At<'_>, path: &Path, ty: ColumnType, intent: Intent, warnings: &mut Vec<Warning>) {
    let kinds = path.kinds.without(Kinds::NULL);
    let is_text = kinds.without(Kinds::TEXTS).is_empty();
    let pointer = &path.pointer;
    if ty == ColumnType::String && !is_text {
        let why = if kinds == Kinds::BIG { "integers beyond 64 bits" } else { "values of different kinds" };
        warnings.push(Warning::new("mixed_types", format!("{pointer} has {why}: it becomes a string")));
    }
    let arrays = Kinds::ARRAY.join(Kinds::ARRAY_OF_OBJECTS);
    if kinds.any(Kinds::ARRAY) && !kinds.any(Kinds::OBJECT) && !kinds.without(arrays).is_empty() {
        let message =
            format!("{pointer} is an array in some records and not in others: it becomes one JSON column");
        warnings.push(Warning::new("mixed_shapes", message));
    }
    if intent.propose && kinds == Kinds::DAY_MONTH {
        let message = format!(
            "{pointer} looks like dates whose day and month nobody can tell apart for certain: it stays text; \
             declare type = \"date\" with format = \"%d/%m/%Y\" or \"%m/%d/%Y\""
        );
        let dates = |format| [at.typed(ColumnType::Date), at.edit("format", format)];
        let warning = Warning::new("day_month", message);
        warnings.push(warning.fixed_by(dates("%d/%m/%Y")).fixed_by(dates("%m/%d/%Y")));
    }
}

/// Amounts of the parent stand on each of its rows: summing them counts them several times.
pub fn of_repeats(contract: &Contract, known: usize, warnings: &mut Vec<Warning>) {
    let Some(rows) = &contract.rows else { return };
    const AMOUNTS: [&str; 9] =
        ["amount", "total", "price", "sum", "cost", "tax", "fee", "revenue", "discount"];
    for column in &contract.columns[known..] {
        let Origin::Pointer(pointer) = &column.origin else { continue };
        let numeric =
            matches!(column.ty, ColumnType::Bigint | ColumnType::Double | ColumnType::Decimal { .. });
        let amount = column.name.split('_').any(|word| AMOUNTS.contains(&word.trim_end_matches('s')));
        if numeric && amount && !crate::shred::below(pointer, rows) {
            warnings.push(Warning::new(
                "amount_repeats",
                format!(
                    "`{0}` belongs to the parent and repeats on each row of {rows}: SUM({0}) overcounts",
                    column.name
                ),
            ));
        }
    }
}
