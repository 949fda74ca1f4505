//! Mistakes in a configuration, each with its place.
//!
//! Not for errors of reading a file. The decision to know: mistakes are collected and not returned, so that
//! a person meets all of them in one go; what only follows from a mistake in the syntax is left out.

use std::cell::RefCell;
use std::ops::Range;

use serde::Serialize;

/// A place in the text, from 1; columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct At {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
}

/// Something in the configuration that must be changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Mistake {
    /// `lakegate.toml:3:14: message`, as compilers write it and editors read it.
    pub fn line_in(&self, file: &str) -> String {
        format!("{file}:{}:{}: {}", self.line, self.column, self.message)
    }
}

/// What is wrong with a value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Collects mistakes while the text is read.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: RefCell<Vec<Found>>,
}

struct Found {
    kind: Kind,
    mistake: Mistake,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// TOML itself is broken there.
    Syntax,
    /// Something that must be there is not.
    Missing,
    /// What is there is wrong.
    Wrong,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: RefCell::default() }
    }

    /// Where a byte offset is.
    pub(super) fn at(&self, offset: usize) -> At {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        At {
            line: before.matches('\n').count() as u64 + 1,
            column: before[line_start..].chars().count() as u64 + 1,
        }
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) {
        let span = error.span().unwrap_or_default();
        let message = error.message().lines().next().unwrap_or("this is not TOML");
        let message = match (message, self.text.get(span.clone())) {
            ("duplicate key", Some(key)) => format!("`{}` is there twice", key.trim()),
            _ => message.to_owned(),
        };
        self.push(Kind::Syntax, span, Wrong::new(message));
    }

    pub(super) fn missing(&self, offset: usize, wrong: Wrong) {
        self.push(Kind::Missing, offset..offset, wrong);
    }

    pub(super) fn wrong(&self, offset: usize, wrong: Wrong) {
        self.push(Kind::Wrong, offset..offset, wrong);
    }

    fn push(&self, kind: Kind, span: Range<usize>, wrong: Wrong) {
        let At { line, column } = self.at(span.start);
        let mistake = Mistake { line, column, message: wrong.message, hint: wrong.hint };
        self.found.borrow_mut().push(Found { kind, mistake });
    }

    /// All of them in the order of the text, each once: a wrong default is met by every pipeline.
    pub(super) fn into_sorted(self) -> Vec<Mistake> {
        let found = self.found.into_inner();
        let broken: Vec<u64> =
            found.iter().filter(|one| one.kind == Kind::Syntax).map(|one| one.mistake.line).collect();
        // Where the syntax is broken, what was read is a guess.
        let kept = |one: &Found| match one.kind {
            Kind::Syntax => true,
            Kind::Missing => broken.is_empty(),
            Kind::Wrong => !broken.contains(&one.mistake.line),
        };
        let mut mistakes: Vec<Mistake> = found.into_iter().filter(kept).map(|one| one.mistake).collect();
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}
