//! Lines that begin with `#`: comments, a header, or records.
//!
//! For: what a spec does not say. The decision to know: such a line is a comment where it has another number of
//! fields than the records around it, and a record where it has as many; a header may begin with `#` too. What the
//! prefix `#` cannot tell apart, a longer one may: `##` before the header `#CHROM`.

use crate::bytes::find;

use super::Told;
use super::evidence::{Evidence, evidence};
use super::lines::{Lines, Picked, Seen, pick};
use super::notes::Note;

/// What begins a comment where nobody says so.
const HASH: &[u8] = b"#";

/// What tells comments from records, the shortest first.
const PREFIXES: [&[u8]; 3] = [HASH, b"##", b"# "];

/// What is found.
pub struct Found {
    /// The records between the comments.
    pub picked: Picked,
    /// What begins a comment; empty where nothing does.
    pub comment: Vec<u8>,
    /// Names that a comment has for the columns.
    pub names: Vec<String>,
    /// What is not certain.
    pub note: Option<Note>,
}

/// Whether any line begins with `#`, inside quotes or not.
pub fn may_be(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(found) = find(b'#', &text[from..]) {
        let at = from + found;
        if at == 0 || matches!(text[at - 1], b'\n' | b'\r') {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Looks at the lines that begin with `#`; `plain` has them all as records.
pub fn sort(lines: &Lines<'_>, told: &Told<'_>, plain: Picked) -> Found {
    let as_records = |picked, note| Found { picked, comment: Vec::new(), names: Vec::new(), note };
    let leads = plain.records.first().is_some_and(|seen| lines.text[seen.start..].starts_with(HASH));
    if let Some(found) = named_fields(lines, told).filter(|_| leads && told.header) {
        return found;
    }
    let mut apart = match leads && !stands(lines, told, &plain) {
        true => pick(lines, told.delimiter, HASH),
        false => Picked::new(lines, plain.delimiter, HASH),
    };
    if apart.records.is_empty() {
        return as_records(plain, None);
    }
    let own_header = leads && stands(lines, told, &plain);
    let seen = lines.cut(apart.delimiter, HASH, usize::MAX);
    let sorted = Sorted::new(lines, told, &apart, &seen);
    if sorted.fields < 2 {
        let asides = seen.iter().filter(|line| line.aside).count();
        let few = 2 * asides < seen.len();
        return as_records(plain, (leads || few).then_some(Note::Hash));
    }
    // Between records, a line with delimiters may as well be a broken record, which is rejected and kept.
    let certain = sorted.leading || sorted.comments.iter().all(|line| line.fields == 1);
    if sorted.comments.is_empty() || !certain {
        let unsure = own_header && evidence(lines, apart.delimiter, &apart.records) == Evidence::None;
        return as_records(plain, unsure.then_some(Note::Hash));
    }
    let begins = |line: &&Seen, prefix: &[u8]| lines.text[line.start..].starts_with(prefix);
    let tells = |prefix: &&[u8]| {
        sorted.comments.iter().all(|line| begins(line, prefix))
            && !sorted.kept.iter().any(|line| begins(line, prefix))
    };
    let Some(prefix) = PREFIXES.into_iter().find(|prefix| tells(prefix)) else {
        return as_records(plain, Some(Note::Hash));
    };
    apart = Picked::new(lines, apart.delimiter, prefix);
    Found { picked: apart, comment: prefix.to_vec(), names: Vec::new(), note: None }
}

/// Whether the first line, which begins with `#`, is the header that it would be without the sign.
fn stands(lines: &Lines<'_>, told: &Told<'_>, plain: &Picked) -> bool {
    let below = || evidence(lines, plain.delimiter, &Picked::new(lines, plain.delimiter, HASH).records);
    plain.fits() && (!told.header || below() != Evidence::Header)
}

/// The lines that begin with `#`, sorted.
struct Sorted<'a> {
    /// Fields of a record.
    fields: usize,
    comments: Vec<&'a Seen>,
    /// A header or records.
    kept: Vec<&'a Seen>,
    /// Some comment stands before the first record.
    leading: bool,
}

impl<'a> Sorted<'a> {
    fn new(lines: &Lines<'_>, told: &Told<'_>, apart: &Picked, seen: &'a [Seen]) -> Self {
        let fields = apart.fields();
        let before = seen.iter().take_while(|line| line.aside).count();
        let names_below = told.header && evidence(lines, apart.delimiter, &apart.records) == Evidence::Header;
        let mut sorted = Self { fields, comments: Vec::new(), kept: Vec::new(), leading: false };
        for (index, line) in seen.iter().enumerate().filter(|(_, line)| line.aside) {
            // Of those before the records, only the last can be a header.
            let may_be_record = !told.header || index + 1 >= before;
            let is_comment = line.fields != fields || !may_be_record || (index < before && names_below);
            if is_comment {
                sorted.comments.push(line);
                sorted.leading |= index < before;
            } else {
                sorted.kept.push(line);
            }
        }
        sorted
    }
}

/// A log that names its fields in a comment, as those of the W3C's form do: `#Fields: date time …`.
fn named_fields(lines: &Lines<'_>, told: &Told<'_>) -> Option<Found> {
    let seen = lines.cut(b'\t', HASH, 1);
    let line = seen
        .iter()
        .filter(|line| line.aside)
        .find_map(|line| fields_line(&lines.text[line.start..line.end]))?;
    let names: Vec<String> = line
        .split(u8::is_ascii_whitespace)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if names.is_empty() || twice {
        return None;
    }
    let tries = [b'\t', b' ', b','].map(|sign| Picked::new(lines, told.delimiter.unwrap_or(sign), HASH));
    let mut fitting =
        tries.into_iter().filter(|picked| picked.fields() == names.len() || picked.records.is_empty());
    let picked = fitting.next().unwrap_or_else(|| pick(lines, told.delimiter, HASH));
    Some(Found { picked, comment: HASH.to_vec(), names, note: Some(Note::Fields) })
}

/// What a line `#Fields: …` has after the colon, which may be a blank in other logs.
pub fn fields_line(line: &[u8]) -> Option<&[u8]> {
    let (word, rest) = line.split_at_checked(b"#fields".len())?;
    let [b':' | b' ' | b'\t', names @ ..] = rest else { return None };
    word.eq_ignore_ascii_case(b"#fields").then_some(names.trim_ascii())
}
