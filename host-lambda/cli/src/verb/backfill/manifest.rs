//! What a distributed backfill takes: a line a batch, each the event of one invocation.
//!
//! Not for where it lies (`distributed`). The decision to know: a batch ends where the function would need more than half
//! of its time for it, or the line is longer than a state's input may be.

use super::looked::Open;
use lakegate_base::{Code, Error};
use lakegate_config::Stack;
use lakegate_stack::Pace;
use serde::{Deserialize, Serialize};

/// Objects of a batch.
const OBJECTS: usize = 100;
/// Bytes of a line; the input of a state may have 256 KiB.
const LINE_BYTES: usize = 200_000;
/// Batches of one manifest: the answers of all are one state's output. What is beyond is taken by the next.
const BATCHES: usize = 10_000;

/// An object as the function's event names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    bucket: String,
    key: String,
}

impl Item {
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// An event of a Distributed Map.
#[derive(Default, Serialize, Deserialize)]
struct Batch {
    #[serde(rename = "Items")]
    items: Vec<Item>,
}

/// Batches, as text.
#[derive(Default)]
pub(super) struct Manifest {
    pub(super) text: String,
    pub(super) batches: u64,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Objects that had no room in it.
    pub(super) later: u64,
}

impl Manifest {
    /// Of what is missing, in its order.
    pub(super) fn of(stack: &Stack, pace: Pace, open: &[Open]) -> Self {
        let mut manifest = Self::default();
        let half = f64::from(stack.timeout_seconds) / 2.0;
        let (mut batch, mut bytes, mut length) = (Batch::default(), 0, 0);
        for one in open {
            let item = Item { bucket: one.object.bucket.clone(), key: one.object.key.clone() };
            let more = text_of(&item).len() + 1;
            let objects = batch.items.len() as f64 + 1.0;
            let is_long = pace.seconds(objects, objects, (bytes + one.bytes) as f64) > half;
            let is_full = batch.items.len() == OBJECTS || length + more > LINE_BYTES || is_long;
            if is_full && !batch.items.is_empty() {
                manifest.add(&std::mem::take(&mut batch));
                (bytes, length) = (0, 0);
            }
            if manifest.batches as usize == BATCHES {
                manifest.later += 1;
                continue;
            }
            batch.items.push(item);
            (bytes, length) = (bytes + one.bytes, length + more);
            manifest.objects += 1;
            manifest.bytes += one.bytes;
        }
        if !batch.items.is_empty() {
            manifest.add(&batch);
        }
        manifest
    }

    fn add(&mut self, batch: &Batch) {
        self.text.push_str(&text_of(batch));
        self.text.push('\n');
        self.batches += 1;
    }
}

fn text_of(value: &impl Serialize) -> String {
    // Texts and lists of them: nothing that JSON has no word for.
    serde_json::to_string(value).unwrap_or_default()
}

/// The objects of a manifest.
///
/// # Errors
/// It is none.
pub(super) fn items(text: &[u8], key: &str) -> Result<Vec<Item>, Error> {
    let broken = |what: String| Error::new(Code::LakeDamaged, format!("{key} is no manifest: {what}"));
    let text = std::str::from_utf8(text).map_err(|error| broken(error.to_string()))?;
    let mut items = Vec::new();
    for line in text.lines() {
        let batch: Batch = serde_json::from_str(line).map_err(|error| broken(error.to_string()))?;
        items.extend(batch.items);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_aws::event::{Item as Named, ObjectRef, Shape, parse};
    use lakegate_config::{Config, Origin};

    fn stack(more: &str) -> Stack {
        let pipeline = "[pipeline.orders]\nsource = \"s3://raw/in/\"\ntable = \"orders\"\nlake = \"s3://lake/\"\ncontract = \"learn\"\n";
        let text = format!("[stack]\nname = \"shop\"\n{more}\n{pipeline}");
        let origin = Origin::Inline { text: text.clone(), folder: "/".into() };
        Config::parse(&text, &origin).unwrap().stack.unwrap()
    }

    fn of(stack: &Stack, open: &[Open]) -> Manifest {
        Manifest::of(stack, super::super::estimate::pace(stack).unwrap(), open)
    }

    fn open(count: usize, bytes: u64) -> Vec<Open> {
        let one =
            |number| Open { object: ObjectRef::named("raw", &format!("in/{number} \"é\".json")), bytes };
        (0..count).map(one).collect()
    }

    #[test]
    fn each_line_is_an_event_that_the_function_reads() {
        let open = open(250, 10);
        let manifest = of(&stack(""), &open);
        assert_eq!((manifest.batches, manifest.objects, manifest.bytes, manifest.later), (3, 250, 2500, 0));
        let mut named = Vec::new();
        for line in manifest.text.lines() {
            let parsed = parse(&serde_json::from_str(line).unwrap());
            assert_eq!(parsed.shape, Shape::Map);
            named.extend(parsed.deliveries.into_iter().flat_map(|delivery| delivery.items));
        }
        let wanted: Vec<Named> = open.iter().map(|one| Named::Object(one.object.clone())).collect();
        assert_eq!(named, wanted);
        let uris: Vec<String> = items(manifest.text.as_bytes(), "m").unwrap().iter().map(Item::uri).collect();
        assert_eq!(uris, open.iter().map(|one| one.object.uri()).collect::<Vec<_>>());
        assert!(items(b"{", "m").is_err());
    }

    #[test]
    fn a_batch_ends_where_time_or_room_does() {
        let large = of(&stack("timeout_seconds = 60"), &open(10, 1 << 30));
        assert_eq!((large.batches, large.objects), (10, 10), "one that is too large goes alone");
        let long: Vec<Open> = (0..100)
            .map(|number| Open {
                object: ObjectRef::named("raw", &format!("{number}{}", "\u{1}".repeat(1000))),
                bytes: 1,
            })
            .collect();
        let long = of(&stack(""), &long);
        assert!(long.batches > 1 && long.text.lines().all(|line| line.len() < LINE_BYTES + 100));
    }

    #[test]
    fn what_has_no_room_waits() {
        let many = of(&stack("timeout_seconds = 30"), &open(BATCHES * 100 + 5, 1 << 30));
        assert_eq!((many.batches as usize, many.objects as usize), (BATCHES, BATCHES));
        assert_eq!(many.objects + many.later, BATCHES as u64 * 100 + 5);
    }
}
