//! Runs a [`Node`] over a batch.
//!
//! For: the walk, and everything that decides which rows count: AND, OR, CASE, COALESCE. Not for:
//! single operations, which have files of their own. The decision to know: every operand is computed
//! for the whole batch, and errors of rows that did not need it are dropped afterwards, so a guard
//! such as `CASE WHEN b <> 0 THEN …` works and the loops stay columnar.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::{and_kleene, is_not_null, is_null, not, or_kleene};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
};

use super::error::RowErrors;
use super::like::Pattern;
use super::syntax::{Comparison, Is, Negated};
use super::tree::{Function, Node, Op};
use super::vector::{Shape, Value, null};
use super::{Batch, arithmetic, calendar, cast, compare, json_functions, patterns, rounding, text_functions};
use crate::column::ColumnType;

/// What an evaluation needs beside the node.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub batch: &'a Batch<'a>,
    pub tz_offset_ms: i64,
}

impl Scope<'_> {
    pub(super) fn value(self, node: &Node, errors: &mut RowErrors) -> Value {
        match &node.op {
            Op::Null => Value::constant(null(node.ty)),
            Op::Constant(array, _) | Op::Source(array) => Value::constant(array.clone()),
            Op::Column(index) => match self.batch.columns.get(*index) {
                Some(Some(array)) => Value { array: array.clone(), constant: false },
                // The caller's promise is that columns() are there; a null column beats a trap.
                _ => Value::constant(null(node.ty)),
            },
            Op::RecordNumber => match self.batch.records {
                Some(array) => Value { array: array.clone(), constant: false },
                None => Value::constant(null(node.ty)),
            },
            Op::Negate(value) => {
                let value = self.value(value, errors);
                arithmetic::negate(self.shape(&[&value]), node.ty, &value, errors)
            }
            Op::Arithmetic(op, left, right) => {
                let (l, r) = (self.value(left, errors), self.value(right, errors));
                arithmetic::arithmetic(
                    self.shape(&[&l, &r]),
                    *op,
                    (left.ty, &l),
                    (right.ty, &r),
                    node.ty,
                    errors,
                )
            }
            Op::Concat(terms) => {
                let values: Vec<Value> = terms.iter().map(|term| self.value(term, errors)).collect();
                text_functions::concat(self.shape(&values.iter().collect::<Vec<_>>()), &values, errors)
            }
            Op::Case(operand, whens, otherwise) => {
                self.case(node.ty, operand.as_deref(), whens, otherwise.as_deref(), errors)
            }
            Op::Coalesce(terms) => self.coalesce(node.ty, terms, errors),
            Op::NullIf(left, right) => {
                let (l, r) = (self.value(left, errors), self.value(right, errors));
                let equal = compare::compare(self.shape(&[&l, &r]), Comparison::Equal, left.ty, &l, &r);
                let shape = self.shape(&[&l, &r]);
                let choice: Vec<u32> =
                    (0..shape.len()).map(|row| u32::from(equal.bits().get(row) == Some(true))).collect();
                choose(shape, node.ty, &[l, Value::constant(null(node.ty))], &choice, errors)
            }
            Op::Cast(value, how) => {
                let from = value.ty;
                let value = self.value(value, errors);
                cast::cast(self.shape(&[&value]), from, node.ty, *how, &value, self.tz_offset_ms, errors)
            }
            Op::Call(function, arguments) => self.call(node.ty, function, arguments, errors),
            _ => self.predicate(node, errors),
        }
    }

    /// Operations whose result is a boolean.
    fn predicate(self, node: &Node, errors: &mut RowErrors) -> Value {
        match &node.op {
            Op::And(terms) => self.chain(terms, false, errors),
            Op::Or(terms) => self.chain(terms, true, errors),
            Op::Not(value) => map(self.value(value, errors), not),
            Op::Compare(op, left, right) => {
                let (l, r) = (self.value(left, errors), self.value(right, errors));
                compare::compare(self.shape(&[&l, &r]), *op, left.ty, &l, &r)
            }
            Op::Is(value, what, negated) => is(self.value(value, errors), *what, *negated),
            Op::In(value, items, negated) => self.is_in(value, items, *negated, errors),
            Op::Between(value, low, high, negated) => {
                let ty = value.ty;
                let (value, low, high) =
                    (self.value(value, errors), self.value(low, errors), self.value(high, errors));
                let above = compare::compare(
                    self.shape(&[&value, &low]),
                    Comparison::GreaterOrEqual,
                    ty,
                    &value,
                    &low,
                );
                let below = compare::compare(
                    self.shape(&[&value, &high]),
                    Comparison::LessOrEqual,
                    ty,
                    &value,
                    &high,
                );
                negate_if(*negated, self.combine(&above, &below, false))
            }
            Op::Like(value, pattern, escape, negated) => {
                let (value, pattern) = (self.value(value, errors), self.value(pattern, errors));
                negate_if(*negated, self.like(&value, &pattern, *escape, errors))
            }
            _ => Value::constant(null(node.ty)),
        }
    }

    fn call(self, ty: ColumnType, function: &Function, arguments: &[Node], errors: &mut RowErrors) -> Value {
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(argument, errors)).collect();
        let shape = self.shape(&values.iter().collect::<Vec<_>>());
        let from = arguments.first().map_or(ty, |argument| argument.ty);
        match function {
            Function::Abs | Function::Round(_) | Function::Floor | Function::Ceil => {
                rounding::rounding(shape, function, from, ty, &values[0], errors)
            }
            Function::Part(unit) => calendar::part(shape, *unit, from, &values[0]),
            Function::Truncate(unit) => calendar::truncate(shape, *unit, from, &values[0]),
            Function::ParseTime(format) => {
                calendar::parse(shape, format.as_ref(), ty, &values[0], self.tz_offset_ms, errors)
            }
            Function::JsonScalar(path) => json_functions::extract_scalar(shape, path, &values[0], errors),
            Function::JsonLength => json_functions::array_length(shape, &values[0], errors),
            Function::RegexpLike(pattern) => patterns::like(shape, pattern, &values[0], errors),
            Function::RegexpExtract(pattern, group) => {
                patterns::extract(shape, pattern, *group, &values[0], errors)
            }
            Function::RegexpReplace(pattern, pieces) => {
                patterns::replace(shape, pattern, pieces, &values[0], errors)
            }
            _ => text_functions::call(shape, function, &values, errors),
        }
    }

    fn shape(self, operands: &[&Value]) -> Shape {
        Shape::of(self.batch.rows, operands)
    }

    /// `and` (until = false) or `or` of two columns of booleans.
    fn combine(self, left: &Value, right: &Value, until: bool) -> Value {
        let shape = self.shape(&[left, right]);
        let (l, r) = (spread(left, shape), spread(right, shape));
        let combined = if until { or_kleene(&l, &r) } else { and_kleene(&l, &r) };
        // The kernels only fail on arrays of different lengths.
        combined
            .map_or_else(|_| Value::constant(null(ColumnType::Boolean)), |bits| shape.value(Arc::new(bits)))
    }

    /// AND, or OR with `until`: terms from left to right; a row that has met `until` is decided and
    /// what later terms would say of it, errors too, does not count.
    fn chain(self, terms: &[Node], until: bool, errors: &mut RowErrors) -> Value {
        let mut result: Option<Value> = None;
        for term in terms {
            let mut own = RowErrors::new();
            let value = self.value(term, &mut own);
            result = Some(match result {
                None => {
                    errors.absorb(own, |_| true);
                    value
                }
                Some(so_far) => {
                    if !own.is_empty() {
                        let decided = so_far.bits();
                        errors.absorb(own, |row| decided.get(row) != Some(until));
                    }
                    self.combine(&so_far, &value, until)
                }
            });
        }
        result.unwrap_or_else(|| Value::constant(null(ColumnType::Boolean)))
    }

    fn is_in(self, value: &Node, items: &[Node], negated: Negated, errors: &mut RowErrors) -> Value {
        let ty = value.ty;
        let value = self.value(value, errors);
        let mut result: Option<Value> = None;
        for item in items {
            let item = self.value(item, errors);
            let equal = compare::compare(self.shape(&[&value, &item]), Comparison::Equal, ty, &value, &item);
            result = Some(match result {
                None => equal,
                Some(so_far) => self.combine(&so_far, &equal, true),
            });
        }
        negate_if(negated, result.unwrap_or_else(|| Value::constant(null(ColumnType::Boolean))))
    }

    fn like(self, value: &Value, pattern: &Value, escape: Option<char>, errors: &mut RowErrors) -> Value {
        let (texts, patterns) = (value.texts(), pattern.texts());
        let fixed = patterns.get(0).filter(|_| pattern.constant).map(|text| Pattern::new(text, escape));
        self.shape(&[value, pattern]).bits(errors, |row| {
            let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
            match &fixed {
                Some(Ok(pattern)) => Ok(Some(pattern.matches(text))),
                Some(Err(error)) => Err(error.clone()),
                None => Ok(Some(Pattern::new(pattern, escape)?.matches(text))),
            }
        })
    }

    fn case(
        self,
        ty: ColumnType,
        operand: Option<&Node>,
        whens: &[(Node, Node)],
        otherwise: Option<&Node>,
        errors: &mut RowErrors,
    ) -> Value {
        const UNDECIDED: u32 = u32::MAX;
        let operand = operand.map(|node| (node.ty, self.value(node, errors)));
        // Which branch each row takes; a row whose condition fails takes none.
        let mut choice = vec![UNDECIDED; self.batch.rows];
        let mut values = vec![Value::constant(null(ty))];
        for (when, then) in whens {
            let mut own = RowErrors::new();
            let mut condition = self.value(when, &mut own);
            if let Some((ty, operand)) = &operand {
                let shape = self.shape(&[operand, &condition]);
                condition = compare::compare(shape, Comparison::Equal, *ty, operand, &condition);
            }
            let index = u32::try_from(values.len()).unwrap_or(0);
            let bits = condition.bits();
            for (row, choice) in choice.iter_mut().enumerate().filter(|(_, choice)| **choice == UNDECIDED) {
                if let Some(error) = own.get(row) {
                    errors.record(row, error.clone());
                    *choice = 0;
                } else if bits.get(row) == Some(true) {
                    *choice = index;
                }
            }
            values.push(self.branch(then, &choice, index, errors));
        }
        let rest = match otherwise {
            Some(node) => {
                let value = self.branch(node, &choice, UNDECIDED, errors);
                values.push(value);
                u32::try_from(values.len() - 1).unwrap_or(0)
            }
            None => 0,
        };
        choice.iter_mut().filter(|choice| **choice == UNDECIDED).for_each(|choice| *choice = rest);
        choose(Shape::every_row(self.batch.rows), ty, &values, &choice, errors)
    }

    /// The value of a branch, and the errors of those rows that take it.
    fn branch(self, node: &Node, choice: &[u32], index: u32, errors: &mut RowErrors) -> Value {
        if !choice.contains(&index) {
            return Value::constant(null(node.ty));
        }
        let mut own = RowErrors::new();
        let value = self.value(node, &mut own);
        errors.absorb(own, |row| choice.get(row) == Some(&index));
        value
    }

    fn coalesce(self, ty: ColumnType, terms: &[Node], errors: &mut RowErrors) -> Value {
        // 0 is the null of rows that no term has given a value, or that failed on the way.
        let mut choice = vec![0_u32; self.batch.rows];
        let mut open = vec![true; self.batch.rows];
        let mut values = vec![Value::constant(null(ty))];
        for term in terms {
            if !open.contains(&true) {
                break;
            }
            let mut own = RowErrors::new();
            let value = self.value(term, &mut own);
            let index = u32::try_from(values.len()).unwrap_or(0);
            for row in 0..self.batch.rows {
                if !open[row] {
                    continue;
                }
                if let Some(error) = own.get(row) {
                    errors.record(row, error.clone());
                    open[row] = false;
                } else if !value.is_null(row) {
                    (open[row], choice[row]) = (false, index);
                }
            }
            values.push(value);
        }
        choose(Shape::every_row(self.batch.rows), ty, &values, &choice, errors)
    }
}

