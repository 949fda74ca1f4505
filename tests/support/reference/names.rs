//! Column names from paths, as the design's "Flatten" says.
//!
//! For: the reference. Not for: names a spec or a contract already holds. The decision to know: a
//! name starts at the leaf and takes one parent after the other while two paths claim it; paths that
//! cannot be told apart that way are settled by pointer order and a hash.

use super::learn::{ELEMENT, Path, pointer};
use sha2::{Digest, Sha256};

/// How columns are named where nothing names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The whole path (a spec's default).
    Path,
    /// The leaf, with parents only as far as needed (no spec, `init`).
    Leaf,
}

/// Names for paths that are all newcomers, in their order.
#[must_use]
pub fn assign(paths: &[Path], naming: Naming) -> Vec<String> {
    let words: Vec<Vec<String>> = paths.iter().map(words).collect();
    let mut taken: Vec<usize> =
        words.iter().map(|all| if naming == Naming::Leaf { 1 } else { all.len() }).collect();
    loop {
        let names = joined(&words, &taken);
        let clashing: Vec<usize> = (0..names.len())
            .filter(|at| names.iter().filter(|name| **name == names[*at]).count() > 1)
            .filter(|at| taken[*at] < words[*at].len())
            .collect();
        if clashing.is_empty() {
            return settle(paths, &names);
        }
        for at in clashing {
            taken[at] += 1;
        }
    }
}

/// The last `taken` words of each path, joined.
fn joined(words: &[Vec<String>], taken: &[usize]) -> Vec<String> {
    words.iter().zip(taken).map(|(all, taken)| all[all.len() - taken..].join("_")).collect()
}

/// Among equals the smallest pointer keeps the name.
fn settle(paths: &[Path], names: &[String]) -> Vec<String> {
    let holds = |at: usize| {
        let pointer_of = |other: usize| pointer(&paths[other]);
        (0..names.len()).all(|other| names[other] != names[at] || pointer_of(at) <= pointer_of(other))
    };
    (0..names.len())
        .map(|at| if holds(at) { names[at].clone() } else { hashed(&names[at], &paths[at]) })
        .collect()
}

fn hashed(name: &str, path: &Path) -> String {
    let digest = hex::encode(Sha256::digest(pointer(path)));
    format!("{name}_{}", &digest[..6])
}

/// The words of a path: an exploded array's name stands in the singular before its elements' keys.
fn words(path: &Path) -> Vec<String> {
    let mut words = Vec::new();
    for (at, segment) in path.iter().enumerate() {
        let element_follows = path.get(at + 1).is_some_and(|next| next == ELEMENT);
        let last = at + 2 == path.len();
        match () {
            () if segment == ELEMENT && at > 0 => {}
            () if element_follows && !last => words.push(singular(&snake_case(segment))),
            () => words.push(snake_case(segment)),
        }
    }
    words
}

fn singular(word: &str) -> String {
    let ends = |ending: &str| word.len() > ending.len() + 1 && word.ends_with(ending);
    let cut = |letters: usize| &word[..word.len() - letters];
    match () {
        () if ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) => word.to_owned(),
        () if ends("ies") => format!("{}y", cut(3)),
        () if ["sses", "xes", "ches", "shes"].iter().any(|ending| ends(ending)) => cut(2).to_owned(),
        () if ends("s") => cut(1).to_owned(),
        () => word.to_owned(),
    }
}

/// `orderId` → `order_id`, `HTTPServer` → `http_server`; beyond ASCII the umlauts only.
fn snake_case(key: &str) -> String {
    let letters: Vec<char> = key.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").chars().collect();
    let mut out = String::new();
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after_is_lower = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let starts_word = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after_is_lower
            });
        if starts_word || !c.is_ascii_alphanumeric() {
            out.push('_');
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        }
    }
    out.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}
