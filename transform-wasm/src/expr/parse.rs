//! Tokens to [`Ast`]: a Pratt parser for SQL expressions.
//!
//! Precedence, loosest first: `OR`; `AND`; `NOT`; comparisons, `IS`, `IN`, `BETWEEN`, `LIKE`; `||`;
//! `+ -`; `* / %`; the sign. Not for: names and types, see `bind`. The decision to know: one
//! recursive function and a depth that is checked on every node, so a hostile spec gets an error
//! and not a stack overflow.

use super::error::{Refusal, nearest};
use super::syntax::{Arithmetic, Ast, Chain, Comparison, Is, Kind, MAX_DEPTH, OnMisfit};
use super::token::{Token, scan};
use crate::column::ColumnType;

/// How tightly an operator binds; `NOT` and the sign are prefixes with a strength of their own.
mod power {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const PREDICATE: u8 = 4;
    pub(super) const CONCAT: u8 = 5;
    pub(super) const SUM: u8 = 6;
    pub(super) const PRODUCT: u8 = 7;
    pub(super) const SIGN: u8 = 8;
}

/// Words with a meaning of their own; a column of that name takes double quotes.
const RESERVED: [&str; 19] = [
    "and", "as", "between", "case", "cast", "else", "end", "escape", "false", "in", "is", "like", "not",
    "null", "or", "then", "true", "try_cast", "when",
];

/// Types that `CAST` knows, with the names other systems use.
const TYPES: [&str; 15] = [
    "bigint",
    "bool",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "int",
    "integer",
    "json",
    "numeric",
    "real",
    "string",
    "text",
    "timestamp",
];

/// Parses all of `sql`; with `aliased`, an `AS name` may end it.
pub(super) fn parse(sql: &str, aliased: bool) -> Result<(Ast, Option<String>), Refusal> {
    let mut parser = Parser { tokens: scan(sql)?, next: 0, nesting: 0 };
    let ast = parser.expression(0)?;
    let mut alias = None;
    if aliased && parser.take_word("as") {
        alias = Some(parser.name()?);
    }
    match parser.peek() {
        Token::End => Ok((ast, alias)),
        Token::Symbol("==") => Err(parser.refuse("`==` is not SQL").hint("use `=`")),
        Token::Symbol("::") => Err(parser.refuse("`::` is not supported").hint("use CAST(value AS type)")),
        Token::Word(word) if word.eq_ignore_ascii_case("as") => {
            Err(parser.refuse("a name given with AS is not possible here"))
        }
        found => {
            Err(parser.refuse(format!("an operator or the end was expected, found {}", found.describe())))
        }
    }
}

