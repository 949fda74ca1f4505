//! Names of columns and tables, and paths into records.
//!
//! For: snake_case with transliteration, JSON pointers (RFC 6901), dotted paths of specs, and the
//! choice of a name for each new path. The rules come from Athena and Glue: lower case, `_` the
//! only special character, at most 255 bytes; Trino takes the first case-insensitive match, so two
//! paths must never share a name.

use std::collections::{BTreeMap, BTreeSet};

pub use lakegate_model::contract::is_name as is_valid;
use serde::Deserialize;

use crate::contract::digest;
use crate::limits::NAME_BYTES;

/// How learned columns are named.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Naming {
    /// The whole path joined with `_`.
    #[default]
    Path,
    /// The shortest end of the path that is unambiguous.
    Leaf,
}

/// The snake_case form of a key: `orderId` → `order_id`, `HTTPServer` → `http_server`, `Größe` →
/// `groesse`. None where a letter has no transliteration, or nothing is left.
pub fn snake_case(key: &str) -> Option<String> {
    let chars: Vec<char> = key.chars().collect();
    let mut out = String::with_capacity(key.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if c.is_uppercase() && i > 0 {
            let after_lower = chars[i - 1].is_lowercase() || chars[i - 1].is_ascii_digit();
            let ends_run = chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
            if after_lower || ends_run {
                push_separator(&mut out);
            }
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if c.is_alphabetic() {
            let lower = c.to_lowercase().next().unwrap_or(c);
            out.push_str(transliterate(lower)?);
        } else if c == '_' || !c.is_alphanumeric() {
            push_separator(&mut out);
        } else {
            return None;
        }
    }
    let trimmed = out.trim_matches('_');
    let mut name = if trimmed.is_empty() { return None } else { trimmed.to_owned() };
    name.truncate(NAME_BYTES);
    Some(name)
}

fn push_separator(out: &mut String) {
    if !out.ends_with('_') {
        out.push('_');
    }
}

/// Latin letters beyond ASCII, lower case; German, Danish and Icelandic as their speakers write them.
const LETTERS: &[(&str, &str)] = &[
    ("àáâãāăą", "a"),
    ("ä", "ae"),
    ("å", "a"),
    ("æ", "ae"),
    ("çćĉċč", "c"),
    ("ďđ", "d"),
    ("ð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķĸ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŉŋ", "n"),
    ("òóôõōŏő", "o"),
    ("ö", "oe"),
    ("ø", "o"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťŧț", "t"),
    ("þ", "th"),
    ("ùúûũūŭůűų", "u"),
    ("ü", "ue"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("ªº", ""),
];

fn transliterate(lower: char) -> Option<&'static str> {
    LETTERS.iter().find(|(from, _)| from.contains(lower)).map(|(_, to)| *to)
}

/// A name for a key that has no snake_case form.
fn hash_name(key: &str) -> String {
    format!("c_{}", &digest(key.as_bytes())[..8])
}

/// The singular of an array's name, for the columns of its elements: `products` → `product`.
pub fn singular(name: &str) -> String {
    let strip =
        |end: &str, put: &str| name.strip_suffix(end).filter(|s| s.len() > 1).map(|s| format!("{s}{put}"));
    if name.ends_with("ss") || name.ends_with("us") || name.ends_with("is") {
        return name.to_owned();
    }
    strip("ies", "y")
        .or_else(|| ["sses", "xes", "ches", "shes"].iter().find_map(|end| strip(end, &end[..end.len() - 2])))
        .or_else(|| strip("s", ""))
        .unwrap_or_else(|| name.to_owned())
}

/// Digits of its pointer's hash that a name gets at least.
const HASH_DIGITS: usize = 6;

/// Splits a JSON pointer into its keys, unescaped.
pub fn pointer_keys(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|k| k.replace("~1", "/").replace("~0", "~")).collect()
}

/// Appends a key to a JSON pointer.
pub fn pointer_push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

/// Bytes that [`pointer_push`] appends.
pub fn pointer_bytes(key: &[u8]) -> usize {
    1 + key.len() + key.iter().filter(|&&byte| byte == b'~' || byte == b'/').count()
}

/// The pointer of a path that a spec writes: dotted (`customer.name`) or a pointer already.
pub fn path_to_pointer(path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut pointer = String::new();
    for key in path.split('.') {
        push_indexed(&mut pointer, key);
    }
    pointer
}

/// Appends a key with the positions behind it: `name[0]` is the first element of `name`, `name[]` any of them.
fn push_indexed(pointer: &mut String, key: &str) {
    match last_index(key) {
        Some((before, index)) => {
            push_indexed(pointer, before);
            index.into_iter().for_each(|index| pointer_push(pointer, index));
        }
        None => pointer_push(pointer, key),
    }
}

/// `name[0]` as `name` and `0`, `name[]` as `name` and nothing.
pub fn last_index(key: &str) -> Option<(&str, Option<&str>)> {
    let (before, index) = key.strip_suffix(']')?.rsplit_once('[')?;
    let is_index = index.is_empty()
        || (index.bytes().all(|byte| byte.is_ascii_digit()) && (index == "0" || !index.starts_with('0')));
    (!before.is_empty() && is_index).then_some((before, Some(index).filter(|index| !index.is_empty())))
}

/// Whether a path of a spec names its keys as people write them, and not to the letter as a JSON pointer does.
pub fn is_bare(path: &str) -> bool {
    !path.starts_with('/')
}

/// What the naming rule makes of a key: keys of one plain name are one key to a bare path.
pub fn plain_name(key: &str) -> String {
    snake_case(key).unwrap_or_else(|| key.to_owned())
}

/// Whether a bare path may mean what a pointer names to the letter.
pub fn same_plainly(path: &str, pointer: &str) -> bool {
    let (one, other) = (pointer_keys(path), pointer_keys(pointer));
    one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| a == b || plain_name(a) == plain_name(b))
}

