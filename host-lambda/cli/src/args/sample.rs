//! Which objects below a prefix `init` looks at, where there are many.
//!
//! The decision to know: the newest say how objects come now, the oldest how they came, and some by chance what is
//! between. Chance follows from the prefix and the key, so that the same prefix proposes the same.

use crate::args::inputs::Input;
use lakegate_lake::lake::sha256;
use serde_json::{Value, json};

/// Objects that are looked at.
const MOST: usize = 100;
/// Bytes of them, as they are stored.
const MOST_BYTES: u64 = 1 << 30;
/// Of these, so many are the newest, and so many the oldest.
const ENDS: usize = 10;
/// Objects of each sort that a person is told by name.
const NAMED: usize = 3;

/// What was chosen of a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// The prefix.
    pub prefix: String,
    /// How many objects lie below it, and bytes of them.
    pub of: (usize, u64),
    /// Bytes of those that were chosen.
    pub bytes: u64,
    /// Names, each in the order of choice.
    pub newest: Vec<String>,
    pub oldest: Vec<String>,
    pub by_chance: Vec<String>,
}

impl Sampled {
    /// For people, without an end.
    pub fn text(&self, size: impl Fn(u64) -> String) -> String {
        let named = |what: &str, names: &[String]| {
            let more = if names.len() > NAMED { ", …" } else { "" };
            let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            (!names.is_empty()).then(|| format!("{} {what} ({shown}{more})", names.len()))
        };
        let parts = [
            named("newest", &self.newest),
            named("oldest", &self.oldest),
            named("by chance, the same each time", &self.by_chance),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let chosen = self.newest.len() + self.oldest.len() + self.by_chance.len();
        let (bytes, all) = (size(self.bytes), size(self.of.1));
        format!(
            "{chosen} of the {} objects below {} are samples, {bytes} of {all}: {}",
            self.of.0,
            self.prefix,
            parts.join("; ")
        )
    }

    /// For programs: every one.
    pub fn json(&self) -> Value {
        json!({"prefix": self.prefix, "objects": self.of.0, "object_bytes": self.of.1, "bytes": self.bytes,
            "newest": self.newest, "oldest": self.oldest, "by_chance": self.by_chance})
    }
}

/// All of the objects below a prefix as long as they are few and small, else some, and what was chosen.
pub fn of(prefix: &str, inputs: Vec<Input>) -> (Vec<Input>, Option<Sampled>) {
    let all = inputs.iter().map(Input::bytes).sum();
    if inputs.len() <= MOST && all <= MOST_BYTES {
        return (inputs, None);
    }
    let mut sampled = Sampled { prefix: prefix.to_owned(), of: (inputs.len(), all), ..Sampled::default() };
    let mut left: Vec<Input> = inputs;
    left.sort_by_cached_key(|input| (input.modified_ms(), input.name()));
    let mut kept: Vec<Input> = Vec::new();
    let ends = ENDS.min(left.len() / 2);
    let newest = left.split_off(left.len() - ends);
    let middle = left.split_off(ends);
    let mut by_chance = middle;
    by_chance.sort_by_cached_key(|input| sha256(format!("{prefix}\0{}", input.name()).as_bytes()));
    let pairs = newest.into_iter().rev().zip(left).flat_map(|(new, old)| [(0, new), (1, old)]);
    for (turn, (sort, input)) in pairs.chain(by_chance.into_iter().map(|input| (2, input))).enumerate() {
        let fits = sampled.bytes + input.bytes() <= MOST_BYTES;
        if kept.len() >= MOST || !(fits || turn < 2) {
            continue;
        }
        sampled.bytes += input.bytes();
        let names = [&mut sampled.newest, &mut sampled.oldest, &mut sampled.by_chance];
        let [newest, oldest, chance] = names;
        match sort {
            0 => newest,
            1 => oldest,
            _ => chance,
        }
        .push(input.name());
        kept.push(input);
    }
    kept.sort_by_cached_key(Input::name);
    (kept, Some(sampled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_lake::storage::{Facts, LocalFolder};
    use std::sync::Arc;

    fn objects(count: u32, bytes: u64) -> Vec<Input> {
        let folder = tempfile::tempdir().unwrap();
        let bucket = Arc::new(LocalFolder::new(folder.path()).unwrap());
        let object = |n: u32| {
            // Names say nothing of the age here.
            let name = format!("s3://raw/x/{:03}.json", (n * 7) % count);
            let facts = Facts {
                key: name.clone(),
                bytes,
                modified_ms: i64::from(n),
                version: String::new(),
                promised: None,
            };
            Input::Object(name, bucket.clone(), facts)
        };
        (0..count).map(object).collect()
    }

    #[test]
    fn few_and_small_objects_are_all_looked_at() {
        let (kept, sampled) = of("s3://raw/x/", objects(100, 1 << 20));
        assert_eq!((kept.len(), sampled), (100, None));
    }

    #[test]
    fn of_many_the_newest_the_oldest_and_some_by_chance_are_the_same_each_time() {
        let (kept, sampled) = of("s3://raw/x/", objects(1_000, 1 << 10));
        let sampled = sampled.unwrap();
        assert_eq!(kept.len(), 100);
        assert_eq!((sampled.newest.len(), sampled.oldest.len(), sampled.by_chance.len()), (10, 10, 80));
        assert_eq!(
            (&*sampled.newest[0], &*sampled.oldest[0]),
            ("s3://raw/x/993.json", "s3://raw/x/000.json")
        );
        let mut other = objects(1_000, 1 << 10);
        other.reverse();
        let (again, same) = of("s3://raw/x/", other);
        assert_eq!(same.as_ref(), Some(&sampled));
        let names = |inputs: &[Input]| inputs.iter().map(Input::name).collect::<Vec<_>>();
        assert_eq!(names(&kept), names(&again));
        assert!(names(&kept).is_sorted());
        let (_, another) = of("s3://raw/", objects(1_000, 1 << 10));
        assert_ne!(another.unwrap().by_chance, sampled.by_chance, "chance is the prefix's");
    }

    #[test]
    fn a_sample_is_bounded_by_bytes_too() {
        let (kept, sampled) = of("s3://raw/x/", objects(30, 300 << 20));
        let sampled = sampled.unwrap();
        assert_eq!((kept.len(), sampled.bytes), (3, 900 << 20));
        let text = sampled.text(|bytes| format!("{} MiB", bytes >> 20));
        assert!(
            text.starts_with(
                "3 of the 30 objects below s3://raw/x/ are samples, 900 MiB of 9000 MiB: 2 newest ("
            ),
            "{text}"
        );
        let (two, _) = of("s3://raw/x/", objects(2, 3 << 30));
        assert_eq!(two.len(), 2, "the newest and the oldest whatever they hold");
    }
}