struct Parser {
    /// Never empty: ends with [`Token::End`].
    tokens: Vec<(Token, usize)>,
    next: usize,
    nesting: u16,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        let last = self.tokens.len() - 1;
        self.tokens[self.next.min(last)].1
    }

    fn refuse(&self, message: impl Into<String>) -> Refusal {
        Refusal::new(self.at(), message)
    }

    fn is_word(&self, ahead: usize, keyword: &str) -> bool {
        let token = self.tokens.get(self.next + ahead);
        matches!(token, Some((Token::Word(word), _)) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(0, keyword);
        self.next += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, keyword: &str) -> Result<(), Refusal> {
        if self.take_word(keyword) {
            return Ok(());
        }
        Err(self.refuse(format!("{} was expected, found {}", keyword.to_uppercase(), self.peek().describe())))
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), Refusal> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.refuse(format!("`{symbol}` was expected, found {}", self.peek().describe())))
    }

    fn text(&mut self, what: &str) -> Result<String, Refusal> {
        match self.peek().clone() {
            Token::Text(text) => {
                self.next += 1;
                Ok(text)
            }
            found => Err(self.refuse(format!("{what} was expected, found {}", found.describe()))),
        }
    }

    fn name(&mut self) -> Result<String, Refusal> {
        match self.peek().clone() {
            Token::Quoted(name) => {
                self.next += 1;
                Ok(name)
            }
            Token::Word(word) if !is_reserved(&word) => {
                self.next += 1;
                Ok(word)
            }
            found => Err(self.refuse(format!("a name was expected, found {}", found.describe()))),
        }
    }

    /// A node of which no path to a leaf is too long.
    fn node(&self, at: usize, kind: Kind) -> Result<Ast, Refusal> {
        let depth = kind.depth_below() + 1;
        if depth > MAX_DEPTH { Err(too_deep(at)) } else { Ok(Ast { at, kind, depth }) }
    }

    /// A term at the end of a chain of one operator. Only the new term is looked at for the depth: a look at
    /// all would make a long chain quadratic.
    fn chain(&self, at: usize, op: Chain, left: Ast, right: Ast) -> Result<Ast, Refusal> {
        let depth = match left.kind {
            Kind::Chain(same, _) if same == op => left.depth.max(right.depth + 1),
            _ => left.depth.max(right.depth) + 1,
        };
        if depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
        Ok(Ast { at, kind: chain(op, left, right), depth })
    }

    /// An expression whose operators all bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Ast, Refusal> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(self.at()));
        }
        let mut left = self.prefix()?;
        while let Some(power) = self.infix_power()
            && power >= least
        {
            left = self.infix(left, power)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn infix_power(&self) -> Option<u8> {
        match self.peek() {
            Token::Symbol("+" | "-") => Some(power::SUM),
            Token::Symbol("*" | "/" | "%") => Some(power::PRODUCT),
            Token::Symbol("||") => Some(power::CONCAT),
            Token::Symbol("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => Some(power::PREDICATE),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "or" => Some(power::OR),
                "and" => Some(power::AND),
                "is" | "in" | "between" | "like" => Some(power::PREDICATE),
                "not" if ["in", "between", "like"].iter().any(|next| self.is_word(1, next)) => {
                    Some(power::PREDICATE)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn infix(&mut self, left: Ast, power: u8) -> Result<Ast, Refusal> {
        let at = self.at();
        let Token::Symbol(symbol) = *self.peek() else {
            return self.infix_word(left, power, at);
        };
        self.next += 1;
        let right = self.expression(power + 1)?;
        let arithmetic = |op, left, right| Kind::Arithmetic(op, Box::new(left), Box::new(right));
        let kind = match symbol {
            "+" => arithmetic(Arithmetic::Add, left, right),
            "-" => arithmetic(Arithmetic::Subtract, left, right),
            "*" => arithmetic(Arithmetic::Multiply, left, right),
            "/" => arithmetic(Arithmetic::Divide, left, right),
            "%" => arithmetic(Arithmetic::Remainder, left, right),
            "||" => return self.chain(at, Chain::Concat, left, right),
            _ => {
                let op = match symbol {
                    "=" => Comparison::Equal,
                    "<>" | "!=" => Comparison::NotEqual,
                    "<" => Comparison::Less,
                    "<=" => Comparison::LessOrEqual,
                    ">" => Comparison::Greater,
                    _ => Comparison::GreaterOrEqual,
                };
                Kind::Compare(op, Box::new(left), Box::new(right))
            }
        };
        self.node(at, kind)
    }

    fn infix_word(&mut self, left: Ast, power: u8, at: usize) -> Result<Ast, Refusal> {
        if power != power::PREDICATE {
            let op = if power == power::AND { Chain::And } else { Chain::Or };
            self.next += 1;
            let right = self.expression(power + 1)?;
            return self.chain(at, op, left, right);
        }
        let left = Box::new(left);
        if self.take_word("is") {
            let negated = self.take_word("not");
            let what = self.is_what()?;
            return self.node(at, Kind::Is(left, what, negated));
        }
        let negated = self.take_word("not");
        let kind = if self.take_word("in") {
            self.expect_symbol("(")?;
            Kind::In(left, self.list(")")?, negated)
        } else if self.take_word("between") {
            let low = self.expression(power + 1)?;
            self.expect_word("and")?;
            Kind::Between(left, Box::new(low), Box::new(self.expression(power + 1)?), negated)
        } else {
            self.expect_word("like")?;
            let pattern = Box::new(self.expression(power + 1)?);
            let escape = if self.take_word("escape") { Some(self.escape()?) } else { None };
            Kind::Like(left, pattern, escape, negated)
        };
        self.node(at, kind)
    }

    fn is_what(&mut self) -> Result<Is, Refusal> {
        for (word, what) in [("null", Is::Null), ("true", Is::True), ("false", Is::False)] {
            if self.take_word(word) {
                return Ok(what);
            }
        }
        Err(self
            .refuse(format!("NULL, TRUE or FALSE was expected after IS, found {}", self.peek().describe())))
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let at = self.at();
        let text = self.text("a text literal")?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(Refusal::new(at, "ESCAPE takes exactly one character")),
        }
    }

    /// Expressions between commas, up to and with `close`; at least one.
    fn list(&mut self, close: &str) -> Result<Vec<Ast>, Refusal> {
        let mut items = vec![self.expression(0)?];
        while self.take_symbol(",") {
            items.push(self.expression(0)?);
        }
        self.expect_symbol(close)?;
        Ok(items)
    }

    fn prefix(&mut self) -> Result<Ast, Refusal> {
        let at = self.at();
        let token = self.peek().clone();
        self.next += 1;
        match token {
            Token::Number(number) => self.node(at, Kind::Number(number)),
            Token::Text(text) => self.node(at, Kind::Text(text)),
            Token::Quoted(name) => self.node(at, Kind::Name(name)),
            Token::Symbol("(") => {
                let inner = self.expression(0)?;
                self.expect_symbol(")")?;
                Ok(inner)
            }
            Token::Symbol("+") => self.expression(power::SIGN),
            Token::Symbol("-") => self.negative(at),
            Token::Word(word) => self.word(at, word),
            found => {
                self.next -= 1;
                Err(self.refuse(format!("a value was expected, found {}", found.describe())))
            }
        }
    }

    /// The sign belongs to a literal, so that the least bigint can be written.
    fn negative(&mut self, at: usize) -> Result<Ast, Refusal> {
        if let Token::Number(number) = self.peek().clone() {
            self.next += 1;
            return self.node(at, Kind::Number(format!("-{number}")));
        }
        let value = self.expression(power::SIGN)?;
        self.node(at, Kind::Negate(Box::new(value)))
    }

    fn word(&mut self, at: usize, word: String) -> Result<Ast, Refusal> {
        let kind = match word.to_ascii_lowercase().as_str() {
            "null" => Kind::Null,
            "true" => Kind::Boolean(true),
            "false" => Kind::Boolean(false),
            "not" => Kind::Not(Box::new(self.expression(power::NOT)?)),
            "case" => self.case()?,
            "cast" => self.cast(OnMisfit::Reject)?,
            "try_cast" => self.cast(OnMisfit::Null)?,
            "date" if matches!(self.peek(), Token::Text(_)) => {
                Kind::Typed(ColumnType::Date, self.text("a date")?)
            }
            "timestamp" if matches!(self.peek(), Token::Text(_)) => {
                Kind::Typed(ColumnType::Timestamp, self.text("a timestamp")?)
            }
            lower if is_reserved(lower) => {
                return Err(Refusal::new(at, format!("a value was expected, found `{word}`"))
                    .hint(format!("a column of that name takes double quotes: \"{lower}\"")));
            }
            _ if self.take_symbol("(") => {
                let arguments = if self.take_symbol(")") { Vec::new() } else { self.list(")")? };
                Kind::Call(word, arguments)
            }
            _ => Kind::Name(word),
        };
        self.node(at, kind)
    }

    fn case(&mut self) -> Result<Kind, Refusal> {
        let operand = if self.is_word(0, "when") { None } else { Some(Box::new(self.expression(0)?)) };
        let mut whens = Vec::new();
        self.expect_word("when")?;
        loop {
            let when = self.expression(0)?;
            self.expect_word("then")?;
            whens.push((when, self.expression(0)?));
            if !self.take_word("when") {
                break;
            }
        }
        let otherwise = if self.take_word("else") { Some(Box::new(self.expression(0)?)) } else { None };
        self.expect_word("end")?;
        Ok(Kind::Case(operand, whens, otherwise))
    }

    fn cast(&mut self, on_misfit: OnMisfit) -> Result<Kind, Refusal> {
        self.expect_symbol("(")?;
        let value = self.expression(0)?;
        self.expect_word("as")?;
        let ty = self.ty()?;
        self.expect_symbol(")")?;
        Ok(Kind::Cast(Box::new(value), ty, on_misfit))
    }

    fn ty(&mut self) -> Result<ColumnType, Refusal> {
        let at = self.at();
        let name = self.name()?.to_ascii_lowercase();
        Ok(match name.as_str() {
            "boolean" | "bool" => ColumnType::Boolean,
            "bigint" | "int" | "integer" => ColumnType::Bigint,
            "double" | "float" | "real" => {
                self.take_word("precision");
                ColumnType::Double
            }
            "decimal" | "numeric" => return self.decimal(at),
            "string" | "text" | "json" => ColumnType::String,
            "date" => ColumnType::Date,
            "timestamp" => return self.timestamp(at),
            "varchar" | "char" => {
                return Err(
                    Refusal::new(at, "texts have no length limit here").hint("use string, or substr to cut")
                );
            }
            _ => {
                let hint = nearest(&name, TYPES.into_iter())
                    .unwrap_or("boolean, bigint, double, decimal(p,s), string, date or timestamp");
                return Err(
                    Refusal::new(at, format!("there is no type `{name}`")).hint(format!("use {hint}"))
                );
            }
        })
    }

    fn timestamp(&mut self, at: usize) -> Result<ColumnType, Refusal> {
        if !self.take_symbol("(") {
            return Ok(ColumnType::Timestamp);
        }
        let digits = match self.peek() {
            Token::Number(digits) if digits == "3" => ColumnType::Timestamp,
            Token::Number(digits) if digits == "6" => ColumnType::TimestampMicros,
            _ => {
                return Err(Refusal::new(at, "a timestamp has three or six digits of a second")
                    .hint("write timestamp for milliseconds, timestamp(6) for microseconds"));
            }
        };
        self.next += 1;
        self.expect_symbol(")")?;
        Ok(digits)
    }

    fn decimal(&mut self, at: usize) -> Result<ColumnType, Refusal> {
        let refusal = || {
            Refusal::new(at, "decimal needs its digits, 1 to 38 in all and no more than that after the point")
                .hint("for example decimal(12,2)")
        };
        let mut digits = [0_u8; 2];
        if !self.take_symbol("(") {
            return Err(refusal());
        }
        for (i, slot) in digits.iter_mut().enumerate() {
            if i == 1 && !self.take_symbol(",") {
                break;
            }
            let Token::Number(number) = self.peek() else { return Err(refusal()) };
            *slot = number.parse().map_err(|_| refusal())?;
            self.next += 1;
        }
        self.expect_symbol(")")?;
        let [precision, scale] = digits;
        if !(1..=38).contains(&precision) || scale > precision {
            return Err(refusal());
        }
        Ok(ColumnType::Decimal { precision, scale })
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

fn chain(op: Chain, left: Ast, right: Ast) -> Kind {
    match left.kind {
        Kind::Chain(same, mut terms) if same == op => {
            terms.push(right);
            Kind::Chain(op, terms)
        }
        _ => Kind::Chain(op, vec![left, right]),
    }
}

fn too_deep(at: usize) -> Refusal {
    Refusal::new(at, format!("the expression is nested more than {MAX_DEPTH} deep"))
        .hint("split it into several derived columns")
}
