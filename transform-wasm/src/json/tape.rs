//! A record as a row of nodes in the order of its text, so that whoever looks at a value knows what is in it.
//!
//! For: records that are rewritten before they are read. The decision to know: sixteen bytes a value and no tree of
//! allocations; a node knows where the next value behind its own ones is, so that passing over one costs nothing.

use super::cursor::{Cursor, Reject, Stop};
use super::skip::{Care, Skipper};
use super::text::unescape;

/// Values of a record at most: what they take is then bounded beside its text.
const NODES: usize = 1 << 22;

/// What a value is, by the byte it begins with; of a key, nothing.
const KEY: u8 = 0;

#[derive(Clone, Copy, Debug)]
struct Node {
    /// First byte, and the one behind the last; of a key without its quotes.
    start: u32,
    end: u32,
    /// Number of the node behind all that is in it.
    next: u32,
    kind: u8,
}

/// The nodes; kept between records.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    /// The brackets that are open.
    open: Vec<usize>,
    skipper: Skipper,
}

impl Tape {
    /// Reads the value that begins at `at`, which is checked as a walk would; the position after it.
    ///
    /// # Errors
    /// See [`Stop`]; code `reshaped_too_large` where it has too many values.
    pub fn read(&mut self, cursor: &Cursor<'_>, at: usize, depth: usize) -> Result<usize, Stop> {
        let end = self.skipper.skip(cursor, at, depth, Care::All)?;
        self.nodes.clear();
        self.open.clear();
        let input = &cursor.input[..end];
        let mut at = at;
        loop {
            let Some(&byte) = input.get(at) else { return Ok(end) };
            if self.nodes.len() >= NODES || u32::try_from(end).is_err() {
                return Err(too_large(at));
            }
            at = match byte {
                b'{' | b'[' => {
                    self.open.push(self.nodes.len());
                    self.push(at, at + 1, byte);
                    at + 1
                }
                b'}' | b']' => {
                    let next = self.nodes.len() as u32;
                    if let Some(node) = self.open.pop().and_then(|open| self.nodes.get_mut(open)) {
                        node.end = at as u32 + 1;
                        node.next = next;
                    }
                    at + 1
                }
                b'"' => {
                    let (text, end) = cursor.string(at)?;
                    // It was checked: what a colon follows is a key.
                    if cursor.next(end).is_ok_and(|(_, byte)| byte == b':') && end < input.len() {
                        self.push(at + 1, at + 1 + text.raw.len(), KEY);
                    } else {
                        self.push(at, end, byte);
                    }
                    end
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => at + 1,
                _ => {
                    let length = input[at..].iter().position(|byte| b",}] \n\r\t".contains(byte));
                    let end = length.map_or(input.len(), |length| at + length);
                    self.push(at, end, byte);
                    end
                }
            };
        }
    }

    fn push(&mut self, start: usize, end: usize, kind: u8) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: end as u32, next, kind });
    }

    /// The value that was read from `input`.
    pub fn value<'a>(&'a self, input: &'a [u8]) -> Value<'a> {
        Value { nodes: &self.nodes, input, at: 0 }
    }
}

/// The reject of a record that is too much to be rewritten.
#[cold]
pub fn too_large(at: usize) -> Stop {
    Reject::at(
        "reshaped_too_large",
        "the record has too many values, or makes too much text, to be rewritten",
        at,
    )
    .into()
}

/// A value of a record.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    nodes: &'a [Node],
    input: &'a [u8],
    at: usize,
}

impl<'a> Value<'a> {
    fn node(&self) -> Node {
        self.nodes[self.at]
    }

    /// What tells it from every other value of its record.
    pub fn number(&self) -> usize {
        self.at
    }

