//! Values as people write them, by the keys of a column: texts that are null, true or false, blanks, currency
//! and percent signs, grouped digits, negatives in parentheses.
//!
//! For: the spec's `null_values`, `true_values`, `trim`, `thousands` and the like. Not for guessing: a text that is
//! not exactly as the column says does not fit. The decision to know: a cleaned number is a text again, which is
//! read as every other one is; a column without such keys never comes here.

use crate::column::Column;
use crate::spec::DeclaredColumn;
use crate::value::Misfit;

use super::FieldRules;
use super::convert::{Refusal, Token, put_scalar};
use super::losses::Losses;
use super::plan::Target;

/// Texts as they stand in the input.
type Texts = Vec<Vec<u8>>;

/// What a column's keys say about its values.
#[derive(Clone, Debug)]
pub struct Clean {
    /// Texts that are null, instead of the input's.
    nulls: Option<Texts>,
    /// Texts that are true, and those that are false.
    booleans: Option<(Texts, Texts)>,
    trim: bool,
    /// How numbers are written, where the column says so.
    number: Option<Written>,
}

/// How numbers are written.
#[derive(Clone, Debug)]
struct Written {
    decimal: u8,
    /// Between groups of three digits.
    thousands: Option<Vec<u8>>,
    /// Around a number, the longest first.
    strip: Vec<String>,
    accounting: bool,
}

impl Clean {
    /// What a column's keys say; none where it has no such key. `decimal` is the input's sign.
    pub(super) fn of(column: &DeclaredColumn, decimal: char) -> Option<Box<Self>> {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        let all = |texts: &Vec<String>| texts.iter().map(|text| text.clone().into_bytes()).collect();
        let booleans = (column.true_values.is_some() || column.false_values.is_some()).then(|| {
            let (is_true, is_false) = column.booleans();
            (texts(&is_true), texts(&is_false))
        });
        let written = column.thousands.is_some()
            || column.decimal.is_some()
            || !column.strip.is_empty()
            || column.accounting;
        let number = written.then(|| Written {
            decimal: column.decimal.unwrap_or(decimal) as u8,
            thousands: column.thousands.map(|sign| sign.to_string().into_bytes()),
            strip: longest_first(&column.strip),
            accounting: column.accounting,
        });
        let clean = Self { nulls: column.null_values.as_ref().map(all), booleans, trim: column.trim, number };
        let any = clean.nulls.is_some() || clean.booleans.is_some() || clean.trim || clean.number.is_some();
        any.then(|| Box::new(clean))
    }

    fn is_null(&self, text: &[u8], field: Option<FieldRules<'_>>) -> bool {
        let is_among = |nulls: &[Vec<u8>]| nulls.iter().any(|null| null == text);
        match (&self.nulls, field) {
            (_, Some(_)) if text.is_empty() => true,
            (Some(nulls), _) => is_among(nulls),
            (None, Some(field)) => is_among(field.nulls),
            (None, None) => false,
        }
    }

    /// Whether a scalar of JSON is null here.
    pub(super) fn drops(&self, token: Token<'_>) -> bool {
        self.is_null(token.text(), None)
    }

    /// Whether a CSV field is null here.
    pub(super) fn drops_field(&self, text: &[u8], rules: FieldRules<'_>) -> bool {
        self.is_null(text, Some(rules))
    }

    /// The boolean that a scalar is by the lists of texts.
    fn boolean(
        token: Token<'_>,
        text: &[u8],
        is_true: &[Vec<u8>],
        is_false: &[Vec<u8>],
    ) -> Result<bool, Misfit> {
        let is_among = |texts: &[Vec<u8>]| texts.iter().any(|known| known == text);
        match token {
            _ if is_among(is_true) => Ok(true),
            _ if is_among(is_false) => Ok(false),
            Token::Boolean(value) => Ok(value),
            Token::Text(_) | Token::Number(..) => Err(Misfit::NotABoolean),
        }
    }
}