/// The pointer of a declared column: below the exploded array, `*` stands for the element.
pub fn column_pointer(path: &str, rows: Option<&str>) -> String {
    let pointer = path_to_pointer(path);
    let Some(rows) = rows else { return pointer };
    match pointer.strip_prefix(rows) {
        Some("") => format!("{rows}/*"),
        Some(rest) if rest.starts_with('/') && !rest.starts_with("/*/") && rest != "/*" => {
            format!("{rows}/*{rest}")
        }
        _ => pointer,
    }
}

/// A newcomer that got a name that is not its plain one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// JSON pointer of the path.
    pub pointer: String,
    /// The name it got.
    pub name: String,
}

/// Chooses a name for every new pointer, so that no two paths share one.
///
/// `held` are names that stay as they are. Returns the names in the order of `pointers`, and those
/// that needed a hash.
pub fn choose(
    pointers: &[String],
    rows: Option<&str>,
    naming: Naming,
    held: &BTreeSet<String>,
) -> (Vec<String>, Vec<Renamed>) {
    let parts: Vec<Vec<String>> = pointers.iter().map(|p| name_parts(p, rows)).collect();
    let mut depth: Vec<usize> =
        parts.iter().map(|p| if naming == Naming::Leaf { 1.min(p.len()) } else { p.len() }).collect();
    loop {
        let clashes = clashing(&parts, &depth, held);
        let mut grew = false;
        for i in clashes {
            if depth[i] < parts[i].len() {
                depth[i] += 1;
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
    settle(pointers, &parts, &depth, held)
}

/// Snake-cased keys of a pointer; the exploded array's own key in the singular.
fn name_parts(pointer: &str, rows: Option<&str>) -> Vec<String> {
    let plain = |key: &String| snake_case(key).unwrap_or_else(|| hash_name(key));
    let keys = pointer_keys(pointer);
    let array = rows.map(pointer_keys).unwrap_or_default();
    let exploded =
        !array.is_empty() && keys.len() > array.len() && keys.starts_with(&array) && keys[array.len()] == "*";
    if !exploded {
        return keys.iter().map(plain).collect();
    }
    let mut parts: Vec<String> = array.iter().map(plain).collect();
    let rest = &keys[array.len() + 1..];
    if !rest.is_empty()
        && let Some(last) = parts.last_mut()
    {
        *last = singular(last);
    }
    parts.extend(rest.iter().map(plain));
    parts
}

/// The last `depth` parts in one name; what would be cut off is not even written.
fn joined(parts: &[String], depth: usize) -> String {
    let mut name = String::new();
    for (i, part) in parts[parts.len() - depth..].iter().enumerate() {
        if name.len() >= NAME_BYTES {
            break;
        }
        if i > 0 {
            name.push('_');
        }
        name.push_str(part);
    }
    name.truncate(NAME_BYTES);
    name
}

fn clashing(parts: &[Vec<String>], depth: &[usize], held: &BTreeSet<String>) -> Vec<usize> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for i in 0..parts.len() {
        by_name.entry(joined(&parts[i], depth[i])).or_default().push(i);
    }
    by_name
        .into_iter()
        .filter(|(name, who)| who.len() > 1 || held.contains(name))
        .flat_map(|(_, who)| who)
        .collect()
}

/// The smaller pointer keeps a name that two want; the others get a hash of their pointer.
fn settle(
    pointers: &[String],
    parts: &[Vec<String>],
    depth: &[usize],
    held: &BTreeSet<String>,
) -> (Vec<String>, Vec<Renamed>) {
    let mut order: Vec<usize> = (0..pointers.len()).collect();
    order.sort_by(|&a, &b| pointers[a].cmp(&pointers[b]));
    let mut taken = held.clone();
    let mut names = vec![String::new(); pointers.len()];
    let mut clashing = Vec::new();
    for i in order {
        names[i] = joined(&parts[i], depth[i]);
        if !taken.insert(names[i].clone()) {
            clashing.push(i);
        }
    }
    let mut renamed = Vec::new();
    // Only once every plain name is given: a name with a hash may be another path's plain one.
    for i in clashing {
        names[i] = hashed(&names[i], &pointers[i], &taken);
        taken.insert(names[i].clone());
        renamed.push(Renamed { pointer: pointers[i].clone(), name: names[i].clone() });
    }
    (names, renamed)
}

/// A name with as much of the pointer's hash as it takes to be no other's.
fn hashed(name: &str, pointer: &str, taken: &BTreeSet<String>) -> String {
    let mut hashed = pointer.to_owned();
    loop {
        let hash = digest(hashed.as_bytes());
        for length in HASH_DIGITS..=hash.len() {
            let room = name.len().min(NAME_BYTES - 1 - length);
            let name = format!("{}_{}", &name[..room], &hash[..length]);
            if !taken.contains(&name) {
                return name;
            }
        }
        // Somebody made keys of all of them. No pointer ends in a bare `~`, so this is no other path's hash.
        hashed.push('~');
    }
}

/// A pointer as a spec writes it: dotted where its keys are plain.
pub fn dotted(pointer: &str) -> String {
    let keys = pointer_keys(pointer);
    let plain = |key: &String| {
        !key.is_empty()
            && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '$' | '@'))
    };
    if keys.iter().all(plain) { keys.join(".") } else { pointer.to_owned() }
}