    /// Its text as it stands.
    pub fn raw(&self) -> &'a [u8] {
        let Node { start, end, .. } = self.node();
        &self.input[start as usize..end as usize]
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.node().kind == b'{'
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.node().kind == b'['
    }

    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        self.node().kind == b'"'
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.node().kind == b'n'
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self.node().kind, b'-' | b'0'..=b'9')
    }

    /// Members of an object in their order: the raw text of each key, and its value. Of anything else none.
    pub fn members(&self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> + use<'a> {
        let (value, Node { next, kind, .. }) = (*self, self.node());
        let end = if kind == b'{' { next as usize } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let key = value.nodes[at];
            let of = Value { at: at + 1, ..value };
            at = of.node().next as usize;
            Some((&value.input[key.start as usize..key.end as usize], of))
        })
    }

    /// Elements of an array. Of anything else none.
    pub fn elements(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let (value, Node { next, kind, .. }) = (*self, self.node());
        let end = if kind == b'[' { next as usize } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let of = Value { at, ..value };
            if at >= end {
                return None;
            }
            at = of.node().next as usize;
            Some(of)
        })
    }

    /// The member of an object that has the key.
    pub fn get(&self, key: &[u8]) -> Option<Value<'a>> {
        self.members().find(|(raw, _)| is_key(raw, key)).map(|(_, value)| value)
    }

    /// The one member of an object that has no other.
    pub fn only(&self) -> Option<(&'a [u8], Value<'a>)> {
        let mut members = self.members();
        members.next().filter(|_| members.next().is_none())
    }

    /// A text as it stands between its quotes.
    pub fn quoted(&self) -> Option<&'a [u8]> {
        self.raw().strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// What a text stands for.
    pub fn text(&self) -> Option<Vec<u8>> {
        let raw = self.quoted()?;
        let mut text = Vec::with_capacity(raw.len());
        // It was read before: its escapes are right.
        unescape(raw, 0, &mut text).ok().map(|()| text)
    }
}

/// Whether a key, as it stands in a record, is that one.
pub fn is_key(raw: &[u8], key: &[u8]) -> bool {
    if !raw.contains(&b'\\') {
        return raw == key;
    }
    let mut text = Vec::new();
    unescape(raw, 0, &mut text).is_ok() && text == key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Tape, usize) {
        let mut tape = Tape::default();
        let cursor = Cursor { input: text.as_bytes(), complete: true };
        let end = tape.read(&cursor, 0, 16).unwrap();
        (tape, end)
    }

    #[test]
    fn a_record_is_read_to_its_end_and_no_further() {
        let text = r#"{"a" : [1, {"b": "x\"}"}, null ] , "k\u0065y":-2.5e3} {"more":1}"#;
        let (tape, end) = read(text);
        assert_eq!(&text[end..], r#" {"more":1}"#);
        let record = tape.value(text.as_bytes());
        assert!(record.is_object());
        assert_eq!(record.members().count(), 2);
        let array = record.get(b"a").unwrap();
        let elements: Vec<&[u8]> = array.elements().map(|value| value.raw()).collect();
        assert_eq!(elements, [&b"1"[..], br#"{"b": "x\"}"}"#, b"null"]);
        assert_eq!(array.elements().nth(1).unwrap().only().unwrap().1.text().unwrap(), b"x\"}");
        assert_eq!(record.get(b"key").unwrap().raw(), b"-2.5e3");
        assert!(record.get(b"b").is_none());
    }

    #[test]
    fn what_is_broken_is_told_where_it_is() {
        let mut tape = Tape::default();
        let cursor = Cursor { input: br#"{"a":1,"a":2}"#, complete: true };
        assert!(
            matches!(tape.read(&cursor, 0, 16), Err(Stop::Reject(reject)) if reject.code == "duplicate_key")
        );
        let cursor = Cursor { input: br#"{"a":tru}"#, complete: true };
        assert!(matches!(tape.read(&cursor, 0, 16), Err(Stop::Syntax { at: 5, .. })));
        let cursor = Cursor { input: br#"{"a":"#, complete: false };
        assert_eq!(tape.read(&cursor, 0, 16), Err(Stop::Incomplete));
    }

    #[test]
    fn empty_things_hold_nothing() {
        let (tape, _) = read(r#"{"a":{},"b":[],"c":""}"#);
        let input = br#"{"a":{},"b":[],"c":""}"#;
        let record = tape.value(input);
        assert!(record.get(b"a").unwrap().only().is_none());
        assert_eq!(record.get(b"b").unwrap().elements().count(), 0);
        assert_eq!(record.get(b"c").unwrap().text().unwrap(), b"");
    }
}
