//! CSV as it really comes: comments, headers in the middle, blanks around quotes, joined files.

use proptest::prelude::*;

use super::job_tests::{LENIENT, Made, drive};
use crate::{Failure, Options, Widened};

/// Both passes, or the failure; the spec that was proposed.
pub(super) fn run(spec: &str, data: &[u8], chunk: usize) -> Result<(Made, String), Failure> {
    let mut options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    match drive(&options, data, chunk)? {
        Ok(made) => Ok((made, String::new())),
        Err(Widened { contracts, spec, .. }) => {
            options.contracts = contracts;
            options.final_pass = true;
            Ok((drive(&options, data, chunk)?.unwrap(), spec))
        }
    }
}

pub(super) fn records(made: &Made) -> (u64, u64) {
    (made.report["accepted"].as_u64().unwrap(), made.report["rejected"].as_u64().unwrap())
}

/// Codes of the warnings, each with its count.
pub(super) fn warnings(made: &Made) -> Vec<(String, u64)> {
    let warnings = made.report["warnings"].as_array().unwrap().iter();
    let mut told: Vec<(String, u64)> =
        warnings.map(|w| (w["code"].as_str().unwrap().to_owned(), w["count"].as_u64().unwrap())).collect();
    told.sort();
    told
}

fn check(spec: &str, input: &str, taken: (u64, u64), expected: &[(&str, u64)]) {
    let (made, _) = run(&format!("{LENIENT}{spec}"), input.as_bytes(), 1 << 20).unwrap();
    let expected: Vec<(String, u64)> = expected.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect();
    assert_eq!((records(&made), warnings(&made)), (taken, expected), "{input:?} under {spec:?}");
}

#[test]
fn the_header_once_more_is_no_record() {
    for (input, taken, times) in [
        ("id,amount\n1,10\n2,20\nid,amount\n3,30\n", (3, 0), 1),
        ("id,amount\r\n1,10\r\nid,amount\r\nid,amount\r\n", (1, 0), 2),
        ("id,name\n1,x\n\"id\",\"name\"\n\u{feff}id,name\n\u{feff}\"id\",\"name\"\n2,y\n", (2, 0), 3),
        (" \"id\" ,name\n1,x\nid, \"name\"\n", (1, 0), 1),
        ("country,2019\nDE,1\ncountry,2019\n", (1, 0), 1),
        // Nothing but a part of it, or in another order, or one column.
        ("id,amount\n1,10\nid,20\nid ,amount\namount,id\n", (4, 0), 0),
        ("a\na\nb\n", (2, 0), 0),
        ("a,\na,\nb,\n", (2, 0), 0),
        // Numbers are no names.
        ("1,2\n1,2\n3,4\n", (2, 0), 0),
    ] {
        let (made, _) = run(LENIENT, input.as_bytes(), 1 << 20).unwrap();
        let counted = warnings(&made).iter().find(|(code, _)| code == "header_again").map_or(0, |(_, n)| *n);
        assert_eq!((records(&made), counted), (taken, times), "{input:?}");
    }
    let columns = "[input]\nheader = false\ncolumns = [\"id\", \"name\"]\n";
    check(columns, "id,name\n1,x\nid,name\n2,y\n", (2, 0), &[("header_again", 2)]);
}

#[test]
fn blocks_and_single_records_leave_out_the_same() {
    let mut input = String::from("id,name\n");
    let mut expected = 0;
    for i in 0..20_000 {
        match i % 97 {
            5 => input.push_str("\"id\",name\r\n"),
            6 if i % 2 == 0 => input.push_str("# ,comment, \"never closed\n"),
            7 => input.push_str(&format!("{i}, \"a, b\"\n")),
            _ => input.push_str(&format!("{i},n{i}\n")),
        }
        expected += u64::from(i % 97 != 5 && (i % 97 != 6 || i % 2 == 1));
    }
    let pinned = |more: &str| {
        format!(
            "{LENIENT}[input]\ncomment = \"#\"\n[[table]]\nname = \"t\"\nmode = \"freeze\"\n[[table.column]]\nname = \"id\"\ntype = \"string\"\n[[table.column]]\nname = \"name\"\ntype = \"string\"\n{more}"
        )
    };
    let (quick, _) = run(&pinned(""), input.as_bytes(), 1 << 20).unwrap();
    assert_eq!(records(&quick), (expected, 0));
    assert_eq!(warnings(&quick), [("blanks_around_quotes".into(), 207), ("header_again".into(), 207)]);
    // A JSON column keeps the records from coming in blocks.
    let slow = pinned("[[table.column]]\nname = \"j\"\ntype = \"json\"\n");
    let (slow, _) = run(&slow, input.as_bytes(), 1 << 20).unwrap();
    let mut told = warnings(&slow);
    told.retain(|(code, _)| code != "column_missing");
    assert_eq!((records(&slow), told), (records(&quick), warnings(&quick)));
    for chunk in [1000, 65_537] {
        assert_eq!(run(&pinned(""), input.as_bytes(), chunk).unwrap().0, quick, "chunks of {chunk}");
    }
}

