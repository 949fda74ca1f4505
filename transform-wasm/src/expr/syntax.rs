//! The shape of an expression before names and types are known.
//!
//! For: what `parse` makes and `bind` reads. Not for: evaluation. The decision to know: chains of
//! `AND`, `OR` and `||` are one flat node, so that a long chain is not a deep tree, and every node
//! knows its depth, so that nothing downstream can run out of stack.

use crate::column::ColumnType;

/// Deepest tree. The smallest stack among the homes is 512 KiB; at this depth parsing, binding and
/// evaluation stay well below it.
pub(super) const MAX_DEPTH: u16 = 128;

/// One node.
#[derive(Debug)]
pub(super) struct Ast {
    /// Byte offset of what a message should point at.
    pub at: usize,
    pub kind: Kind,
    /// Nodes from here to the deepest leaf.
    pub depth: u16,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Boolean(bool),
    /// As written, with its sign.
    Number(String),
    Text(String),
    /// `DATE '…'` and `TIMESTAMP '…'`.
    Typed(ColumnType, String),
    Name(String),
    Call(String, Vec<Ast>),
    Negate(Box<Ast>),
    Not(Box<Ast>),
    Chain(Chain, Vec<Ast>),
    Arithmetic(Arithmetic, Box<Ast>, Box<Ast>),
    Compare(Comparison, Box<Ast>, Box<Ast>),
    Is(Box<Ast>, Is, Negated),
    In(Box<Ast>, Vec<Ast>, Negated),
    Between(Box<Ast>, Box<Ast>, Box<Ast>, Negated),
    Like(Box<Ast>, Box<Ast>, Option<char>, Negated),
    Case(Option<Box<Ast>>, Vec<(Ast, Ast)>, Option<Box<Ast>>),
    Cast(Box<Ast>, ColumnType, OnMisfit),
}

/// Whether `NOT` stands before the predicate.
pub(super) type Negated = bool;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    And,
    Or,
    Concat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that holds when both sides are swapped.
    pub(super) fn swapped(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Null,
    True,
    False,
}

/// `CAST` rejects the row, `TRY_CAST` gives null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnMisfit {
    Reject,
    Null,
}

impl Kind {
    /// The depth of the deepest child, 0 for a leaf.
    pub(super) fn depth_below(&self) -> u16 {
        let deepest = |nodes: &[Ast]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        match self {
            Self::Null
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Typed(..)
            | Self::Name(_) => 0,
            Self::Negate(a) | Self::Not(a) | Self::Is(a, ..) | Self::Cast(a, ..) => a.depth,
            Self::Arithmetic(_, a, b) | Self::Compare(_, a, b) | Self::Like(a, b, ..) => a.depth.max(b.depth),
            Self::Between(a, b, c, _) => a.depth.max(b.depth).max(c.depth),
            Self::Call(_, nodes) | Self::Chain(_, nodes) => deepest(nodes),
            Self::In(a, nodes, _) => a.depth.max(deepest(nodes)),
            Self::Case(operand, whens, otherwise) => {
                let ends = operand.iter().chain(otherwise).map(|node| node.depth);
                let arms = whens.iter().map(|(when, then)| when.depth.max(then.depth));
                ends.chain(arms).max().unwrap_or(0)
            }
        }
    }
}
