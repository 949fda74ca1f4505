//! An expression with names bound and types checked: what `bind` makes and `eval` runs.
//!
//! Not for: finding errors of the spec, there are none left here. The decision to know: operands
//! already have the type their operator wants, since `bind` has put a cast wherever one was needed.

use arrow::array::ArrayRef;
use regex_lite::Regex;

use super::json_functions::JsonStep;
use super::patterns::Piece;
use super::syntax::{Arithmetic, Comparison, Is, Negated};
use crate::column::ColumnType;
use crate::value::TimeFormat;

/// One operation with its operands.
pub(super) struct Node {
    /// Byte offset in the expression's text.
    pub at: usize,
    /// Type of the result; never [`ColumnType::Json`].
    pub ty: ColumnType,
    pub op: Op,
}

pub(super) enum Op {
    /// `NULL` before a neighbour has given it a type.
    Null,
    /// One value; with the text it was written as, when it is a literal whose type may still adapt.
    Constant(ArrayRef, Option<Box<str>>),
    /// One value that depends on the source object; never folded, since its errors are not the spec's.
    Source(ArrayRef),
    /// By index into the environment's columns.
    Column(usize),
    /// The number of the row's record.
    RecordNumber,
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Concat(Vec<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Is(Box<Node>, Is, Negated),
    In(Box<Node>, Vec<Node>, Negated),
    Between(Box<Node>, Box<Node>, Box<Node>, Negated),
    Like(Box<Node>, Box<Node>, Option<char>, Negated),
    Case(Option<Box<Node>>, Vec<(Node, Node)>, Option<Box<Node>>),
    Coalesce(Vec<Node>),
    NullIf(Box<Node>, Box<Node>),
    Cast(Box<Node>, How),
    Call(Function, Vec<Node>),
}

/// What a cast does with a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Rejects the row.
    Reject,
    /// Gives null.
    Null,
    /// As [`How::Reject`], but a number becomes the nearest double: two types met in arithmetic.
    Promote,
}

pub(super) enum Function {
    Lower,
    Upper,
    /// Blanks at the start, at the end.
    Trim(bool, bool),
    Substr,
    Length,
    Replace,
    Abs,
    /// To so many digits after the point.
    Round(i32),
    Floor,
    Ceil,
    Part(Unit),
    Truncate(Unit),
    JsonScalar(Vec<JsonStep>),
    JsonLength,
    RegexpLike(Regex),
    /// The match itself, or a group of it.
    RegexpExtract(Regex, usize),
    RegexpReplace(Regex, Vec<Piece>),
    SplitPart,
    Sha256,
    /// Text to date or timestamp, by the node's type; without a format ISO 8601.
    ParseTime(Option<TimeFormat>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    pub(super) const NAMES: [&str; 8] =
        ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// Whether it divides a day, which a date does not have.
    pub(super) fn is_within_day(self) -> bool {
        matches!(self, Self::Second | Self::Minute | Self::Hour)
    }
}

impl Node {
    pub(super) fn new(at: usize, ty: ColumnType, op: Op) -> Self {
        Self { at, ty, op }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.op, Op::Null)
    }

    /// The text of a literal whose type may still adapt.
    pub(super) fn literal(&self) -> Option<&str> {
        match &self.op {
            Op::Constant(_, Some(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether every operand is a constant, so that the node can be computed once.
    pub(super) fn is_foldable(&self) -> bool {
        let constant = |node: &Node| matches!(node.op, Op::Constant(..));
        match &self.op {
            Op::Null | Op::Constant(..) | Op::Source(_) | Op::Column(_) | Op::RecordNumber => false,
            Op::Negate(a) | Op::Not(a) | Op::Is(a, ..) | Op::Cast(a, _) => constant(a),
            Op::Arithmetic(_, a, b) | Op::Compare(_, a, b) | Op::Like(a, b, ..) | Op::NullIf(a, b) => {
                constant(a) && constant(b)
            }
            Op::Between(a, b, c, _) => constant(a) && constant(b) && constant(c),
            Op::Concat(nodes) | Op::And(nodes) | Op::Or(nodes) | Op::Coalesce(nodes) | Op::Call(_, nodes) => {
                nodes.iter().all(constant)
            }
            Op::In(a, nodes, _) => constant(a) && nodes.iter().all(constant),
            Op::Case(operand, whens, otherwise) => {
                operand.iter().chain(otherwise).all(|node| constant(node))
                    && whens.iter().all(|(when, then)| constant(when) && constant(then))
            }
        }
    }
}
