//! The interface between host and transform stands still: components that people have built depend on it.

use crate::contract::digest;

/// Of the WIT text without comments and with single spaces.
const DIGEST: &str = "bc3e1675cea7b70ca5b6cebeb44085ffa0526f2423097def8308cb4d69d06d59";

#[test]
fn the_interface_is_what_it_was() {
    let code = |line: &'static str| line.split("//").next().unwrap_or_default();
    let text = include_str!("../wit/transform.wit").lines().map(code);
    let words: Vec<&str> = text.flat_map(str::split_whitespace).collect();
    assert_eq!(
        digest(words.join(" ").as_bytes()),
        DIGEST,
        "wit/transform.wit has changed, and every component that was built for it would be refused.\n\
         Take the change back. A new fact about the source object is a key of `SourceFacts`; more that goes in or \
         comes out of a job is a key of the spec, the contract, the learned types or the report; a new ability is a \
         further interface that a component may leave out, as `trace` is. What cannot be had otherwise is a new major \
         version of the package: both versions are served then, and this digest is that of the new one.\n\
         A comment alone changes nothing here."
    );
}
