//! Names of resources: logical ids in the template, and the names that AWS knows them by.
//!
//! The decision to know: a logical id is made of a pipeline's or a bucket's name alone, so that a pipeline more or
//! less leaves the others' resources as they are.

use lakegate_lake::lake::sha256;

/// `left-overs` → `LeftOvers`, as logical ids are written.
pub fn camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// A name of at most so many characters that begins with the stack's: what is too long is cut, and stays apart from
/// others by a digest.
pub fn limited(stack: &str, name: &str, most: usize) -> String {
    let whole = format!("{stack}-{name}");
    if whole.len() <= most {
        return whole;
    }
    format!("{}-{}", &whole[..most - 9], &sha256(whole.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_letters_and_digits() {
        let cases =
            [("left-overs", "LeftOvers"), ("acme-raw.2025", "AcmeRaw2025"), ("a_b", "AB"), ("x", "X")];
        for (name, id) in cases {
            assert_eq!(camel(name), id);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = "p".repeat(64);
        let (one, other) =
            (limited("lake", &format!("{long}1"), 64), limited("lake", &format!("{long}2"), 64));
        assert_eq!((one.len(), one == other), (64, false));
        assert_eq!(limited("lake", "orders", 64), "lake-orders");
    }
}
