//! [`Ast`] to [`Node`]: finds columns, checks types, folds what is constant.
//!
//! Not for: functions, see `functions`. The decision to know: every error of the spec is found here,
//! before any input is read; what remains at run time concerns single rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array, StringArray};

use super::coerce::{coerce, common, decimal, digits, is_number, is_time, literal, literal_decimal};
use super::error::{Refusal, nearest};
use super::eval::Scope;
use super::syntax::{Arithmetic, Ast, Chain, Is, Kind, OnMisfit};
use super::tree::{How, Node, Op};
use super::{Batch, Env, RowErrors};
use crate::column::ColumnType;
use crate::value::time;

/// Names offered when none is near the one that was not found.
const NAMES_IN_HINT: usize = 12;

pub(super) struct Binder<'a> {
    pub env: &'a Env<'a>,
    /// Indexes of the columns that were read.
    pub columns: BTreeSet<usize>,
    pub uses_source: bool,
    pub uses_records: bool,
}

impl<'a> Binder<'a> {
    pub(super) fn new(env: &'a Env<'a>) -> Self {
        Self { env, columns: BTreeSet::new(), uses_source: false, uses_records: false }
    }
}

impl Binder<'_> {
    pub(super) fn bind(&mut self, ast: &Ast) -> Result<Node, Refusal> {
        let at = ast.at;
        let constant = |ty, array| Ok(Node::new(at, ty, Op::Constant(array, None)));
        let node = match &ast.kind {
            Kind::Null => return Ok(Node::new(at, ColumnType::String, Op::Null)),
            Kind::Boolean(value) => {
                return constant(ColumnType::Boolean, Arc::new(BooleanArray::from(vec![*value])));
            }
            Kind::Number(text) => return number(at, text),
            Kind::Text(text) => {
                let array = Arc::new(StringArray::from(vec![text.as_str()]));
                return Ok(Node::new(
                    at,
                    ColumnType::String,
                    Op::Constant(array, Some(text.as_str().into())),
                ));
            }
            Kind::Typed(ty, text) => {
                let ty = self.literal_type(*ty, text);
                let array = Arc::new(StringArray::from(vec![text.as_str()]));
                let op = Op::Constant(array, Some(text.as_str().into()));
                return coerce(Node::new(at, ColumnType::String, op), ty, self.env.tz_offset_ms);
            }
            Kind::Name(name) => return self.column(at, name),
            Kind::Call(name, arguments) => self.call(at, name, arguments)?,
            Kind::Negate(value) => self.negate(at, value)?,
            Kind::Not(value) => {
                let value = self.boolean(value, "NOT")?;
                Node::new(at, ColumnType::Boolean, Op::Not(Box::new(value)))
            }
            Kind::Chain(op, terms) => self.chain(at, *op, terms)?,
            Kind::Arithmetic(op, left, right) => {
                let (left, right) = (self.bind(left)?, self.bind(right)?);
                self.arithmetic(at, *op, left, right)?
            }
            Kind::Cast(value, ty, on_misfit) => {
                let value = self.bind(value)?;
                let how = if *on_misfit == OnMisfit::Null { How::Null } else { How::Reject };
                self.cast(at, value, *ty, how)?
            }
            Kind::Case(operand, whens, otherwise) => {
                self.case(at, operand.as_deref(), whens, otherwise.as_deref())?
            }
            _ => self.predicate(ast)?,
        };
        self.fold(node)
    }

    /// `TIMESTAMP '…'` has the unit that holds its digits.
    fn literal_type(&self, ty: ColumnType, text: &str) -> ColumnType {
        let moment = time::parse_iso_moment(text.as_bytes(), self.env.tz_offset_ms);
        match moment {
            Some(moment) if ty == ColumnType::Timestamp && moment.us != 0 => ColumnType::TimestampMicros,
            _ => ty,
        }
    }

    fn column(&mut self, at: usize, name: &str) -> Result<Node, Refusal> {
        let columns = self.env.columns;
        let Some(index) = columns.iter().position(|(column, _)| column.eq_ignore_ascii_case(name)) else {
            let refusal = Refusal::new(at, format!("there is no column `{name}`"));
            let names = || columns.iter().map(|(name, _)| name.as_str());
            return Err(match nearest(name, names()) {
                Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                None if columns.is_empty() => refusal,
                None => refusal.hint(format!(
                    "a text takes single quotes; columns are {}{}",
                    names().take(NAMES_IN_HINT).collect::<Vec<_>>().join(", "),
                    if columns.len() > NAMES_IN_HINT { ", …" } else { "" },
                )),
            });
        };
        self.columns.insert(index);
        let ty = match columns[index].1 {
            ColumnType::Json => ColumnType::String,
            ty => ty,
        };
        Ok(Node::new(at, ty, Op::Column(index)))
    }

    /// Computes a node of constants once. That it fails is the spec's fault, whatever the rows.
    pub(super) fn fold(&self, node: Node) -> Result<Node, Refusal> {
        if !node.is_foldable() {
            return Ok(node);
        }
        let mut errors = RowErrors::new();
        let batch = Batch { rows: 1, columns: &[], records: None };
        let value = Scope { batch: &batch, tz_offset_ms: self.env.tz_offset_ms }.value(&node, &mut errors);
        match errors.get(0) {
            Some(error) => Err(Refusal::new(node.at, format!("this can never be computed: {error}"))),
            None => Ok(Node::new(node.at, node.ty, Op::Constant(value.array, None))),
        }
    }

    pub(super) fn coerce(&self, node: Node, ty: ColumnType) -> Result<Node, Refusal> {
        let node = coerce(node, ty, self.env.tz_offset_ms)?;
        self.fold(node)
    }

    fn boolean(&mut self, ast: &Ast, what: &str) -> Result<Node, Refusal> {
        let node = self.bind(ast)?;
        if !node.is_null() && node.ty != ColumnType::Boolean {
            return Err(Refusal::new(node.at, format!("{what} needs a boolean, found {}", node.ty))
                .hint("compare the value with something"));
        }
        self.coerce(node, ColumnType::Boolean)
    }

    /// Binds all and gives them the one type that holds them; string if all are NULL.
    pub(super) fn alike(&mut self, what: &str, asts: &[&Ast]) -> Result<Vec<Node>, Refusal> {
        let nodes = asts.iter().map(|ast| self.bind(ast)).collect::<Result<Vec<_>, _>>()?;
        let ty = common(&nodes.iter().collect::<Vec<_>>()).map_err(|(left, right, at)| {
            Refusal::new(at, format!("{what} cannot bring {left} and {right} together"))
                .hint(format!("CAST one of them, for example CAST(… AS {left})"))
        })?;
        nodes.into_iter().map(|node| self.coerce(node, ty.unwrap_or(ColumnType::String))).collect()
    }

    /// As [`Self::alike`], of two operands.
    pub(super) fn pair(
        &mut self,
        what: &str,
        left: &Ast,
        right: &Ast,
    ) -> Result<(Box<Node>, Box<Node>), Refusal> {
        let mut nodes = self.alike(what, &[left, right])?.into_iter();
        match (nodes.next(), nodes.next()) {
            (Some(left), Some(right)) => Ok((Box::new(left), Box::new(right))),
            _ => Err(Refusal::new(left.at, "two operands were expected")),
        }
    }

    fn predicate(&mut self, ast: &Ast) -> Result<Node, Refusal> {
        let op = match &ast.kind {
            Kind::Compare(op, left, right) => {
                let (left, right) = self.pair("a comparison", left, right)?;
                Op::Compare(*op, left, right)
            }
            Kind::Is(value, Is::Null, negated) => {
                let value = self.bind(value)?;
                let ty = value.ty;
                Op::Is(Box::new(self.coerce(value, ty)?), Is::Null, *negated)
            }
            Kind::Is(value, what, negated) => {
                Op::Is(Box::new(self.boolean(value, "IS TRUE or FALSE")?), *what, *negated)
            }
            Kind::In(value, items, negated) => {
                let all: Vec<&Ast> = std::iter::once(&**value).chain(items).collect();
                let mut nodes = self.alike("IN", &all)?.into_iter();
                let Some(value) = nodes.next() else { return Err(Refusal::new(ast.at, "IN needs a value")) };
                Op::In(Box::new(value), nodes.collect(), *negated)
            }
            Kind::Between(value, low, high, negated) => {
                let mut nodes = self.alike("BETWEEN", &[value, low, high])?.into_iter().map(Box::new);
                let (Some(value), Some(low), Some(high)) = (nodes.next(), nodes.next(), nodes.next()) else {
                    return Err(Refusal::new(ast.at, "BETWEEN needs two bounds"));
                };
                Op::Between(value, low, high, *negated)
            }
            Kind::Like(value, pattern, escape, negated) => {
                let (value, pattern) = (self.text(value, "LIKE")?, self.text(pattern, "LIKE")?);
                Op::Like(Box::new(value), Box::new(pattern), *escape, *negated)
            }
            _ => return Err(Refusal::new(ast.at, "an expression was expected")),
        };
        Ok(Node::new(ast.at, ColumnType::Boolean, op))
    }

    /// A text; nothing else becomes one without a CAST.
    pub(super) fn text(&mut self, ast: &Ast, what: &str) -> Result<Node, Refusal> {
        let node = self.bind(ast)?;
        if !node.is_null() && node.ty != ColumnType::String {
            return Err(Refusal::new(node.at, format!("{what} needs a string, found {}", node.ty))
                .hint("use CAST(… AS string)"));
        }
        self.coerce(node, ColumnType::String)
    }

    fn chain(&mut self, at: usize, op: Chain, terms: &[Ast]) -> Result<Node, Refusal> {
        let terms = terms.iter();
        Ok(match op {
            Chain::And => {
                let terms = terms.map(|term| self.boolean(term, "AND")).collect::<Result<_, _>>()?;
                Node::new(at, ColumnType::Boolean, Op::And(terms))
            }
            Chain::Or => {
                let terms = terms.map(|term| self.boolean(term, "OR")).collect::<Result<_, _>>()?;
                Node::new(at, ColumnType::Boolean, Op::Or(terms))
            }
            Chain::Concat => {
                let terms = terms.map(|term| self.text(term, "`||`")).collect::<Result<_, _>>()?;
                Node::new(at, ColumnType::String, Op::Concat(terms))
            }
        })
    }

    fn negate(&mut self, at: usize, value: &Ast) -> Result<Node, Refusal> {
        let value = self.bind(value)?;
        if !value.is_null() && !is_number(value.ty) {
            return Err(Refusal::new(at, format!("`-` needs a number, found {}", value.ty)));
        }
        let ty = if value.is_null() { ColumnType::Bigint } else { value.ty };
        let value = self.coerce(value, ty)?;
        Ok(Node::new(at, ty, Op::Negate(Box::new(value))))
    }

    /// Any type to any that makes sense; also what a declared type of a derived column does.
    pub(super) fn cast(&self, at: usize, value: Node, to: ColumnType, how: How) -> Result<Node, Refusal> {
        if value.is_null() || value.ty == to {
            return self.coerce(value, to);
        }
        let possible = match (value.ty, to) {
            (ColumnType::String, _) | (_, ColumnType::String) => true,
            (from, to) if is_time(from) && is_time(to) => true,
            (ColumnType::Boolean, ColumnType::Bigint) | (ColumnType::Bigint, ColumnType::Boolean) => true,
            (from, to) => is_number(from) && is_number(to),
        };
        if !possible {
            return Err(Refusal::new(at, format!("a {} cannot be cast to {to}", value.ty)));
        }
        if is_number(value.ty)
            && let ColumnType::Decimal { .. } = to
            && let Some(exact) = value.literal().and_then(|text| literal(text, to, 0))
        {
            return Ok(Node::new(at, to, Op::Constant(exact, None)));
        }
        self.fold(Node::new(at, to, Op::Cast(Box::new(value), how)))
    }

    fn case(
        &mut self,
        at: usize,
        operand: Option<&Ast>,
        whens: &[(Ast, Ast)],
        otherwise: Option<&Ast>,
    ) -> Result<Node, Refusal> {
        let (operand, conditions) = match operand {
            None => {
                let bound = whens
                    .iter()
                    .map(|(when, _)| self.boolean(when, "WHEN"))
                    .collect::<Result<Vec<_>, _>>()?;
                (None, bound)
            }
            Some(operand) => {
                let all: Vec<&Ast> =
                    std::iter::once(operand).chain(whens.iter().map(|(when, _)| when)).collect();
                let mut nodes = self.alike("CASE", &all)?;
                (Some(Box::new(nodes.remove(0))), nodes)
            }
        };
        let results: Vec<&Ast> = whens.iter().map(|(_, then)| then).chain(otherwise).collect();
        let mut results = self.alike("CASE", &results)?;
        let ty = results.first().map_or(ColumnType::String, |node| node.ty);
        let otherwise = otherwise.and_then(|_| results.pop()).map(Box::new);
        Ok(Node::new(at, ty, Op::Case(operand, conditions.into_iter().zip(results).collect(), otherwise)))
    }

    fn arithmetic(&self, at: usize, op: Arithmetic, left: Node, right: Node) -> Result<Node, Refusal> {
        let refusal = |left: &Node, right: &Node| {
            let refusal =
                Refusal::new(at, format!("`{}` cannot take {} and {}", op.symbol(), left.ty, right.ty));
            match (op, left.ty, right.ty) {
                (Arithmetic::Add, ColumnType::String, ColumnType::String) => refusal.hint("`||` joins texts"),
                (_, ColumnType::String, _) | (_, _, ColumnType::String) => {
                    refusal.hint("use CAST(… AS double) or another number type")
                }
                _ => refusal,
            }
        };
        let has_date = |node: &Node| !node.is_null() && node.ty == ColumnType::Date;
        if has_date(&left) || has_date(&right) {
            return self.date_arithmetic(at, op, left, right);
        }
        if [&left, &right].iter().any(|node| !node.is_null() && !is_number(node.ty)) {
            return Err(refusal(&left, &right));
        }
        let shared =
            common(&[&left, &right]).map_err(|_| refusal(&left, &right))?.unwrap_or(ColumnType::Bigint);
        let ty = match shared {
            ColumnType::Decimal { .. } => return self.decimal_arithmetic(at, op, left, right),
            ColumnType::Bigint if op == Arithmetic::Divide => ColumnType::Double,
            ty => ty,
        };
        let (left, right) = (self.coerce(left, ty)?, self.coerce(right, ty)?);
        Ok(Node::new(at, ty, Op::Arithmetic(op, Box::new(left), Box::new(right))))
    }

    /// date - date in days, date ± days, days + date; a text literal beside a date is a date.
    fn date_arithmetic(&self, at: usize, op: Arithmetic, left: Node, right: Node) -> Result<Node, Refusal> {
        use ColumnType::{Bigint, Date};
        let types = match (op, left.ty, right.ty) {
            (Arithmetic::Subtract, Date, Bigint) => Some((Date, Bigint, Date)),
            (Arithmetic::Subtract, ..) => Some((Date, Date, Bigint)),
            (Arithmetic::Add, Date, _) => Some((Date, Bigint, Date)),
            (Arithmetic::Add, ..) => Some((Bigint, Date, Date)),
            _ => None,
        };
        let fits = |node: &Node, ty| {
            let is_text_literal = node.literal().is_some() && node.ty == ColumnType::String;
            node.is_null() || node.ty == ty || (ty == Date && is_text_literal)
        };
        match types {
            Some((l, r, ty)) if fits(&left, l) && fits(&right, r) => {
                let (left, right) = (self.coerce(left, l)?, self.coerce(right, r)?);
                Ok(Node::new(at, ty, Op::Arithmetic(op, Box::new(left), Box::new(right))))
            }
            _ => Err(Refusal::new(at, format!("`{}` cannot take {} and {}", op.symbol(), left.ty, right.ty))
                .hint("a date takes + days, - days and - another date")),
        }
    }

    /// Operands keep their own scales; the result's type follows Trino's rules, except that a
    /// quotient has at least six digits after the point.
    fn decimal_arithmetic(
        &self,
        at: usize,
        op: Arithmetic,
        left: Node,
        right: Node,
    ) -> Result<Node, Refusal> {
        let own = |node: &Node| match node.literal().and_then(literal_decimal) {
            Some(ty) => ty,
            None if node.is_null() => decimal(1, 0),
            None => {
                let (precision, scale) = digits(node.ty);
                ColumnType::Decimal { precision, scale }
            }
        };
        let (lt, rt) = (own(&left), own(&right));
        let ((p1, s1), (p2, s2)) = (digits(lt), digits(rt));
        let (whole1, whole2) = (p1 - s1, p2 - s2);
        let (whole, scale) = match op {
            Arithmetic::Add | Arithmetic::Subtract => (whole1.max(whole2) + 1, s1.max(s2)),
            Arithmetic::Multiply => (whole1 + whole2, s1 + s2),
            Arithmetic::Divide => (whole1 + s2, s1.max(s2).max(6)),
            Arithmetic::Remainder => (whole1.min(whole2), s1.max(s2)),
        };
        if scale > super::coerce::MAX_DIGITS {
            return Err(Refusal::new(at, format!("the product would have {scale} digits after the point"))
                .hint("CAST an operand to fewer digits"));
        }
        let (left, right) = (self.coerce(left, lt)?, self.coerce(right, rt)?);
        Ok(Node::new(at, decimal(whole, scale), Op::Arithmetic(op, Box::new(left), Box::new(right))))
    }
}

/// A bigint if it has neither fraction nor exponent and fits, else an exact decimal, else a double.
fn number(at: usize, text: &str) -> Result<Node, Refusal> {
    let is_whole = !text.contains(['.', 'e', 'E']);
    let keep = Some(text.into());
    if is_whole && let Ok(value) = text.parse::<i64>() {
        return Ok(Node::new(
            at,
            ColumnType::Bigint,
            Op::Constant(Arc::new(Int64Array::from(vec![value])), keep),
        ));
    }
    let ty = if is_whole { literal_decimal(text) } else { Some(ColumnType::Double) };
    let value = ty.and_then(|ty| literal(text, ty, 0).map(|array| (ty, array)));
    match value {
        Some((ty, array)) => Ok(Node::new(at, ty, Op::Constant(array, keep))),
        None => Err(Refusal::new(at, "this number is too large")),
    }
}
