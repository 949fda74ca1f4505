//! What a declared column may say, key by key: each only where the column's type has a use for it.

use std::collections::BTreeSet;

use super::check::{Checked, Mistake, check_name, check_path};
use super::{DeclaredColumn, Mask, TypeName};
use lakegate_model::tree;

use crate::column::ColumnType;
use crate::value::TimeFormat;

/// Types that a key is for, as a message names them and as a hint proposes them.
struct Wanted {
    has: fn(ColumnType) -> bool,
    named: &'static str,
    hint: &'static str,
}

const NUMBER: Wanted = Wanted {
    has: |ty| matches!(ty, ColumnType::Bigint | ColumnType::Double | ColumnType::Decimal { .. }),
    named: "bigint, double and decimal(p,s)",
    hint: "add type = \"double\" or type = \"decimal(p,s)\"",
};

const BOOLEAN: Wanted =
    Wanted { has: |ty| ty == ColumnType::Boolean, named: "boolean", hint: "add type = \"boolean\"" };

const TIME: Wanted = Wanted {
    has: |ty| ty == ColumnType::Date || ty.is_timestamp(),
    named: "date, timestamp and timestamp(6)",
    hint: "add type = \"date\" or type = \"timestamp\"",
};

const STRING: Wanted = Wanted {
    has: |ty| ty == ColumnType::String,
    named: "string",
    hint: "add type = \"string\", or mask = \"null\"",
};

const NO_JSON: Wanted = Wanted {
    has: |ty| ty != ColumnType::Json,
    named: "all but json",
    hint: "add the column's type, for example type = \"string\"",
};

impl DeclaredColumn {
    /// `decimal` is that of the input.
    pub(super) fn check(&self, decimal: char) -> Checked {
        check_name("column", &self.name)?;
        if let Some(from) = &self.from {
            check_path("from", from)?;
        }
        self.check_types()?;
        if let Some(format) = &self.format {
            TimeFormat::parse(format).map_err(|why| self.wrong("format", &why))?;
        }
        self.check_booleans()?;
        self.check_signs(self.decimal.unwrap_or(decimal))
    }

    /// A key that the column's type has no use for would be ignored.
    fn check_types(&self) -> Checked {
        for (key, given, wanted) in [
            ("format", self.format.is_some(), TIME),
            ("true_values", self.true_values.is_some(), BOOLEAN),
            ("false_values", self.false_values.is_some(), BOOLEAN),
            ("trim", self.trim, NO_JSON),
            ("thousands", self.thousands.is_some(), NUMBER),
            ("decimal", self.decimal.is_some(), NUMBER),
            ("strip", !self.strip.is_empty(), NUMBER),
            ("accounting", self.accounting, NUMBER),
            ("mask", self.mask == Some(Mask::Last4), STRING),
        ] {
            let fits = self.ty.is_some_and(|TypeName(ty)| (wanted.has)(ty));
            if given && !fits {
                let own = match self.ty {
                    Some(TypeName(ty)) => format!("is {ty}"),
                    None => "has no type".to_owned(),
                };
                let message =
                    format!("column `{}` {own}: {key} is for columns of type {}", self.name, wanted.named);
                return Err(Mistake::new(key, message).hint(wanted.hint));
            }
        }
        Ok(())
    }

    fn check_booleans(&self) -> Checked {
        for (key, texts) in [("true_values", &self.true_values), ("false_values", &self.false_values)] {
            if texts.as_ref().is_some_and(Vec::is_empty) {
                return Err(self.wrong(key, "it is empty, so that nothing could be such a value"));
            }
        }
        let (is_true, is_false) = self.booleans();
        let is_false: BTreeSet<&str> = tree(is_false);
        match is_true.iter().find(|text| is_false.contains(*text)) {
            Some(_) if self.true_values.is_none() || self.false_values.is_none() => {
                let (key, other) = if self.true_values.is_some() {
                    ("true_values", "false")
                } else {
                    ("false_values", "true")
                };
                Err(self
                    .wrong(key, &format!("it has the text \"{other}\", which means {other}"))
                    .hint("give both true_values and false_values"))
            }
            Some(text) => Err(self.wrong("true_values", &format!("\"{text}\" is among false_values too"))),
            None => Ok(()),
        }
    }

    /// Texts that mean true and false: `true` and `false` where only the other list is given.
    pub(crate) fn booleans(&self) -> (Vec<&str>, Vec<&str>) {
        (list(self.true_values.as_deref(), "true"), list(self.false_values.as_deref(), "false"))
    }

    /// Signs within numbers and texts around them: none may be what a number is written with.
    fn check_signs(&self, decimal: char) -> Checked {
        if self.decimal.is_some_and(|sign| !matches!(sign, '.' | ',')) {
            return Err(self.wrong("decimal", "it must be \".\" or \",\""));
        }
        let of_numbers = |sign: char| sign.is_ascii_digit() || "+-()".contains(sign);
        if let Some(sign) = self.thousands {
            if sign == decimal {
                let other = if decimal == '.' { "," } else { "." };
                return Err(self
                    .wrong("thousands", "it is the decimal sign too")
                    .hint(format!("set decimal = \"{other}\" in this column")));
            }
            if of_numbers(sign) || sign.is_alphabetic() {
                return Err(self
                    .wrong("thousands", "no digit, letter or sign can stand between digits")
                    .hint("usual ones are \".\", \",\", \"'\" and the blank"));
            }
        }
        for (number, text) in self.strip.iter().enumerate() {
            let key = format!("strip.{number}");
            let own = text.trim();
            if own.is_empty() {
                return Err(self
                    .wrong(&key, "a text is empty")
                    .hint("blanks around a number are taken off anyway"));
            }
            let is = |sign: char| own.chars().eq([sign]);
            if own.contains(of_numbers) || is(decimal) || self.thousands.is_some_and(is) {
                return Err(self
                    .wrong(&key, &format!("\"{own}\" may be part of a number"))
                    .hint("name what stands around the number, for example \"$\", \"%\" or \"EUR\""));
            }
        }
        Ok(())
    }

    fn wrong(&self, key: &str, why: &str) -> Mistake {
        let shown = key.split('.').next().unwrap_or(key);
        Mistake::new(key, format!("the {shown} of column `{}`: {why}", self.name))
    }
}

fn list<'a>(texts: Option<&'a [String]>, usual: &'static str) -> Vec<&'a str> {
    texts.map_or_else(|| vec![usual], |texts| texts.iter().map(String::as_str).collect())
}
