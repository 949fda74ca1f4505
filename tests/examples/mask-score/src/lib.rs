//! A transform of one's own: masks e-mail addresses and adds a risk score.
//!
//! For: seeing how an extension is written, tested and released. The decision to know: which columns it
//! works on follows from their names and types alone, so that the contract is settled before any row comes.

use std::sync::Arc;

use lakegate_transform::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use lakegate_transform::arrow::datatypes::{Float64Type, Int64Type};
use lakegate_transform::{Changes, ColumnType, Extended, Extension, Rejects};

lakegate_transform::component!(Extended<MaskScore>);

/// The column that is added.
const SCORE: &str = "risk_score";

/// Columns whose amount is scored; the first that a table has.
const AMOUNTS: [&str; 2] = ["total_amount", "amount"];

/// The extension.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaskScore;

impl Extension for MaskScore {
    fn name(&self) -> &'static str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn changes(&self, _table: &str, columns: &[(String, ColumnType)]) -> Result<Changes, String> {
        let mut changes = Changes::default();
        if columns.iter().any(|(name, ty)| AMOUNTS.contains(&name.as_str()) && is_number(*ty)) {
            changes = changes.add(SCORE, ColumnType::Bigint);
        }
        let emails = columns.iter().filter(|(name, ty)| *ty == ColumnType::String && holds_emails(name));
        Ok(emails.fold(changes, |changes, (name, _)| changes.replace(name)))
    }

    fn apply(&self, _table: &str, rows: &RecordBatch, rejects: &mut Rejects) -> Result<RecordBatch, String> {
        let mut made: Vec<(String, ArrayRef)> = Vec::new();
        for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            if let Some(texts) = array.as_string_opt::<i32>().filter(|_| holds_emails(field.name())) {
                let masked: StringArray = texts.iter().map(|text| text.map(mask)).collect();
                made.push((field.name().clone(), Arc::new(masked)));
            }
        }
        if let Some(amount) = AMOUNTS.iter().find_map(|name| numbers(rows, name)) {
            let quantity = numbers(rows, "quantity").unwrap_or_else(|| vec![None; rows.num_rows()]);
            made.push((SCORE.to_owned(), Arc::new(scores(&amount, &quantity, rejects))));
        }
        if made.is_empty() {
            return Ok(rows.clone());
        }
        RecordBatch::try_from_iter_with_nullable(made.into_iter().map(|(name, array)| (name, array, true)))
            .map_err(|error| error.to_string())
    }
}

/// A column named `email`, or one whose name ends in `_email`.
fn holds_emails(column: &str) -> bool {
    column == "email" || column.ends_with("_email")
}

/// `ann@example.com` → `a***@example.com`. What is no address becomes `***`: it is not let through.
fn mask(text: &str) -> String {
    match (text.chars().next(), text.split_once('@')) {
        (Some(first), Some((name, domain)))
            if !name.is_empty() && !domain.is_empty() && !domain.contains('@') =>
        {
            format!("{first}***@{domain}")
        }
        _ => "***".to_owned(),
    }
}

fn is_number(ty: ColumnType) -> bool {
    matches!(ty, ColumnType::Bigint | ColumnType::Double)
}

/// A column's values as numbers, where it is there and holds some.
fn numbers(rows: &RecordBatch, column: &str) -> Option<Vec<Option<f64>>> {
    let array = rows.column_by_name(column)?;
    if let Some(integers) = array.as_primitive_opt::<Int64Type>() {
        return Some(integers.iter().map(|value| value.map(|value| value as f64)).collect());
    }
    Some(array.as_primitive_opt::<Float64Type>()?.iter().collect())
}

/// The rule: one point for each whole 10 of the amount, 20 more from a quantity of 10 on, at most 100.
/// Without amount there is no score; a negative amount rejects its record.
fn scores(amount: &[Option<f64>], quantity: &[Option<f64>], rejects: &mut Rejects) -> Int64Array {
    let mut score = |(row, (amount, quantity)): (usize, (&Option<f64>, &Option<f64>))| {
        let amount = (*amount)?;
        if amount < 0.0 {
            rejects.row(row, "a negative amount has no risk score");
            return None;
        }
        let many = if quantity.is_some_and(|quantity| quantity >= 10.0) { 20.0 } else { 0.0 };
        Some(((amount / 10.0).floor() + many).min(100.0) as i64)
    };
    amount.iter().zip(quantity).enumerate().map(&mut score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_transform::arrow::array::Float64Array;
    use lakegate_transform::try_on;

    fn orders() -> RecordBatch {
        let email =
            StringArray::from(vec![Some("ann@example.com"), None, Some("no address"), Some("é@x.org")]);
        let amount = Float64Array::from(vec![Some(129.5), None, Some(-1.0), Some(5000.0)]);
        let quantity = Int64Array::from(vec![Some(10), Some(1), Some(1), None]);
        RecordBatch::try_from_iter([
            ("customer_email", Arc::new(email) as ArrayRef),
            ("total_amount", Arc::new(amount)),
            ("quantity", Arc::new(quantity)),
        ])
        .unwrap()
    }

    #[test]
    fn addresses_are_masked_and_amounts_scored() {
        let (made, rejects) = try_on(&MaskScore, "orders", &orders()).unwrap();
        let emails: Vec<Option<&str>> =
            made.column_by_name("customer_email").unwrap().as_string::<i32>().iter().collect();
        assert_eq!(emails, [Some("a***@example.com"), None, Some("***"), Some("é***@x.org")]);
        let scores: Vec<Option<i64>> =
            made.column_by_name(SCORE).unwrap().as_primitive::<Int64Type>().iter().collect();
        assert_eq!(scores, [Some(32), None, None, Some(100)]);
        assert_eq!(rejects.iter().collect::<Vec<_>>(), [(2, "a negative amount has no risk score")]);
    }

    #[test]
    fn a_table_without_amount_or_address_stays_as_it_is() {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let rows = RecordBatch::try_from_iter([("id", ids)]).unwrap();
        let (made, rejects) = try_on(&MaskScore, "t", &rows).unwrap();
        assert_eq!((made.num_columns(), rejects.is_empty()), (0, true));
    }

    #[test]
    fn what_is_no_address_is_not_let_through() {
        for (text, masked) in
            [("a@b", "a***@b"), ("@b", "***"), ("a@", "***"), ("a@b@c", "***"), ("", "***"), ("ab", "***")]
        {
            assert_eq!(mask(text), masked, "{text:?}");
        }
    }
}
