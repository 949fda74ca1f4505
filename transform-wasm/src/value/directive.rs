//! What somebody meant who wrote a format that there is not: another language's directive, a flag, a pattern
//! without any directive.
//!
//! For: messages. Not for: reading formats (see [`super::format`]).

use super::Epoch;

/// Directives of other languages, and what says the same here.
const ELSEWHERE: [(char, &str); 13] = [
    ('D', "%m/%d/%y"),
    ('G', "%Y"),
    ('L', "%f"),
    ('N', "%f"),
    ('P', "%p"),
    ('Q', "epoch_ms"),
    ('R', "%H:%M"),
    ('Z', "%z"),
    ('h', "%b"),
    ('k', "%H"),
    ('l', "%I"),
    ('r', "%I:%M:%S %p"),
    ('x', "%m/%d/%y"),
];

/// The letters of all directives.
const LETTERS: &str = "YymdejbBaAHIpMSfzsFT%";

/// Fields of Java's and .NET's patterns, longest first, and the directives that say the same.
const PATTERNS: [(&str, &str); 14] = [
    ("yyyy", "%Y"),
    ("YYYY", "%Y"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("DD", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("SSS", "%f"),
    ("ss", "%S"),
    ("XXX", "%z"),
    ("tt", "%p"),
    ("yy", "%y"),
];

/// The message for a directive that there is not, at the front of `rest`.
#[cold]
pub(super) fn unknown(format: &str, rest: &str) -> String {
    let is_flag = |sign: char| "-_0^#.:".contains(sign) || sign.is_ascii_digit();
    let flags = rest[1..].chars().take_while(|sign| is_flag(*sign)).count();
    // Flags are ASCII.
    let letter = rest[1 + flags..].chars().next();
    let directive = &rest[..1 + flags + letter.map_or(0, char::len_utf8)];
    let near = match letter {
        Some(letter) if LETTERS.contains(letter) => Some(format!("%{letter}")),
        Some(letter) => elsewhere(letter).or_else(|| other_case(letter)),
        None => Some("%%".to_owned()),
    };
    let near = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("there are %{}", LETTERS.chars().map(String::from).collect::<Vec<_>>().join(" %")),
    };
    format!("format {format:?} has {directive:?}, which is not supported: {near}")
}

/// What follows on the message for a format that is none though each of its directives is: what was meant, if
/// that can be told.
#[cold]
pub(super) fn misread(format: &str) -> String {
    if format.contains('%') {
        return String::new();
    }
    let lower = format.to_ascii_lowercase();
    let epoch = ["epoch", "unix", "millis", "timestamp"].iter().any(|word| lower.contains(word));
    if epoch {
        let names = Epoch::NAMES.map(|(name, _)| name);
        return format!(": a number's format is one of {}", names.join(", "));
    }
    let mut meant = format.replace('\'', "");
    let mut found = false;
    for (pattern, directive) in PATTERNS {
        found |= meant.contains(pattern);
        meant = meant.replace(pattern, directive);
    }
    match found {
        true => format!(": did you mean {meant:?}?"),
        false => String::new(),
    }
}

fn elsewhere(letter: char) -> Option<String> {
    ELSEWHERE.iter().find(|(known, _)| *known == letter).map(|(_, here)| (*here).to_owned())
}

fn other_case(letter: char) -> Option<String> {
    let other =
        if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
    (LETTERS.contains(other) && other != letter).then(|| format!("%{other}"))
}