/// Puts a scalar into a column by the keys of its own; false where it is null, and nothing was put. `field` is
/// what the input says of a CSV field, `scratch` where a cleaned number is written.
#[cold]
pub(super) fn put_clean(
    column: &mut Column,
    target: &Target,
    clean: &Clean,
    token: Token<'_>,
    field: Option<FieldRules<'_>>,
    losses: &mut Losses,
    scratch: &mut Vec<u8>,
) -> Result<bool, Refusal> {
    let raw = token.text();
    let text = if clean.trim { trimmed(raw) } else { raw };
    if clean.is_null(raw, field) || clean.is_null(text, field) {
        return Ok(false);
    }
    // Blanks around a CSV field that is no string are nothing.
    let is_bare = field.is_some() && !target.ty.is_text();
    let text = if is_bare { text.trim_ascii() } else { text };
    let mut decimal = field.map_or(b'.', |field| field.decimal);
    let token = match (token, &clean.booleans, &clean.number) {
        (_, Some((is_true, is_false)), _) => Token::Boolean(Clean::boolean(token, text, is_true, is_false)?),
        (Token::Text(_), _, Some(written)) => {
            scratch.clear();
            written.plain(text, scratch)?;
            decimal = written.decimal;
            Token::Text(scratch)
        }
        (Token::Text(_), ..) => Token::Text(text),
        _ => token,
    };
    put_scalar(column.slots(), target, token, decimal, losses).map(|()| true)
}

impl Written {
    /// Appends the number that a text holds, without what stands around it and between its digits.
    fn plain(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Misfit> {
        let mut rest = self.stripped(trimmed(text));
        let mut negative = false;
        if self.accounting && rest.len() >= 2 && rest[0] == b'(' && rest[rest.len() - 1] == b')' {
            negative = true;
            rest = self.stripped(trimmed(&rest[1..rest.len() - 1]));
        } else if let Some((sign @ (b'-' | b'+'), after)) = rest.split_first() {
            negative = *sign == b'-';
            rest = self.stripped(trimmed(after));
        }
        // One sign is enough.
        if !rest.first().is_some_and(|first| first.is_ascii_digit() || *first == self.decimal) {
            return Err(Misfit::NotANumber);
        }
        if negative {
            out.push(b'-');
        }
        match &self.thousands {
            Some(sign) => self.ungrouped(rest, sign, out),
            None => {
                out.extend_from_slice(rest);
                Ok(())
            }
        }
    }

    /// Takes the texts that may stand around a number off both ends, one from each.
    fn stripped<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let front = self.strip.iter().find_map(|strip| text.strip_prefix(strip.as_bytes()));
        let text = trimmed(front.unwrap_or(text));
        let back = self.strip.iter().find_map(|strip| text.strip_suffix(strip.as_bytes()));
        trimmed(back.unwrap_or(text))
    }

    /// Takes the signs between groups of digits out: one to three digits, then three each.
    fn ungrouped(&self, text: &[u8], sign: &[u8], out: &mut Vec<u8>) -> Result<(), Misfit> {
        let whole = text.iter().position(|byte| *byte == self.decimal || matches!(byte, b'e' | b'E'));
        let (mut whole, rest) = text.split_at(whole.unwrap_or(text.len()));
        let first = whole.iter().take_while(|byte| byte.is_ascii_digit()).count();
        out.extend_from_slice(&whole[..first]);
        whole = &whole[first..];
        if !whole.is_empty() && !(1..=3).contains(&first) {
            return Err(Misfit::NotANumber);
        }
        while !whole.is_empty() {
            let group =
                whole.strip_prefix(sign).and_then(|after| after.get(..3)).ok_or(Misfit::NotANumber)?;
            if !group.iter().all(u8::is_ascii_digit) {
                return Err(Misfit::NotANumber);
            }
            out.extend_from_slice(group);
            whole = &whole[sign.len() + 3..];
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

/// A text without the blanks around it, those of Unicode too.
fn trimmed(text: &[u8]) -> &[u8] {
    // What is not UTF-8 was rejected before it came here.
    str::from_utf8(text).map_or(text, |text| text.trim().as_bytes())
}

fn longest_first(texts: &[String]) -> Vec<String> {
    let mut texts: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    texts
}