/// Row `i` of the result is row `i` of `values[choice[i]]`.
fn choose(shape: Shape, ty: ColumnType, values: &[Value], choice: &[u32], errors: &mut RowErrors) -> Value {
    let pick = |row: usize| choice.get(row).map_or(0, |index| *index as usize);
    macro_rules! numbers {
        ($type:ty) => {{
            let columns: Vec<_> = values.iter().map(Value::numbers::<$type>).collect();
            shape.numbers::<$type>(ty, errors, |row| Ok(columns[pick(row)].get(row)))
        }};
    }
    match ty {
        ColumnType::Boolean => {
            let columns: Vec<_> = values.iter().map(Value::bits).collect();
            shape.bits(errors, |row| Ok(columns[pick(row)].get(row)))
        }
        ColumnType::Bigint => numbers!(Int64Type),
        ColumnType::Double => numbers!(Float64Type),
        ColumnType::Decimal { .. } => numbers!(Decimal128Type),
        ColumnType::Date => numbers!(Date32Type),
        ColumnType::Timestamp => numbers!(TimestampMillisecondType),
        ColumnType::TimestampMicros => numbers!(TimestampMicrosecondType),
        ColumnType::String | ColumnType::Json => {
            let columns: Vec<_> = values.iter().map(Value::texts).collect();
            shape.texts(errors, |row, pen| match columns[pick(row)].get(row) {
                Some(text) => pen.write(text).map(Some),
                None => Ok(None),
            })
        }
    }
}

