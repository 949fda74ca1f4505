//! How a CSV is written: what the spec says, and what the text's beginning shows.

use crate::error::Failure;
use crate::input::csv::{CsvOptions, CsvTokenizer, Odd};
use crate::input::detect::DETECT_LIMIT;
use crate::input::dialect::{self, Dialect, HEAD, Head, Told};
use crate::spec::Input;

use super::super::super::source::Source;

/// What quotes are looked for by where there are none.
pub(super) const NO_QUOTE: u8 = b'"';

/// What one sweep for single signs cannot cut, if the spec says such a thing.
pub(super) fn odd_of(input: &Input, delimiter: Option<&str>) -> Option<Odd> {
    let (quote, escape) = (input.quote_sign(), input.escape.map(|sign| sign as u8));
    let delimiter = delimiter.unwrap_or_default().as_bytes().to_vec();
    // A quote that is escaped by itself is what doubling is.
    let is_odd = delimiter.len() > 1 || quote.is_none() || (escape.is_some() && escape != quote);
    is_odd.then_some(Odd { delimiter, quote, escape: escape.filter(|_| escape != quote) })
}

/// How the text is read that the source begins with; none while there is too little of it.
pub(super) fn dialect_of(
    source: &Source,
    input: &Input,
    delimiter: Option<u8>,
    odd: Option<&Odd>,
) -> Option<Dialect> {
    let told = Told {
        delimiter,
        odd,
        quote: input.quote_sign().unwrap_or(NO_QUOTE),
        comment: input.comment_prefix(),
        header: input.header,
    };
    let rest = source.rest();
    let beginning = |most: usize| {
        let text = &rest[..rest.len().min(most)];
        (source.finished || rest.len() >= most).then_some(text)
    };
    let text = beginning(HEAD)?;
    let whole = source.finished && text.len() == rest.len();
    dialect::detect(Head { text, whole }, &told).or_else(|| {
        // The first record is longer than that: as much of it decides as is waited for to know the format.
        dialect::detect(Head { text: beginning(DETECT_LIMIT)?, whole: true }, &told)
    })
}

/// What cuts records and fields.
///
/// # Errors
/// None that a user can cause.
pub(super) fn tokenizer_of(
    sign: u8,
    quote: u8,
    odd: Option<Odd>,
    delimiter: &str,
) -> Result<CsvTokenizer, Failure> {
    if let Some(odd) = odd {
        return Ok(CsvTokenizer::of_odd(Odd { delimiter: delimiter.as_bytes().to_vec(), ..odd }));
    }
    let options = CsvOptions::new(sign, quote);
    options.map(CsvTokenizer::new).ok_or_else(|| Failure::internal("the spec has signs that CSV cannot have"))
}
