//! What looks wrong about a dialect: one column whose values share a separator, lines before the header, delimiters
//! of several characters.
//!
//! For: notes that name the option to set, and a delimiter that is rare but certain. The decision to know: a sign
//! that texts have too (blank, colon) is named and never taken.

use crate::bytes::count;

use super::super::csv::count_lines;
use super::Told;
use super::evidence::{Evidence, evidence};
use super::lines::{Lines, Picked, Seen};
use super::notes::Note;

/// What a condition on a record is asked of: the texts of its fields, and whether they are quoted.
type Fields<'a, 'b> = &'a mut dyn Iterator<Item = (&'b [u8], bool)>;

/// Whether a sign may separate fields: control characters are for nothing else.
fn separates(sign: u8) -> bool {
    matches!(sign, b',' | b';' | b'|' | b'~' | b'^' | b' ' | b':' | 0..b' ') && !matches!(sign, b'\n' | b'\r')
}

/// What was found: the delimiter, which may be a rare one, bytes of lines that are none of the table, and what there is
/// to say.
pub type Found = (u8, usize, Vec<Note>);

/// Looks at what was picked.
pub fn look(lines: &Lines<'_>, told: &Told<'_>, picked: &Picked, comment: &[u8]) -> Found {
    let look = Look { lines, told, comment };
    if told.header && picked.records.len() >= 2 {
        if let Some(note) = look.ends(picked) {
            return (picked.delimiter, 0, vec![note]);
        }
        if let Some((sign, skip, note)) = look.before_header(picked) {
            return (if skip > 0 { sign } else { picked.delimiter }, skip, vec![note]);
        }
    }
    let (delimiter, notes) = doubts(&look, told, picked);
    (delimiter, 0, notes)
}

fn doubts(look: &Look<'_>, told: &Told<'_>, picked: &Picked) -> (u8, Vec<Note>) {
    let lines = look.lines;
    let mut notes = Vec::new();
    let mut delimiter = picked.delimiter;
    let taken;
    let mut picked = picked;
    if picked.records.len() < 2 {
        return (delimiter, notes);
    }
    if picked.fields() == 1 {
        let Some((table, sign)) = look.separator(picked.delimiter) else { return (delimiter, notes) };
        if look.doubled(&table) {
            return (delimiter, vec![Note::Several(sign)]);
        }
        if !look.is_certain(&table, sign) {
            return (delimiter, vec![Note::OneColumn(sign, told.header)]);
        }
        notes.push(Note::Delimiter(sign));
        (taken, delimiter) = (table, sign);
        picked = &taken;
    } else if look.doubled(picked) {
        return (delimiter, vec![Note::Several(picked.delimiter)]);
    } else if told.odd.is_none()
        && !look.is_clean(picked)
        && let Some((_, sign)) = look.separator(picked.delimiter)
    {
        return (delimiter, vec![Note::Quotes(sign)]);
    }
    if told.header {
        let first = evidence(lines, delimiter, &picked.records);
        notes.extend((first == Evidence::Data && picked.fits()).then_some(Note::LikeData));
    }
    (delimiter, notes)
}

struct Look<'a> {
    lines: &'a Lines<'a>,
    told: &'a Told<'a>,
    comment: &'a [u8],
}