#[test]
fn a_number_behind_a_blank_is_learned_as_it_is_read() {
    let (_, spec) = run("", b"a, b, c\n1, 2, true\n\"x\", 3 ,false \n", 1 << 20).unwrap();
    assert!(spec.contains("name = \"b\"\ntype = \"bigint\""), "{spec}");
    assert!(spec.contains("name = \"c\"\ntype = \"boolean\""), "{spec}");
}

#[test]
fn what_is_detected_is_pinned() {
    for (input, lines) in [
        ("# made by hand\nid,name\n1,x\n", "comment = \"#\""),
        ("id^name^n\n1^x^2\n", "delimiter = \"^\""),
        ("id\u{1}name\n1\u{1}x\n", "delimiter = \"\\u0001\""),
        ("sep=;\nid;name\n1;x\n", "delimiter = \";\""),
        ("Sales\nof 2025\n\nid,name\n1,x\n2,y\n3,z\n", "skip_lines = 3"),
        ("id,name,\n1,x\n2,y\n", "trailing_delimiter = true"),
        (
            "#Version: 1.0\n#Fields: date cs(Referer)\n2025-01-01\t-\n",
            "delimiter = \"\\u0009\"\ncomment = \"#\"\nheader = false\ncolumns = [\"date\", \"cs(Referer)\"]",
        ),
    ] {
        let (made, spec) = run("", input.as_bytes(), 1 << 20).unwrap();
        assert!(spec.contains(&format!("[input]\n{lines}\n")), "{spec}");
        let pinned = run(&spec, input.as_bytes(), 1 << 20).unwrap().0;
        assert_eq!(records(&pinned), records(&made), "{spec}");
        assert_eq!(pinned.parts.len(), made.parts.len());
    }
    for input in ["id,name\n1,x\n", "id;name\n1;x\n", "id\tname\n1\tx\n", "name\nx\n"] {
        assert!(!run("", input.as_bytes(), 1 << 20).unwrap().1.contains("[input]"));
    }
}

#[test]
fn what_is_read_is_said_where_it_is_not_sure() {
    check("", "nonsense", (0, 0), &[("no_records", 1)]);
    check("", "date time n\n2025-01-01 00:00:05 1\n", (1, 0), &[("one_column", 1)]);
    check("", "id||name\n1||x\n2||y\n", (2, 0), &[("delimiter_of_several", 1)]);
    check("", "name\nAnn\n#gone\nBob\n", (3, 0), &[("comment_doubtful", 1)]);
    check("", "# a b\nid,name\n1,x\n# c\n2,y\n", (2, 0), &[("comments", 2)]);
    check("[input]\ncomment = \"#\"\n", "# a b\nid,name\n1,x\n# c\n2,y\n", (2, 0), &[]);
    check("[input]\ncomment = \"none\"\n", "id,name\n1,x\n# c\n2,y\n", (2, 1), &[]);
}

#[test]
fn too_many_rejected_records_lead_to_the_option() {
    let failure = |spec: &str, input: &[u8]| run(spec, input, 1 << 20).unwrap_err();
    let said = |spec: &str, input: &[u8]| failure(spec, input).message;
    assert!(failure("", b"id,n\xe4me\n").hint.unwrap().contains("encoding = \"windows-1252\""));
    let typed = "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
    assert!(said(typed, b"id,name\n1,\xe4\n2,\xe4\n3,x\n").contains("encoding = \"windows-1252\""));
    assert!(said("", b"Sales\nof, 2025\n\nid,name,a\nx,y,z\n2,y,z\n3,z,z\n").contains("skip_lines = 3"));
    assert!(said(typed, b"id,name\nx,1\ny,2\n").ends_with("allows"));
}

#[test]
fn a_log_whose_fields_change_is_refused() {
    let log = |fields: &str| format!("#Version: 1.0\n#Fields: {fields}\n2025-01-01\tx\n");
    let same = log("date name") + &log("date name");
    assert_eq!(records(&run("", same.as_bytes(), 1 << 20).unwrap().0), (2, 0));
    let other = log("date name") + &log("name date");
    assert_eq!(run("", other.as_bytes(), 1 << 20).unwrap_err().code, "syntax_error");
}

/// What a CSV is made of here.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        ",",
        ";",
        "\t",
        "|",
        " ",
        "^",
        "\u{1}",
        "\"",
        "\"\"",
        " \"a, b\" ",
        "#",
        "# x\n",
        "#Fields: a b\n",
        "a,b\n",
        "1,2\n",
        "a",
        "1",
        "\n",
        "\r\n",
        "\r",
        "\u{feff}",
        "sep=;\n",
        "é",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also where the beginning that says how it is written ends inside it.
    #[test]
    fn however_it_is_cut_it_is_read_alike(head in text(), tail in text(), long: bool, told: bool) {
        let middle = if long { "1,2\n".repeat(17_000) } else { String::new() };
        let input = format!("{head}{middle}{tail}");
        let spec = format!("{LENIENT}{}", if told { "[input]\nformat = \"csv\"\n" } else { "" });
        let whole = run(&spec, input.as_bytes(), input.len().max(1));
        let chunks: &[usize] = if long { &[4099, 65_536, 65_537] } else { &[1, 2, 7] };
        for chunk in chunks {
            prop_assert_eq!(&run(&spec, input.as_bytes(), *chunk), &whole, "chunks of {}", chunk);
        }
    }
}
