//! What stands before the table and behind it: lines that a spec says are none of it.
//!
//! For: leaving them out, however the input is cut. The decision to know: what the footer is counted from is the end of
//! the input, so that as many lines are held back as it has.

use regex_lite::Regex;

use crate::bytes::find_line_end;
use crate::error::{Code, Failure};
use crate::expr::pattern;
use crate::spec::Input;

use super::super::super::source::Source;

/// The lines before the header.
#[derive(Debug, Default)]
pub struct Preamble {
    /// So many are left out first.
    lines: usize,
    /// Then those before the first that is the header.
    header: Option<Header>,
}

/// What tells the header from the lines before it.
#[derive(Debug)]
enum Header {
    /// It begins so.
    Begins(Vec<u8>),
    /// It matches.
    Matches(Regex),
}

impl Header {
    /// Whether it is the line that the text begins with; none while too little of it is there.
    fn is_next(&self, rest: &[u8], finished: bool) -> Option<bool> {
        match self {
            Self::Begins(beginning) if rest.starts_with(beginning) => Some(true),
            Self::Begins(beginning) if beginning.starts_with(rest) && !finished => None,
            Self::Begins(_) => Some(false),
            Self::Matches(pattern) => {
                let end = find_line_end(rest).or(finished.then_some(rest.len()))?;
                Some(!rest.is_empty() && pattern.is_match(&String::from_utf8_lossy(&rest[..end])))
            }
        }
    }

    /// That no line is it.
    fn missing(&self) -> Failure {
        let (message, key) = match self {
            Self::Begins(beginning) => {
                let beginning = String::from_utf8_lossy(beginning);
                (format!("no line begins with {beginning:?}, as header_at says"), "header_at")
            }
            Self::Matches(pattern) => {
                (format!("no line matches {:?}, as header_matches says", pattern.as_str()), "header_matches")
            }
        };
        Failure::input(Code::SyntaxError, message).hint(format!("check {key} in [input]"))
    }
}

impl Preamble {
    /// As a spec says.
    pub fn new(input: &Input) -> Self {
        let begins = input.header_at.as_ref().map(|text| Header::Begins(text.clone().into_bytes()));
        // What is wrong with a pattern was said when the spec was read.
        let matches = || Some(Header::Matches(pattern(input.header_matches.as_deref()?).ok()?));
        Self { lines: input.skip_lines, header: begins.or_else(matches) }
    }

    /// Leaves them out; false while some of them are still to come.
    ///
    /// # Errors
    /// No line is the header.
    pub fn skip(&mut self, source: &mut Source) -> Result<bool, Failure> {
        loop {
            let rest = source.rest();
            let looks_for = match (&self.header, self.lines) {
                (None, 0) => return Ok(true),
                (Some(header), 0) => match header.is_next(rest, source.finished) {
                    None => return Ok(false),
                    Some(true) => {
                        self.header = None;
                        return Ok(true);
                    }
                    Some(false) => Some(header),
                },
                _ => None,
            };
            let next = match find_line_end(rest).map(|end| (end, &rest[end..])) {
                Some((end, [b'\r', b'\n', ..])) => end + 2,
                // The line feed of it may still come.
                Some((_, [b'\r'])) if !source.finished => return Ok(false),
                Some((end, _)) => end + 1,
                None if !source.finished => return Ok(false),
                None => {
                    if let Some(header) = looks_for {
                        return Err(header.missing());
                    }
                    rest.len()
                }
            };
            let is_end = rest.is_empty();
            let at = source.position() + next;
            source.advance_to(at);
            if is_end {
                *self = Self::default();
            }
            self.lines = self.lines.saturating_sub(1);
        }
    }
}

/// The lines behind the table.
#[derive(Debug, Default)]
pub struct Footer {
    /// So many at the end.
    lines: usize,
    /// The first of them begins so; empty where nothing says it.
    pub at: Vec<u8>,
}

impl Footer {
    /// As a spec says.
    pub fn new(input: &Input) -> Self {
        Self { lines: input.footer_lines, at: input.footer_at.clone().unwrap_or_default().into_bytes() }
    }

    /// What of the text that is there is surely no footer; `finished`: all is there.
    pub fn before<'a>(&self, text: &'a [u8], finished: bool) -> &'a [u8] {
        if self.lines == 0 {
            return text;
        }
        let is_closed = matches!(text.last(), None | Some(b'\n'));
        let whole = if finished && is_closed { text.len().saturating_sub(1) } else { text.len() };
        let mut ends = memchr::memrchr_iter(b'\n', &text[..whole]);
        // Of a line that is cut nobody knows whether it is one of the last.
        match ends.nth(self.lines - usize::from(finished)) {
            Some(end) => &text[..=end],
            None => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_counted_from_the_end() {
        let before = |lines, text: &'static str, finished| {
            let footer = Footer { lines, at: Vec::new() };
            String::from_utf8_lossy(footer.before(text.as_bytes(), finished)).into_owned()
        };
        assert_eq!(before(0, "a\nb", true), "a\nb");
        assert_eq!(before(1, "a\nb\n", true), "a\n");
        assert_eq!(before(1, "a\nb", true), "a\n");
        assert_eq!(before(2, "a\nb\nc\n", true), "a\n");
        assert_eq!(before(3, "a\nb\nc\n", true), "");
        assert_eq!(before(1, "a\nb\n", false), "a\n");
        assert_eq!(before(1, "a\nb", false), "");
        assert_eq!(before(1, "a\nb\nc", false), "a\n");
        assert_eq!(before(1, "", false), "");
    }
}
