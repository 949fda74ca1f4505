//! Grammar: what RFC 8259 allows and forbids, and where it says so.

use super::skip::{Care, Skipper, compact};
use super::{Cursor, Stop, unescape};

fn skip(text: &[u8], complete: bool) -> Result<usize, Stop> {
    Skipper::default().skip(&Cursor { input: text, complete }, 0, 64, Care::All)
}

fn syntax_at(text: &[u8]) -> usize {
    match skip(text, true) {
        Err(Stop::Syntax { at, .. }) => at,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    }
}

fn reject_code(text: &[u8]) -> &'static str {
    match skip(text, true) {
        Err(Stop::Reject(reject)) => reject.code,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    }
}

#[test]
fn takes_every_form_of_value() {
    for text in ["{}", "[]", "[1,2.5e-3,-0,true,false,null,\"a\\u0041\"]", "{\"a\":{\"b\":[{}]}, \"c\" : 1 }"]
    {
        assert_eq!(skip(text.as_bytes(), true), Ok(text.len()), "{text}");
    }
}

#[test]
fn says_where_the_grammar_is_broken() {
    assert_eq!(syntax_at(b"[1,]"), 2);
    assert_eq!(syntax_at(b"{\"a\":1,}"), 7);
    assert_eq!(syntax_at(b"{'a':1}"), 1);
    assert_eq!(syntax_at(b"[1 2]"), 3);
    assert_eq!(syntax_at(b"{\"a\" 1}"), 5);
    assert_eq!(syntax_at(b"[01]"), 1 + 1);
    assert_eq!(syntax_at(b"[NaN]"), 1);
    assert_eq!(syntax_at(b"[\"\t\"]"), 2);
    assert_eq!(syntax_at(b"[\"\\x\"]"), 2);
    assert_eq!(syntax_at(b"[tru]"), 1);
}

#[test]
fn waits_at_every_cut_of_a_whole_value() {
    let text = b"{\"a\":[1,2.50,true,null,\"x\\u00e9\"],\"b\":{}}";
    for cut in 0..text.len() {
        assert_eq!(skip(&text[..cut], false), Err(Stop::Incomplete), "cut at {cut}");
    }
}

#[test]
fn rejects_what_json_allows_but_readers_disagree_on() {
    assert_eq!(reject_code(b"{\"a\":1,\"a\":2}"), "duplicate_key");
    assert_eq!(reject_code(b"{\"a\":1,\"\\u0061\":2}"), "duplicate_key");
    assert_eq!(reject_code(b"[{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]"), "duplicate_key");
    assert_eq!(reject_code(b"[\"\\ud800\"]"), "lone_surrogate");
    assert_eq!(reject_code(b"[\"\\ud800\\u0041\"]"), "lone_surrogate");
    assert_eq!(reject_code(b"[\"\xff\"]"), "invalid_utf8");
    assert_eq!(reject_code(b"[1e999]"), "not_finite");
    assert_eq!(reject_code(b"-1e999"), "not_finite");
    assert_eq!(reject_code(&[b"[1".as_slice(), &[b'0'; 400], b"]"].concat()), "not_finite");
}

#[test]
fn refuses_depth_by_name() {
    let deep = vec![b'['; 100];
    match skip(&deep, true) {
        Err(Stop::Fail(failure)) => assert_eq!(failure.code, "too_deep"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn compacts_only_between_tokens() {
    let mut out = Vec::new();
    compact(b"{ \"a b\" : [ 1 , \"\\\" }\" ] }", &mut out);
    assert_eq!(out, b"{\"a b\":[1,\"\\\" }\"]}");
}

#[test]
fn unescapes_every_escape() {
    let mut out = Vec::new();
    let raw = b"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000x";
    assert_eq!(unescape(raw, 0, &mut out), Ok(()));
    assert_eq!(String::from_utf8(out).unwrap(), "\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}\0x");
}

#[test]
fn keys_of_one_hash_are_told_apart() {
    let keys = crate::keys::colliding(3_000);
    let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(skip(text.as_bytes(), true), Ok(text.len()));
    // Another spelling of the same key is the same key.
    let spelt = format!("\\u{:04x}{}", keys[7].as_bytes()[0], &keys[7][1..]);
    let twice = format!("{{{},\"{spelt}\":2}}", members.join(","));
    assert_eq!(reject_code(twice.as_bytes()), "duplicate_key");
}
