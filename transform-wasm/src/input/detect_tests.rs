//! Formats of small inputs, whole and as they come in.

use super::Detected::{self, Csv, Empty, Foreign, Json, Ndjson, NeedMore, Nul};
use super::{DETECT_LIMIT, detect_format};

const CASES: [(&str, Detected); 43] = [
    ("", Empty),
    (" \r\n\t\n", Empty),
    ("[]", Json),
    (" [\n{\"a\":1}\n]\n", Json),
    ("{\"a\":1}", Ndjson),
    ("{\"a\":1}\n", Ndjson),
    ("\n\n{\"a\":1}\r\n{\"a\":2}\r\n", Ndjson),
    ("{\"a\":1}\nnull\n", Ndjson),
    ("{\"a\":1}\nbroken\n", Ndjson),
    ("{\"a\":\"}{\\\"\"}\n{\"a\":2}\n", Ndjson),
    ("{\"a\":1}{\"a\":2}\n", Json),
    ("{\"a\":1} {\"a\":2}", Json),
    ("{\n  \"a\": 1\n}\n", Json),
    ("{\"a\": [\n1]}", Json),
    ("{\"orders\": [\n{\"id\":1},\n{\"id\":2}\n]}\n", Json),
    ("{\"orders\": [{\"id\":1},\n{\"id\":2}\n]}\n", Json),
    ("{\"order\":\n{\"id\":1}\n}\n", Json),
    ("{\"id\":1,\n{\"id\":2}\n", Ndjson),
    ("{\"id\":1,\"na\n{\"id\":2}\n", Ndjson),
    ("{\"id\":1,\"list\":[1,2\n{\"id\":2}\n", Ndjson),
    ("{\"id\":1", Json),
    ("{", Json),
    ("42", Json),
    ("-1.5e3 \n", Json),
    ("\"text\"\n\n", Json),
    ("true", Json),
    ("null\n{\"a\":1}\n", Ndjson),
    ("1\n2\n3\n", Csv),
    ("\"id\"\n1\n", Csv),
    ("\"id\",\"name\"\n1,x\n", Csv),
    ("\"id\"\t\"name\"\n", Csv),
    ("name,total\n", Csv),
    ("true_value,x\n1,2\n", Csv),
    ("name\ttotal\nx\t1\n", Csv),
    ("\tname\n1\tx\n", Csv),
    ("\n\nname;total\n", Csv),
    ("2025-01-01,5\n", Csv),
    ("name", Csv),
    ("\"a\nb\"\tc\n", Csv),
    ("size 5\",name\n1,2\n", Csv),
    ("<?xml version=\"1.0\"?>\n<Error/>", Foreign("XML or HTML")),
    ("a,b\n\0\0\n", Foreign("binary")),
    ("NaN", Csv),
];

#[test]
fn small_inputs() {
    for (text, expected) in CASES {
        assert_eq!(detect_format(text.as_bytes(), true), expected, "{text:?}");
    }
}

#[test]
fn no_prefix_says_otherwise_than_the_whole() {
    for (text, expected) in CASES {
        for length in 0..=text.len() {
            let early = detect_format(&text.as_bytes()[..length], false);
            assert!(early == NeedMore || early == expected, "{:?} of {text:?}: {early:?}", &text[..length]);
        }
    }
}

#[test]
fn a_nul_byte_in_a_text_is_told_by_its_place() {
    let text = format!("{}a,\0b\n", "id,name\n".repeat(30));
    assert_eq!(detect_format(text.as_bytes(), true), Nul(242));
    let binary = format!("{}a,\0\u{1}b\n", "id,name\n".repeat(30));
    assert_eq!(detect_format(binary.as_bytes(), true), Foreign("binary"));
}

#[test]
fn long_first_lines_are_decided_at_the_limit() {
    let object = format!("{{\"a\":\"{}", "x".repeat(DETECT_LIMIT));
    assert_eq!(detect_format(&object.as_bytes()[..DETECT_LIMIT - 1], false), NeedMore);
    assert_eq!(detect_format(object.as_bytes(), false), Json);
    let header = "a\t".repeat(DETECT_LIMIT);
    assert_eq!(detect_format(header.as_bytes(), false), Csv);
    assert_eq!(detect_format(" ".repeat(DETECT_LIMIT).as_bytes(), false), Empty);
}
