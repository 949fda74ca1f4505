//! What paths of a spec make of a record's values: texts that hold JSON, arrays that are read by position, and rows
//! that lie several levels down.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::json::tape::{Tape, Value, is_key, too_large};
use crate::json::{Cursor, Reject, Stop, unescape};
use crate::limits::Limits;
use crate::names::{plain_name, pointer_keys};
use crate::spec::RowsPath;

/// Spellings of keys that a path remembers; others are looked at each time they come.
const ALIKE: usize = 64;

/// What is done at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A text that is an object or array as JSON writes it becomes that.
    Parse,
    /// An array becomes an object whose keys are the positions.
    Position,
    /// What lies several levels down becomes the elements of one array, each with what stands above it.
    Rows(Arc<RowsPath>),
}

/// The paths at which something is done, as a tree.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    nodes: Vec<Node>,
    /// The text of a record may be so long when it is written anew.
    most: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(String, u32)>,
    /// Keys that the naming rule makes the same as one of them.
    alike: BTreeMap<Vec<u8>, Option<u32>>,
    act: Option<Act>,
}

/// One of the elements that make rows.
#[derive(Clone, Copy, Debug)]
enum Element<'a> {
    Value(Value<'a>),
    /// A member of an object.
    Member(&'a [u8], Value<'a>),
    /// There is none.
    Null,
}

/// What stands in the place of a value.
type Chosen<'a> = Vec<(usize, Element<'a>)>;

