//! Whether files are of one kind: any two that have a key at the top in common are, and so are those that a third one
//! connects.
//!
//! The decision to know: only what has no path in common at all is clearly different. Anything else is for the contract
//! to hold.

use std::collections::BTreeMap;

use lakegate_base::{Code, Error, Result};
use lakegate_model::learned::Nodes;

/// Files of a kind that are named.
const NAMED: usize = 3;
/// Kinds that are named.
const LISTED: usize = 5;

/// The kinds of the files so far.
#[derive(Default)]
pub(super) struct Kinds {
    /// Each kind, or the one that it was found to be the same as.
    kinds: Vec<Result<Group, usize>>,
    /// The kind that has a key.
    by_key: BTreeMap<String, usize>,
}

/// Files of one kind.
#[derive(Debug, Default)]
struct Group {
    files: u64,
    names: Vec<String>,
}

impl Kinds {
    /// A file and what it taught. One that taught no path is of any kind.
    pub(super) fn add(&mut self, name: &str, nodes: &Nodes) {
        let keys: Vec<&String> = nodes.top_keys().collect();
        if keys.is_empty() {
            return;
        }
        let mut of = self.kinds.len();
        self.kinds.push(Ok(Group { files: 1, names: vec![name.to_owned()] }));
        for key in keys {
            match self.by_key.get(key).map(|known| self.find(*known)) {
                Some(known) => of = self.join(known, of),
                None => drop(self.by_key.insert(key.clone(), of)),
            }
        }
    }

    fn find(&self, mut kind: usize) -> usize {
        while let Err(other) = &self.kinds[kind] {
            kind = *other;
        }
        kind
    }

    /// Makes one of two; the earlier one.
    fn join(&mut self, a: usize, b: usize) -> usize {
        let (into, from) = (a.min(b), a.max(b));
        if into == from {
            return into;
        }
        if let Ok(more) = std::mem::replace(&mut self.kinds[from], Err(into))
            && let Ok(group) = &mut self.kinds[into]
        {
            group.files += more.files;
            group.names.extend(more.names);
            group.names.sort();
            group.names.truncate(NAMED);
        }
        into
    }

    /// # Errors
    /// `kinds_differ`: there are several, each is named.
    pub(super) fn check(&self, folder: &str) -> Result<()> {
        let groups: Vec<&Group> = self.kinds.iter().filter_map(|kind| kind.as_ref().ok()).collect();
        if groups.len() < 2 {
            return Ok(());
        }
        let shown = |group: &&Group| {
            let more = if group.files > group.names.len() as u64 { ", …" } else { "" };
            let files = if group.files == 1 { "file" } else { "files" };
            format!("{} {files} ({}{more})", group.files, group.names.join(", "))
        };
        let mut listed: Vec<String> = groups.iter().take(LISTED).map(shown).collect();
        if groups.len() > LISTED {
            listed.push(format!("and {} kinds more", groups.len() - LISTED));
        }
        let what = format!(
            "the files of {folder} are of {} kinds that have no key in common: {}",
            groups.len(),
            listed.join("; ")
        );
        Err(Error::new(Code::KindsDiffer, what).with_hint(
            "run each kind by itself into a table of its own (`lakegate run FILE … --table NAME`, or a folder for \
             each); --table NAME with the folder puts all into that one table; nothing was written",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_model::learned::{Digits, Kinds as Seen, Node};

    fn kinds(files: &[(&str, &[&str])]) -> Kinds {
        let mut kinds = Kinds::default();
        for (name, keys) in files {
            let node =
                |kinds, key: Option<&str>| Node(kinds, 0, key.map(str::to_owned), 0, Digits::default());
            let nodes = keys.iter().map(|key| node(Seen::STRING, Some(key)));
            kinds.add(name, &Nodes::new(None, [node(Seen::OBJECT, None)].into_iter().chain(nodes).collect()));
        }
        kinds
    }

    #[test]
    fn files_with_a_key_in_common_are_of_one_kind_also_through_a_third() {
        let files: [(&str, &[&str]); 4] =
            [("a", &["id", "x"]), ("b", &["y"]), ("c", &[]), ("d", &["x", "y"])];
        assert!(kinds(&files).check("f").is_ok());
        assert!(kinds(&[]).check("f").is_ok());
        let error = kinds(&files[..3]).check("f").unwrap_err();
        assert_eq!(error.name(), "kinds_differ");
        assert_eq!(
            error.message(),
            "the files of f are of 2 kinds that have no key in common: 1 file (a); 1 file (b)"
        );
    }

    #[test]
    fn a_kind_is_named_by_its_first_files_and_their_number() {
        let names: Vec<String> = (0..5).map(|n| format!("{n}.json")).collect();
        let mut files: Vec<(&str, &[&str])> = names.iter().map(|name| (&**name, &["id"][..])).collect();
        files.push(("z.csv", &["other"]));
        let error = kinds(&files).check("exports").unwrap_err();
        let expected = "5 files (0.json, 1.json, 2.json, …); 1 file (z.csv)";
        assert!(error.message().ends_with(expected), "{error}");
    }
}
