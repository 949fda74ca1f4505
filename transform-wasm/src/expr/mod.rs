//! SQL expressions over columns: what `derive`, `filter`, `check` and `partition_by` of a spec say.
//!
//! sql ── token ──▶ parse ──▶ bind (names, types, constants) ──▶ eval, over Arrow arrays
//!
//! For: one value a row from the values of that row. Not for: queries, aggregates, anything that sees
//! two rows. The decisions to know: every fault of an expression is found by [`Expr::parse`], before
//! any input is read; at run time only single rows fail, and the rest of the batch does not notice.
//!
//! # Semantics
//!
//! * NULL is SQL's: comparisons with it are null, AND and OR are three-valued.
//! * Division by zero is null. `/` of two bigints is a double: `quantity / 2` keeps its half.
//! * Overflow, a double that is not finite, a CAST that fails: the row is rejected (see [`RowErrors`]).
//!   TRY_CAST gives null. AND, OR, CASE and COALESCE are decided from left to right, and what a decided
//!   row did not need cannot reject it.
//! * Types meet as bigint → decimal → double and date → timestamp → timestamp(6). A literal with a fraction is a
//!   double, but exact beside a decimal; a text literal beside a date is that date. Everything else
//!   needs a CAST.
//! * CAST is strict: 3.0 is a bigint, 3.7 and `007` are not. Only a cast to decimal rounds.
//! * Texts are compared byte by byte; lengths and positions count characters.
//! * `date - date` and `date ± bigint` count days. Functions follow Athena (Trino).
//! * Names are case-insensitive; a reserved or odd name takes double quotes, a text single ones.

mod arithmetic;
mod bind;
mod calendar;
mod cast;
mod coerce;
mod compare;
mod error;
mod eval;
mod functions;
mod json_functions;
mod like;
mod parse;
mod patterns;
mod rounding;
mod syntax;
mod text_functions;
mod token;
mod tree;
mod vector;

#[cfg(test)]
mod eval_tests;
#[cfg(test)]
mod function_tests;
#[cfg(test)]
mod parse_tests;

use arrow::array::{Array, ArrayRef};

use self::bind::Binder;
use self::error::Refusal;
use self::eval::Scope;
use self::syntax::{Ast, Kind};
use self::tree::{How, Node};
use crate::column::ColumnType;

pub use self::error::{ExprError, RowErrors};
pub use self::patterns::pattern;

/// What an expression may speak about.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Names and types; an expression refers to them by index.
    pub columns: &'a [(String, ColumnType)],
    /// Facts of the source object.
    pub source: &'a SourceEnv,
    /// Offset from UTC, in milliseconds, of timestamps written without one.
    pub tz_offset_ms: i64,
}

/// Facts of the source object; outputs that use them cannot be compared between homes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceEnv {
    /// `source_uri()`.
    pub uri: String,
    /// `event_time()` in milliseconds since 1970, null if unknown.
    pub event_time: Option<i64>,
    /// `load_time()` in milliseconds since 1970, null if unknown.
    pub load_time: Option<i64>,
    /// `source_name()`, null if unknown.
    pub name: Option<String>,
    /// `source_size()` in bytes, null if unknown.
    pub size: Option<u64>,
    /// `source_partition('name')`; null if there is none of that name.
    pub partitions: Vec<(String, String)>,
}

/// The rows that an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// How many.
    pub rows: usize,
    /// By index of [`Env::columns`]; those in [`Expr::columns`] must be there, with `rows` values of
    /// their type's array: Boolean, Int64, Float64, Decimal128(p,s), String (also for json), Date32,
    /// TimestampMillisecond or TimestampMicrosecond without a zone.
    pub columns: &'a [Option<ArrayRef>],
    /// The number of each row's record, Int64; must be there where [`Expr::uses_records`].
    pub records: Option<&'a ArrayRef>,
}

/// An expression, bound to columns and typed.
pub struct Expr {
    node: Node,
    columns: Vec<usize>,
    uses_source: bool,
    uses_records: bool,
    tz_offset_ms: i64,
}

impl Expr {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// Syntax, unknown names, types that do not go together, constants that cannot be computed.
    pub fn parse(sql: &str, env: &Env<'_>) -> Result<Self, ExprError> {
        parse::parse(sql, false)
            .and_then(|(ast, _)| Self::bind(&ast, env))
            .map_err(|refusal| refusal.locate(sql))
    }