impl Paths {
    /// None at all; a record may come to `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { nodes: vec![Node::default()], most }
    }

    /// Whether nothing is done anywhere.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(|node| node.act.is_none())
    }

    /// Does that at a pointer; false where another act is done there.
    pub fn add(&mut self, pointer: &str, act: &Act) -> bool {
        let mut node = 0;
        for key in pointer_keys(pointer) {
            let found = self.nodes[node].children.iter().find(|(known, _)| *known == key);
            node = match found {
                Some((_, child)) => *child as usize,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[node].children.push((key, child as u32));
                    child
                }
            };
        }
        let held = self.nodes[node].act.get_or_insert_with(|| act.clone());
        held == act
    }

    /// Appends a record as it becomes.
    ///
    /// # Errors
    /// Codes `type_mismatch` and `reshaped_too_large`.
    pub fn write(&mut self, record: Value<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.value(Some(0), record, &Vec::new(), out)
    }

    fn value(
        &mut self,
        node: Option<u32>,
        value: Value<'_>,
        chosen: &Chosen<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if out.len() > self.most {
            return Err(too_large(0));
        }
        if let Some((_, element)) = chosen.iter().find(|(number, _)| *number == value.number()) {
            return self.element(node, *element, chosen, out);
        }
        // Below every act, and with nothing to put in: as it stands.
        let Some(at) = node.map(|node| node as usize) else {
            if chosen.is_empty() {
                out.extend_from_slice(value.raw());
                return Ok(());
            }
            return self.within(None, value, chosen, out);
        };
        match self.nodes[at].act.clone() {
            Some(Act::Parse) if value.is_text() => self.parsed(at as u32, value, out),
            Some(Act::Position) if value.is_array() || value.is_object() => {
                self.positions(at as u32, value, out)
            }
            Some(Act::Rows(rows)) => self.rows(at as u32, value, &rows, out),
            _ => self.within(node, value, chosen, out),
        }
    }

    /// The members of an object, or the elements of an array, which have the paths of their array.
    fn within(
        &mut self,
        node: Option<u32>,
        value: Value<'_>,
        chosen: &Chosen<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let mut first = true;
        if value.is_object() {
            out.push(b'{');
            for (key, of) in value.members() {
                push_key(out, &mut first, key);
                let child = node.and_then(|node| self.child(node, key));
                self.value(child, of, chosen, out)?;
            }
            out.push(b'}');
        } else if value.is_array() {
            out.push(b'[');
            for of in value.elements() {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                self.value(node, of, chosen, out)?;
            }
            out.push(b']');
        } else {
            out.extend_from_slice(value.raw());
        }
        Ok(())
    }

    fn element(
        &mut self,
        node: Option<u32>,
        element: Element<'_>,
        chosen: &Chosen<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        match element {
            Element::Null => out.extend_from_slice(b"null"),
            Element::Value(value) => self.within(node, value, chosen, out)?,
            Element::Member(key, value) => {
                out.extend_from_slice(b"{\"key\":\"");
                out.extend_from_slice(key);
                out.extend_from_slice(b"\",\"value\":");
                let below = node.and_then(|node| self.child(node, b"value"));
                // Its number is that of the value itself: what is in it may be chosen, it is not.
                self.within(below, value, chosen, out)?;
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// The child of a path that a key, as it stands in a record, means.
    fn child(&mut self, node: u32, raw: &[u8]) -> Option<u32> {
        let Node { children, alike, .. } = &mut self.nodes[node as usize];
        if children.is_empty() {
            return None;
        }
        if let Some((_, child)) = children.iter().find(|(key, _)| is_key(raw, key.as_bytes())) {
            return Some(*child);
        }
        if let Some(known) = alike.get(raw) {
            return *known;
        }
        let mut text = Vec::new();
        let _ = unescape(raw, 0, &mut text);
        let plain = plain_name(&String::from_utf8_lossy(&text));
        let found = children.iter().find(|(key, _)| plain_name(key) == plain).map(|(_, child)| *child);
        if alike.len() < ALIKE {
            alike.insert(raw.to_vec(), found);
        }
        found
    }

    fn parsed(&mut self, node: u32, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        let text = value.text().unwrap_or_default();
        let mut tape = Tape::default();
        let begins = text.iter().position(|byte| !byte.is_ascii_whitespace());
        if begins.is_some_and(|at| matches!(text[at], b'{' | b'[')) {
            let cursor = Cursor { input: &text, complete: true };
            let read = tape.read(&cursor, 0, Limits::DEPTH_CEILING);
            if read.is_ok_and(|end| text[end..].trim_ascii().is_empty()) {
                return self.within(Some(node), tape.value(&text), &Vec::new(), out);
            }
        }
        out.extend_from_slice(value.raw());
        Ok(())
    }

    fn positions(&mut self, node: u32, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        // One object where others have an array of them is its one element.
        let lone = value.is_object().then_some(value);
        let mut first = true;
        out.push(b'{');
        for (position, of) in lone.into_iter().chain(value.elements()).enumerate() {
            let key = position.to_string();
            push_key(out, &mut first, key.as_bytes());
            let child = self.child(node, key.as_bytes());
            match lone {
                Some(_) => self.within(child, of, &Vec::new(), out)?,
                None => self.value(child, of, &Vec::new(), out)?,
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// The array of all rows.
    fn rows(&mut self, node: u32, value: Value<'_>, rows: &RowsPath, out: &mut Vec<u8>) -> Result<(), Stop> {
        if value.is_null() {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        out.push(b'[');
        let mut exploding = Exploding { paths: self, node, rows, chosen: Vec::new(), first: true, out };
        for element in elements(value, rows.0[0].map, || rows.pointer())? {
            exploding.level(element, element, 1)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// Rows that lie several levels down, on their way into one array.
struct Exploding<'a, 'v> {
    paths: &'a mut Paths,
    node: u32,
    rows: &'a RowsPath,
    /// What stands in the place of each level's array.
    chosen: Chosen<'v>,
    first: bool,
    out: &'a mut Vec<u8>,
}

impl<'v> Exploding<'_, 'v> {
    /// The rows of an element that a level above `level` has; `outer` is the one of the first.
    fn level(&mut self, outer: Element<'v>, here: Element<'v>, level: usize) -> Result<(), Stop> {
        let next = self.rows.0.get(level);
        let Some((inner, next)) = next.and_then(|next| Some((found(here, &next.keys)?, next))) else {
            if !std::mem::take(&mut self.first) {
                self.out.push(b',');
            }
            return self.paths.element(Some(self.node), outer, &self.chosen, self.out);
        };
        let pointer = || format!("{}/*/{}", self.rows.pointer(), next.keys.join("/"));
        let mut all = elements(inner, next.map, pointer)?;
        if all.is_empty() {
            all.push(Element::Null);
        }
        for element in all {
            self.chosen.push((inner.number(), element));
            self.level(outer, element, level + 1)?;
            self.chosen.pop();
        }
        Ok(())
    }
}

fn push_key(out: &mut Vec<u8>, first: &mut bool, key: &[u8]) {
    out.extend_from_slice(if std::mem::take(first) { b"\"" } else { b",\"" });
    out.extend_from_slice(key);
    out.extend_from_slice(b"\":");
}

/// What makes rows of a value: elements, members, or the one object that stands where there may be an array.
fn elements<'v>(value: Value<'v>, map: bool, pointer: impl Fn() -> String) -> Result<Vec<Element<'v>>, Stop> {
    if map && value.is_object() {
        return Ok(value.members().map(|(key, of)| Element::Member(key, of)).collect());
    }
    if map && !value.is_null() {
        let message = "the value is no object, but rows wants one here, whose members are its rows";
        let reject = Reject::at("type_mismatch", message, 0);
        return Err(Reject { path: Some(pointer()), ..reject }.into());
    }
    Ok(match () {
        () if value.is_array() => value.elements().map(Element::Value).collect(),
        () if value.is_null() => Vec::new(),
        () => vec![Element::Value(value)],
    })
}

/// The value at keys below an element.
fn found<'v>(element: Element<'v>, keys: &[String]) -> Option<Value<'v>> {
    let (Element::Value(mut value) | Element::Member(_, mut value)) = element else { return None };
    for key in keys {
        value = value.get(key.as_bytes())?;
    }
    Some(value)
}