/// The same values, one a row, null where the row has failed and with zero in the slots of nulls.
pub(super) fn settle(rows: usize, ty: ColumnType, value: &Value, errors: &mut RowErrors) -> ArrayRef {
    let choice: Vec<u32> = (0..rows).map(|row| u32::from(errors.get(row).is_some())).collect();
    choose(Shape::every_row(rows), ty, &[value.clone(), Value::constant(null(ty))], &choice, errors).array
}

/// The booleans of `value`, as many as `shape` has.
fn spread(value: &Value, shape: Shape) -> BooleanArray {
    if value.constant && !shape.constant {
        let bit = value.bits().get(0);
        return std::iter::repeat_n(bit, shape.len()).collect();
    }
    value.array.as_boolean().clone()
}

fn map(value: Value, f: impl Fn(&BooleanArray) -> Result<BooleanArray, arrow::error::ArrowError>) -> Value {
    // `not` has no way to fail.
    match f(value.array.as_boolean()) {
        Ok(bits) => Value { array: Arc::new(bits), constant: value.constant },
        Err(_) => value,
    }
}

fn negate_if(negated: Negated, value: Value) -> Value {
    if negated { map(value, not) } else { value }
}

fn is(value: Value, what: Is, negated: Negated) -> Value {
    let constant = value.constant;
    let array = match what {
        Is::Null if negated => is_not_null(&value.array),
        Is::Null => is_null(&value.array),
        Is::True | Is::False => {
            let (bits, wanted) = (value.bits(), what == Is::True);
            Ok((0..value.array.len()).map(|row| Some((bits.get(row) == Some(wanted)) != negated)).collect())
        }
    };
    match array {
        Ok(bits) => Value { array: Arc::new(bits), constant },
        Err(_) => value,
    }
}
