//! Value conventions: how a program writes what JSON has no way to write, read as what it means.
//!
//! For: one file a convention, each a few lines. `ALL` lists them; `docs/extending.md` shows how to add one. The
//! decision to know: a convention rewrites a record before anything else looks at it, so that columns, types and
//! every option of a spec mean the plain values. It never fails: what is not as the convention has it stays as it
//! came, and is judged as any other value.

use crate::json::tape::Value;
use crate::names::pointer_push;

mod connect;
mod dynamodb;
mod mongodb;
mod otlp;
mod writer;

pub use writer::Writer;

/// How values of one kind of program are written.
pub struct Convention {
    /// As a spec names it.
    pub name: &'static str,
    /// Writes a record; most are written as any value is.
    pub record: fn(Value<'_>, &mut Writer<'_>),
    /// Writes what an object or array stands for; false where it is nothing of the convention's.
    pub value: fn(Value<'_>, &mut Writer<'_>) -> bool,
    /// What of the paths that records have shows that they are written so, if anything does.
    pub shows: fn(&dyn Paths) -> Option<String>,
}

/// All of them.
pub static ALL: [&Convention; 5] =
    [&connect::DEBEZIUM, &connect::KAFKA_CONNECT, &dynamodb::DYNAMODB, &mongodb::MONGODB, &otlp::OTLP];

impl std::fmt::Debug for Convention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A record that is written as any value is.
fn as_any_value(record: Value<'_>, writer: &mut Writer<'_>) {
    writer.value(record);
}

/// The paths that records have, as a tree; node 0 is the record.
pub trait Paths {
    /// The keys of the objects at a node, in the order of their first places, and the node of each.
    fn children(&self, node: u32) -> Vec<(&[u8], u32)>;
    /// The node of the elements of the arrays at a node.
    fn element(&self, node: u32) -> Option<u32>;
}

/// The node below a key.
fn below(paths: &dyn Paths, node: u32, key: &[u8]) -> Option<u32> {
    paths.children(node).into_iter().find(|(known, _)| *known == key).map(|(_, child)| child)
}

/// The first path at which `is_one` is true of the keys of the objects there, as people read it.
fn object_where(paths: &dyn Paths, is_one: impl Fn(&[(&[u8], u32)]) -> bool) -> Option<String> {
    let mut open = vec![(0, String::new())];
    while let Some((node, pointer)) = open.pop() {
        let children = paths.children(node);
        if is_one(&children) {
            return Some(if pointer.is_empty() { "the record".into() } else { pointer });
        }
        for (key, child) in children.into_iter().rev() {
            let mut below = pointer.clone();
            pointer_push(&mut below, &String::from_utf8_lossy(key));
            open.extend(paths.element(child).map(|element| (element, format!("{below}/*"))));
            open.push((child, below));
        }
    }
    None
}
