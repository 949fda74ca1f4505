//! What a spec may say: every option is checked where it is read, and refused by name and place.

use crate::error::{Failure, Fault};
use crate::spec::Spec;

fn refused(text: &str) -> Failure {
    let failure = match Spec::parse(text) {
        Err(failure) => failure,
        Ok(spec) => panic!("{text:?} was taken: {spec:?}"),
    };
    assert_eq!((failure.fault, failure.code), (Fault::Spec, "spec_invalid"), "{text:?}");
    failure
}

/// The message, with line and column in front.
fn said(text: &str) -> String {
    let failure = refused(text);
    let place = (failure.place.line, failure.place.column);
    let (Some(line), Some(column)) = place else { panic!("{text:?} has no place: {}", failure.message) };
    format!("{line}:{column} {}", failure.message)
}

#[test]
fn signs_of_csv_are_one_ascii_character_that_can_stand_for_itself() {
    for (key, value) in [
        ("quote", "\"\\u0000\""),
        ("quote", "\"\\n\""),
        ("quote", "\"\\r\""),
        ("quote", "\"\u{e9}\""),
        ("quote", "\"\\t\""),
        ("delimiter", "\"\\u0000\""),
        ("delimiter", "\"\\n\""),
        ("delimiter", "\"\u{20ac}\""),
    ] {
        let text = format!("[input]\nformat = \"csv\"\n{key} = {value}\n");
        let said = said(&text);
        assert!(said.starts_with("3:") && said.contains(&format!("input.{key}")), "{text:?}: {said}");
    }
    let two = said("[input]\nquote = \"''\"\n");
    assert!(two.starts_with("2:9 "), "{two}");
    for good in ["\"'\"", "\"\\t\"", "\"|\"", "\" \"", "\"\\u0001\""] {
        Spec::parse(&format!("[input]\ndelimiter = {good}\n")).unwrap();
    }
}

#[test]
fn quote_and_delimiter_differ() {
    let said_of = |input: &str| said(&format!("[input]\n{input}\n"));
    assert!(said_of("delimiter = \"'\"\nquote = \"'\"").starts_with("3:"), "the quote is the one to change");
    assert!(said_of("delimiter = '\"'").contains("input.delimiter"));
    assert!(said_of("format = \"tsv\"\nquote = \"\\t\"").contains("input.quote"));
    assert!(said_of("decimal = \";\"").starts_with("2:"));
    // Numbers with such a comma stand in quotes.
    Spec::parse("[input]\ndecimal = \",\"\ndelimiter = \",\"\n").unwrap();
    Spec::parse("[input]\nformat = \"tsv\"\ndelimiter = \";\"\n").unwrap();
    Spec::parse("[input]\ndecimal = \",\"\ndelimiter = \";\"\n").unwrap();
}

#[test]
fn names_of_csv_columns_are_distinct_and_not_empty() {
    assert!(said("[input]\nheader = false\ncolumns = [\"a\", \"b\", \"a\"]\n").starts_with("3:"));
    assert!(said("[input]\nheader = false\ncolumns = [\"a\", \"\"]\n").contains("input.columns"));
    assert!(said("[input]\ncolumns = [\"a\"]\n").starts_with("2:"));
}

#[test]
fn a_comment_begins_as_no_record_does() {
    for (comment, more) in [
        ("", ""),
        ("a\\n", ""),
        ("\\u0000", ""),
        ("\\\"#", ""),
        (";;", "delimiter = \";\"\n"),
        ("\\t", "format = \"tsv\"\n"),
    ] {
        let said = said(&format!("[input]\ncomment = \"{comment}\"\n{more}"));
        assert!(said.starts_with("2:") && said.contains("input.comment"), "{comment:?}: {said}");
    }
    for comment in ["#", "//", "none", "-- ", "é", "REM"] {
        Spec::parse(&format!("[input]\ncomment = \"{comment}\"\n")).unwrap();
    }
}

#[test]
fn limits_have_a_floor_and_a_ceiling() {
    for (key, value) in [
        ("record_bytes", "0"),
        ("record_bytes", "4294967295"),
        ("depth", "0"),
        ("depth", "513"),
        ("columns", "0"),
        ("columns", "100001"),
        ("partitions", "0"),
        ("partitions", "100001"),
    ] {
        let said = said(&format!("[limits]\n{key} = {value}\n"));
        assert!(said.starts_with("2:") && said.contains(&format!("limits.{key}")), "{key} = {value}: {said}");
    }
    for value in ["-1", "1e3", "18446744073709551616", "\"5\""] {
        refused(&format!("[limits]\ncolumns = {value}\n"));
    }
    Spec::parse("[limits]\nrecord_bytes = 1073741824\ndepth = 512\ncolumns = 100000\npartitions = 1\n")
        .unwrap();
}

#[test]
fn zones_formats_and_types_are_read_at_once() {
    assert!(said("[input]\ntimezone = \"Europe/Berlin\"\n").starts_with("2:"));
    let column = |rest: &str| format!("[[table]]\nname = \"t\"\n[[table.column]]\nname = \"a\"\n{rest}");
    assert!(said(&column("type = \"date\"\nformat = \"%Q\"")).contains("column `a`"));
    assert!(said(&column("type = \"date\"\nformat = \"\"")).contains("column `a`"));
    assert!(said(&column("type = \"bigint\"\nformat = \"%Y\"")).contains("column `a`"));
    for ty in ["decimal(0,0)", "decimal(39,0)", "decimal(4,5)", "decimal(-1,0)", "decimal(10)", "int", ""] {
        assert!(said(&column(&format!("type = \"{ty}\""))).starts_with("5:"), "{ty}");
    }
}

#[test]
fn paths_name_something() {
    for path in ["", "a..b", "a.", ".a", "/a~b", "/~2", "/", "/a//b", "/a/", "/a~1b", "a~b"] {
        for text in [
            format!("[input]\nrecords = \"{path}\"\n"),
            format!("[[table]]\nrows = \"{path}\"\n"),
            format!("[[table]]\n[[table.column]]\nname = \"a\"\nfrom = \"{path}\"\n"),
        ] {
            // An empty key is a key: a pointer can say so.
            if ["/", "/a//b", "/a/", "/a~1b", "a~b"].contains(&path) {
                Spec::parse(&text).unwrap();
            } else {
                said(&text);
            }
        }
    }
}

#[test]
fn names_and_lists_are_checked_with_their_place() {
    assert!(said("[[table]]\nname = \"Orders\"\n").starts_with("2:8 "));
    assert!(said("[[table]]\nname = \"t\"\n[[table]]\nname = \"t\"\n").starts_with("4:"));
    assert!(said("[[table]]\nname = \"t\"\n\n[[table]]\n").starts_with("4:1 "));
    assert!(
        said("[[table]]\n[[table.column]]\nname = \"a\"\n[[table.derive]]\nname = \"a\"\nsql = \"1\"\n")
            .starts_with("5:")
    );
    assert!(said("[[table]]\npartition_by = [\"a\", \"a\"]\n").contains("partition_by"));
    assert!(said("[[table]]\n[[table.check]]\nname = \"\"\nsql = \"a > 0\"\n").starts_with("3:"));
    assert!(said("version = 2\n").starts_with("1:"));
}