impl Look<'_> {
    /// How many records fit a condition on their fields: the texts, and whether they are quoted.
    fn count(&self, delimiter: u8, records: &[Seen], fits: &dyn Fn(Fields<'_, '_>) -> bool) -> usize {
        let Some(mut tokenizer) = self.lines.tokenizer(delimiter) else { return 0 };
        let mut fitting = 0;
        for seen in records {
            let text = &self.lines.text[seen.start..seen.end];
            if tokenizer.read(text, true).is_ok() {
                let fields = tokenizer.fields().iter().enumerate();
                let mut fields = fields.map(|(i, field)| (tokenizer.text(text, i), field.quoted));
                fitting += usize::from(fits(&mut fields));
            }
        }
        fitting
    }

    /// A sign by which all records have the same number of fields, or nearly all the same large one.
    fn separator(&self, besides: u8) -> Option<(Picked, u8)> {
        let second = Picked::new(self.lines, besides, self.comment).records.get(1).copied()?;
        let there = &self.lines.text[second.start..second.end];
        let mut best: Option<(Picked, u8)> = None;
        for sign in (1..b'\x7f').filter(|sign| *sign != besides && separates(*sign) && there.contains(sign)) {
            let table = Picked::new(self.lines, sign, self.comment);
            let more = best.as_ref().is_none_or(|(best, _)| table.fields() > best.fields());
            if more && is_table(&table) && self.is_clean(&table) {
                best = Some((table, sign));
            }
        }
        best
    }

    /// Whether a sign that separates fields of equal number can be nothing else.
    fn is_certain(&self, table: &Picked, sign: u8) -> bool {
        let least = match sign {
            b'~' | b'^' => 3,
            0..b' ' => 2,
            _ => return false,
        };
        self.told.delimiter.is_none() && table.is_table(least)
    }

    /// Whether most records have no quote that begins or ends inside a field.
    fn is_clean(&self, picked: &Picked) -> bool {
        let quote = self.lines.quote;
        let odd = |(text, quoted): (&[u8], bool)| !quoted && count(quote, text) % 2 == 1;
        2 * self.count(picked.delimiter, &picked.records, &|fields| {
            fields.filter(|field| odd(*field)).count() > 0
        }) <= picked.records.len()
    }

    /// Whether every second field is empty, in the first record and in all that are as long.
    fn doubled(&self, picked: &Picked) -> bool {
        let least = picked.fields();
        let every_second = |fields: Fields<'_, '_>| {
            let mut some = false;
            let empty = fields.enumerate().all(|(at, (text, quoted))| {
                some |= at % 2 == 0 && !text.is_empty();
                at >= least || at % 2 == 0 || (text.is_empty() && !quoted)
            });
            empty && some
        };
        let long: Vec<Seen> = picked.records.iter().filter(|seen| seen.fields >= least).copied().collect();
        least >= 3
            && least % 2 == 1
            && self.count(picked.delimiter, &long[..1], &every_second) == 1
            && self.count(picked.delimiter, &long, &every_second) == long.len()
    }

    /// The lines before the one from which on nearly all records have the same number of fields.
    fn before_header(&self, picked: &Picked) -> Option<(u8, usize, Note)> {
        let (alike, rest) = picked.alike();
        if 2 * alike > rest {
            return None;
        }
        let signs = match self.told.delimiter {
            Some(told) => vec![told],
            None => b",;\t|".to_vec(),
        };
        signs.into_iter().find_map(|sign| {
            let records = Picked::new(self.lines, sign, self.comment).records;
            let last = records.iter().rev().nth(usize::from(records.len() > 3))?.fields;
            let first = records.iter().position(|seen| seen.fields == last)?;
            let table = &records[first..];
            let alike = table.iter().filter(|seen| seen.fields == last).count();
            let is_one = last >= 2 && first >= 1 && alike >= 2 && 4 * alike >= 3 * table.len();
            let lines = count_lines(&self.lines.text[..table[0].start]);
            // Titles have one field, and names stand over numbers: nothing else can be meant.
            let titles = records[..first].iter().all(|seen| seen.fields <= 1);
            if is_one && titles && evidence(self.lines, sign, table) == Evidence::Header {
                return Some((sign, table[0].start, Note::Preamble(lines)));
            }
            is_one.then_some((sign, 0, Note::BeforeHeader { lines, fields: last }))
        })
    }

    /// A delimiter at the end of the header or of the rows alone.
    fn ends(&self, picked: &Picked) -> Option<Note> {
        let header = picked.fields();
        if header < 2 {
            return None;
        }
        let most = |fields: usize| {
            let rest = &picked.records[1..];
            2 * rest.iter().filter(|seen| seen.fields == fields).count() > rest.len()
        };
        let last_is_empty = |at: usize| {
            let last = |fields: Fields<'_, '_>| fields.last().is_some_and(|(text, _)| text.is_empty());
            self.count(picked.delimiter, &picked.records[at..=at], &last) == 1
        };
        if most(header - 1) && last_is_empty(0) {
            return Some(Note::HeaderEnds);
        }
        (most(header + 1) && last_is_empty(1)).then_some(Note::RowsEnd)
    }
}

/// All records alike, or four of five where there are many fields.
fn is_table(picked: &Picked) -> bool {
    let (alike, rest) = picked.alike();
    picked.is_table(2) || (picked.fields() >= 4 && rest >= 4 && 5 * alike >= 4 * rest)
}
