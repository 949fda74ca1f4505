//! What is said about a dialect, each with the option to set.
//!
//! The decision to know: no text of the input is in it, only signs and numbers.

use crate::report::{Edit, Fix};

/// What a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The first line only says what the delimiter is.
    DelimiterLine,
    /// A rare delimiter was taken.
    Delimiter(u8),
    /// One column, whose values share a sign; there is a header.
    OneColumn(u8, bool),
    /// The delimiter stands twice each time.
    Several(u8),
    /// Quotes begin and end inside fields; by another delimiter they do not.
    Quotes(u8),
    /// The first line is none of the table.
    BeforeHeader {
        /// Lines before the header.
        lines: u32,
        /// Fields of the records from there on.
        fields: usize,
    },
    /// So many first lines are none of the table, and were left out.
    Preamble(u32),
    /// The header ends with a delimiter and the rows do not.
    HeaderEnds,
    /// The other way round.
    RowsEnd,
    /// Lines begin with `#`, and may be comments.
    Hash,
    /// A comment names the columns.
    Fields,
    /// The header looks like the rows.
    LikeData,
}

impl Note {
    /// Stable name of the warning.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::DelimiterLine => "delimiter_line",
            Self::Delimiter(_) => "delimiter_detected",
            Self::OneColumn(..) => "one_column",
            Self::Several(_) => "delimiter_of_several",
            Self::Quotes(_) => "delimiter_doubtful",
            Self::BeforeHeader { .. } | Self::Preamble(_) => "lines_before_header",
            Self::HeaderEnds | Self::RowsEnd => "delimiter_at_end",
            Self::Hash => "comment_doubtful",
            Self::Fields => "fields_in_comment",
            Self::LikeData => "header_doubtful",
        }
    }

    /// Whether records that are rejected may be so because of it.
    #[must_use]
    pub fn explains_rejects(self) -> bool {
        !matches!(
            self,
            Self::DelimiterLine
                | Self::Delimiter(_)
                | Self::Fields
                | Self::HeaderEnds
                | Self::RowsEnd
                | Self::Preamble(_)
        )
    }

    /// Whether an empty field at the end is none.
    #[must_use]
    pub fn is_trailing(self) -> bool {
        matches!(self, Self::HeaderEnds | Self::RowsEnd)
    }

    /// Lines that were left out.
    #[must_use]
    pub fn left_out(self) -> usize {
        if let Self::Preamble(lines) = self { lines as usize } else { 0 }
    }

    /// What a spec may say to it; more than one: a choice.
    #[must_use]
    pub fn fixes(self) -> Vec<Fix> {
        let fixes = match self {
            Self::OneColumn(sign, _) | Self::Quotes(sign) => vec![Edit::input("delimiter", quoted(sign))],
            Self::Hash => vec![Edit::input("comment", "\"#\""), Edit::input("comment", "\"none\"")],
            Self::LikeData => vec![Edit::input("header", "false")],
            Self::BeforeHeader { lines, .. } => vec![Edit::input("skip_lines", lines.to_string())],
            _ => Vec::new(),
        };
        fixes.into_iter().map(|edit| Fix(vec![edit])).collect()
    }

    /// What it says.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::DelimiterLine => {
                "the first line only names the delimiter (sep=) and was skipped".into()
            }
            Self::Delimiter(sign) => {
                let sign = quoted(sign);
                format!("each line has the same number of fields by {sign}, which was taken for the delimiter: delimiter = {sign} in [input] says so")
            }
            Self::OneColumn(sign, header) => {
                let sign = quoted(sign);
                let header = if header { ", and header = false if the first line names no columns" } else { "" };
                format!("the input was read as one column, but its lines have the same number of fields by {sign}: if that separates them, set delimiter = {sign} in [input]{header}")
            }
            Self::Several(sign) => {
                let sign = char::from(sign).escape_default();
                format!("fields seem to be separated by {sign}{sign}, but a delimiter of several characters is not read: {sign} was taken for it")
            }
            Self::Quotes(sign) => {
                let sign = quoted(sign);
                format!("quotes begin and end inside fields, which they do not by {sign}: if that separates fields, set delimiter = {sign} in [input]")
            }
            Self::BeforeHeader { lines, fields } => {
                let first = if lines == 1 { "first line is".into() } else { format!("first {lines} lines are") };
                format!("the {first} no header of what follows, which has {fields} fields a line: set skip_lines = {lines} in [input]")
            }
            Self::Preamble(lines) => {
                let first = if lines == 1 { "first line is".into() } else { format!("first {lines} lines are") };
                format!("the {first} none of the table below and left out: skip_lines = {lines} in [input] says so")
            }
            Self::HeaderEnds => "the header ends with a delimiter and the rows do not: its last, empty name was left out".into(),
            Self::RowsEnd => "the rows end with a delimiter and the header does not: their last, empty fields were left out".into(),
            Self::Hash => {
                "lines begin with #, and were read as records: if they are comments, set comment = \"#\" in [input], else comment = \"none\"".into()
            }
            Self::Fields => {
                "the columns have the names of a comment line, #Fields: comment, header and columns in [input] say so".into()
            }
            Self::LikeData => {
                "the first line was taken for the header, but looks like those below it: if it names no columns, set header = false in [input]".into()
            }
        }
    }
}

/// A sign as a spec writes it.
fn quoted(sign: u8) -> String {
    match sign {
        b'\t' => "\"\\t\"".into(),
        0..b' ' | 0x7f => format!("\"\\u{sign:04X}\""),
        _ => format!("\"{}\"", char::from(sign)),
    }
}