    /// Whether it is an expression at all, whatever its names stand for.
    ///
    /// # Errors
    /// Syntax, and an expression that is too long or too deep.
    pub fn check(sql: &str) -> Result<(), ExprError> {
        parse::parse(sql, false).map(drop).map_err(|refusal| refusal.locate(sql))
    }

    /// As [`Expr::check`], with an optional `AS name` at the end.
    ///
    /// # Errors
    /// As [`Expr::check`].
    pub fn check_aliased(sql: &str) -> Result<(), ExprError> {
        parse::parse(sql, true).map(drop).map_err(|refusal| refusal.locate(sql))
    }

    /// As [`Expr::parse`], with an optional `AS name` at the end. A plain column is named as itself.
    ///
    /// # Errors
    /// As [`Expr::parse`].
    pub fn parse_aliased(sql: &str, env: &Env<'_>) -> Result<(Self, Option<String>), ExprError> {
        let parsed =
            parse::parse(sql, true).and_then(|(ast, alias)| Ok((Self::bind(&ast, env)?, ast, alias)));
        let (expr, ast, alias) = parsed.map_err(|refusal| refusal.locate(sql))?;
        let own = match (&ast.kind, expr.columns.first()) {
            (Kind::Name(_), Some(index)) => env.columns.get(*index).map(|(name, _)| name.clone()),
            _ => None,
        };
        Ok((expr, alias.or(own)))
    }

    fn bind(ast: &Ast, env: &Env<'_>) -> Result<Self, Refusal> {
        let mut binder = Binder::new(env);
        let node = binder.bind(ast)?;
        if node.is_null() {
            return Err(Refusal::new(ast.at, "NULL alone has no type")
                .hint("use CAST(NULL AS bigint) or another type"));
        }
        Ok(Self {
            node,
            columns: binder.columns.into_iter().collect(),
            uses_source: binder.uses_source,
            uses_records: binder.uses_records,
            tz_offset_ms: env.tz_offset_ms,
        })
    }

    /// Casts the result to a declared type, as `CAST` would.
    ///
    /// # Errors
    /// There is no such cast, or a constant does not survive it; the place is the expression's start.
    pub fn cast_to(self, ty: ColumnType) -> Result<Self, ExprError> {
        let source = SourceEnv::default();
        let env = Env { columns: &[], source: &source, tz_offset_ms: self.tz_offset_ms };
        let binder = Binder::new(&env);
        let ty = if ty == ColumnType::Json { ColumnType::String } else { ty };
        let node = binder.cast(0, self.node, ty, How::Reject).map_err(|refusal| refusal.locate(""))?;
        Ok(Self { node, ..self })
    }

    /// Type of the result; json counts as string.
    #[must_use]
    pub fn ty(&self) -> ColumnType {
        self.node.ty
    }

    /// Indexes of the columns it reads, sorted.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether the result depends on the number of a row's record.
    #[must_use]
    pub fn uses_records(&self) -> bool {
        self.uses_records
    }

    /// Whether the result depends on the source object's name, time or partitions.
    #[must_use]
    pub fn uses_source(&self) -> bool {
        self.uses_source
    }

    /// The value of every row. A row that fails is null and noted in `errors`; the others do not
    /// notice. Null slots hold the type's zero.
    ///
    /// # Panics
    /// If a column's array is not of its type or length.
    pub fn evaluate(&self, batch: &Batch<'_>, errors: &mut RowErrors) -> ArrayRef {
        let scope = Scope { batch, tz_offset_ms: self.tz_offset_ms };
        let mut own = RowErrors::new();
        let value = scope.value(&self.node, &mut own);
        // Columnar kernels leave their rubbish in the slots of nulls, and a row may have failed on the
        // way to a result that is not null: FALSE AND whatever.
        let has_rubbish = self.ty() == ColumnType::Double && value.array.null_count() > 0;
        let array = if value.constant || has_rubbish || !own.is_empty() {
            eval::settle(batch.rows, self.ty(), &value, &mut own)
        } else {
            value.array
        };
        errors.absorb(own, |_| true);
        array
    }
}
