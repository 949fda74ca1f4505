//! CSV in other dialects: each makes, to the byte, what the same table makes as RFC 4180 has it.

use proptest::prelude::*;

use super::csv_tests::{records, run, warnings};
use super::job_tests::{LENIENT, Made};

/// The table that all of them hold.
const PLAIN: &str = "id,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n";

/// `[input]` of a spec, a text, and the plain text that it makes the same of.
fn kinds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let odd = |spec: &'static str, text: &str| (spec, text.as_bytes().to_vec(), PLAIN);
    let mut kinds = vec![
        odd("skip_lines = 2", "Sales\nof 2025, all, of, it\nid,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n"),
        odd("skip_lines = 3", "Sales\r\n\"a\r\n\r\nid,name,n\r\n1,x,2.5\r\n2,y,\r\n3,\"a, b\",4.5\r\n"),
        odd("header_at = \"id,\"", "Sales\nno id,\n\nid,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n"),
        odd(
            "header_matches = \"^id,[a-z]+,n$\"",
            "Sales\nid, and n\n\nid,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n",
        ),
        odd("header_matches = \"n\"", "Sales\r\n\r\nid,name,n\r\n1,x,2.5\r\n2,y,\r\n3,\"a, b\",4.5\r\n"),
        odd("skip_lines = 1\nheader_at = \"id\"", "id of all\nx\nid,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n"),
        odd("footer_lines = 1", "id,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n3 rows\n"),
        odd("footer_lines = 2", "id,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n\"3\nrows"),
        odd("footer_at = \"***\"", "id,name,n\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n***END***\n4,z,1\n\"\n"),
        odd("", "id,name,n,\n1,x,2.5\n2,y,\n3,\"a, b\",4.5\n"),
        odd("", "id,name,n\n1,x,2.5,\n2,y,,\n3,\"a, b\",4.5,\n"),
        odd("trailing_delimiter = true", "id,name,n,\n1,x,2.5\n2,y,,\n3,\"a, b\",4.5,\n"),
        odd("short_rows = \"pad\"", "id,name,n\n1,x,2.5\n2,y\n3,\"a, b\",4.5\n"),
        odd("long_rows = \"cut\"", "id,name,n\n1,x,2.5\n2,y,,z,z\n3,\"a, b\",4.5,\n"),
        odd("delimiter = \"||\"", "id||name||n\n1||x||2.5\n2||y||\n3||a, b||4.5\n"),
        odd("delimiter = \"~|~\"", "id~|~name~|~n\r\n1~|~\"x\"~|~2.5\r\n2~|~y~|~\r\n3~|~\"a, b\"~|~4.5"),
        odd("quote = \"none\"\ndelimiter = \"\\t\"", "id\tname\tn\n1\tx\t2.5\n2\ty\t\n3\ta, b\t4.5\n"),
    ];
    for big in [false, true] {
        for mark in [false, true] {
            let units = mark.then_some(0xfeff).into_iter().chain(PLAIN.encode_utf16());
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let name = if big { "encoding = \"utf-16be\"" } else { "encoding = \"utf-16le\"" };
            kinds.push((if mark { "" } else { name }, units.flat_map(bytes).collect(), PLAIN));
        }
    }
    let quotes = "id,name,n\n1,\"see \"\"Annex B\"\", page 2\",1\n2,\"\\n\",2\n3,\"a,b\nc\",3\n";
    let escaped = "id,name,n\n1,\"see \\\"Annex B\\\", page 2\",1\n2,\\n,2\n3,a\\,b\\\nc,3\n";
    kinds.push(("escape = \"\\\\\"", escaped.as_bytes().to_vec(), quotes));
    let text = "id,name,n\n1,\"\"\"Giliap\"\"\",1\n2,\"\"\"Rome, open\",2\n3,\"Plain 6\"\" disc\",3\n";
    let bare = "id\tname\tn\n1\t\"Giliap\"\t1\n2\t\"Rome, open\t2\n3\tPlain 6\" disc\t3\n";
    kinds.push(("format = \"tsv\"\nquote = \"none\"", bare.as_bytes().to_vec(), text));
    let wide = "id,name,column_3,column_4\n1,x,,\n2,y,7,\n3,z,8,9\n";
    kinds.push((
        "short_rows = \"pad\"\nlong_rows = \"name\"",
        b"id,name\n1,x\n2,y,7\n3,z,8,9\n".to_vec(),
        wide,
    ));
    let clash = "column_3,name,column_3_2\n1,x,\n2,y,7\n";
    kinds.push((
        "short_rows = \"pad\"\nlong_rows = \"name\"",
        b"column_3,name\n1,x\n2,y,7\n".to_vec(),
        clash,
    ));
    let lines = "id,name\n1,\"a\r\nb\"\n2,\"c||d\"\n3,\\N\n";
    let escaped = b"id||name\n1||a\\\r\nb\n2||c\\||d\n3||\\N\n".to_vec();
    kinds.push(("delimiter = \"||\"\nescape = \"\\\\\"", escaped, lines));
    let euro = "id,name\n1,9 €\n2,Schlüssel „XL“\n";
    let windows = b"id,name\n1,9 \x80\n2,Schl\xfcssel \x84XL\x93\n".to_vec();
    kinds.push(("encoding = \"latin1\"", windows, euro));
    let greek = "id,name\n1,Αθήνα\n";
    kinds.push(("encoding = \"ISO-8859-7\"", b"id,name\n1,\xc1\xe8\xde\xed\xe1\n".to_vec(), greek));
    kinds
}

/// The part files without their footers, which name the input's spec.
pub(super) fn tables(made: &Made) -> Vec<(&str, &[u8])> {
    let data = |bytes: &'_ [u8]| {
        let footer: [u8; 4] = bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap();
        bytes.len() - 8 - u32::from_le_bytes(footer) as usize
    };
    made.parts.iter().map(|(table, _, bytes)| (table.as_str(), &bytes[..data(bytes)])).collect()
}

#[test]
fn every_dialect_makes_what_the_plain_one_makes() {
    for (input, text, plain) in kinds() {
        let spec = format!("{LENIENT}[input]\n{input}\n");
        let (expected, _) = run(LENIENT, plain.as_bytes(), 1 << 20).unwrap();
        for chunk in [1, 7, 1 << 20] {
            let (made, proposed) =
                run(&spec, &text, chunk).unwrap_or_else(|failure| panic!("{input}: {failure:?}"));
            assert_eq!(
                records(&made),
                records(&expected),
                "{input} in chunks of {chunk}: {:?}",
                made.quarantine
            );
            assert_eq!(tables(&made), tables(&expected), "{input} in chunks of {chunk}");
            // What was told and detected is pinned, and makes the same once more.
            let (again, _) = run(&proposed, &text, 1 << 20).unwrap();
            assert_eq!(again.parts.len(), made.parts.len(), "{proposed}");
            assert_eq!(records(&again), records(&made), "{proposed}");
        }
    }
}

#[test]
fn an_empty_field_in_quotes_is_null_or_a_text() {
    let input = "id,name\n1,\"\"\n2,\n3,x\n";
    let taken = |more: &str| {
        let spec = format!(
            "{LENIENT}[input]\nquoted_empty = \"{more}\"\n[[table]]\nname = \"t\"\n[[table.check]]\nname = \"full\"\nsql = \"name IS NOT NULL\"\non_fail = \"reject\"\n"
        );
        records(&run(&spec, input.as_bytes(), 1 << 20).unwrap().0)
    };
    assert_eq!((taken("null"), taken("text")), ((1, 2), (2, 1)));
}

#[test]
fn what_is_lost_or_filled_is_counted() {
    let told = |input: &str, text: &str| {
        let spec = format!("{LENIENT}[input]\n{input}\n");
        let (made, _) = run(&spec, text.as_bytes(), 1 << 20).unwrap();
        (records(&made), warnings(&made).iter().map(|(code, n)| format!("{code} {n}")).collect::<Vec<_>>())
    };
    let text = "a,b,c\n1,2,3\n1,2\n1\n1,2,3,4\n";
    assert_eq!(told("", text), ((1, 3), vec![]));
    assert_eq!(told("short_rows = \"pad\"", text), ((3, 1), vec!["rows_padded 2".into()]));
    assert_eq!(told("long_rows = \"cut\"", text), ((2, 2), vec!["rows_cut 1".into()]));
    let said = run("", b"a,b\n1\n2\n3\n", 1 << 20).unwrap_err();
    assert!(said.message.contains("field_count"), "{said:?}");
}

#[test]
fn edges_that_are_not_there_are_said() {
    let failure = run("[input]\nheader_at = \"day\"\n", b"id,name\n1,x\n", 1 << 20).unwrap_err();
    assert!(failure.message.contains("no line begins with \"day\""), "{failure:?}");
    let failure = run("[input]\nheader_matches = \"^d.y\"\n", b"id,name\n1,x\n", 1 << 20).unwrap_err();
    assert!(failure.message.contains("no line matches \"^d.y\""), "{failure:?}");
    let text = format!("{}a,\0b\n", "id,name\n".repeat(30));
    let failure = run("", text.as_bytes(), 1 << 20).unwrap_err();
    assert!(failure.message.contains("NUL byte") && failure.place.line == Some(31), "{failure:?}");
    let (made, _) = run("[input]\nformat = \"csv\"\n", text.as_bytes(), 1 << 20).unwrap();
    assert_eq!(records(&made), (1, 0));
    let (made, _) = run("[input]\nfooter_lines = 9\nformat = \"csv\"\n", b"id,name\n1,x\n", 1 << 20).unwrap();
    assert_eq!(records(&made), (0, 0));
}

#[test]
fn offsets_are_those_of_the_bytes_that_came() {
    let text = "id,name\n1,é\n2,\u{1f600}\nx,z\n";
    let spec = "[output]\nmax_rejected = \"100%\"\n[[table]]\nname = \"t\"\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
    let place = |input: &str, bytes: &[u8]| {
        let (made, _) = run(&format!("[input]\n{input}\n{spec}"), bytes, 3).unwrap();
        let line: serde_json::Value = serde_json::from_str(made.quarantine.lines().next().unwrap()).unwrap();
        (
            line["offset"].as_u64().unwrap(),
            line["length"].as_u64().unwrap(),
            line["raw"].as_str().unwrap().to_owned(),
        )
    };
    let at = text.find('x').unwrap();
    assert_eq!(place("", text.as_bytes()), (at as u64, 3, "x,z".into()));
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let units = text[..at].encode_utf16().count() as u64;
    assert_eq!(place("encoding = \"utf-16le\"", &utf16), (2 * units, 6, "x,z".into()));
    let narrow: Vec<u8> = text.replace('\u{1f600}', "~").chars().map(|c| c as u8).collect();
    let narrow_at = narrow.iter().position(|&byte| byte == b'x').unwrap() as u64;
    assert_eq!(place("encoding = \"latin1\"", &narrow), (narrow_at, 3, "x,z".into()));
}

/// Fields of a table, in the signs that a dialect has to keep apart.
fn fields() -> impl Strategy<Value = Vec<Vec<String>>> {
    let field = prop::collection::vec(
        prop::sample::select(vec!["a", "1", ",", ";", "|", "||", "\"", "\\", "\n", "\r\n", " ", "é", "~"]),
        0..5,
    )
    .prop_map(|pieces| pieces.concat());
    prop::collection::vec(prop::collection::vec(field, 3..=3), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// Written by doubling or by escaping, by one sign or by several: the same table.
    #[test]
    fn however_fields_are_kept_apart_they_are_the_same(rows in fields(), sign in prop::sample::select(vec![",", "||", "~|"]), chunk in 1_usize..20) {
        let write = |delimiter: &str, quote: &dyn Fn(&str) -> String| {
            let line = |fields: &[String]| fields.iter().map(|field| quote(field)).collect::<Vec<_>>().join(delimiter) + "\n";
            ["a", "b", "c"].join(delimiter) + "\n" + &rows.iter().map(|row| line(row)).collect::<String>()
        };
        let doubled = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        let escaped = |field: &str| format!("\"{}\"", field.replace('\\', "\\\\").replace('"', "\\\""));
        let typed = "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"a\"\ntype = \"string\"\n[[table.column]]\nname = \"b\"\ntype = \"string\"\n[[table.column]]\nname = \"c\"\ntype = \"string\"\n";
        let of = |input: &str, text: &str, chunk: usize| {
            let spec = format!("{LENIENT}[input]\nformat = \"csv\"\ncomment = \"none\"\n{input}\n{typed}");
            run(&spec, text.as_bytes(), chunk).unwrap().0
        };
        let plain = of("delimiter = \",\"", &write(",", &doubled), 1 << 20);
        let told = format!("delimiter = \"{sign}\"\nescape = \"\\\\\"");
        let other = of(&told, &write(sign, &escaped), chunk);
        prop_assert_eq!(tables(&other), tables(&plain), "{}", write(sign, &escaped));
        prop_assert_eq!(records(&other), (rows.len() as u64, 0));
        // Without quotes around them: what would end the field, or be one, is escaped.
        let bare = |field: &str| {
            let mut text = field.replace('\\', "\\\\").replace('"', "\\\"");
            for end in [sign, "\r\n", "\n"] {
                text = text.replace(end, &format!("\\{end}"));
            }
            text.replace("\\\r\\\n", "\\\r\n")
        };
        let unquoted = of(&told, &write(sign, &bare), chunk);
        // An empty line is no record; and where a delimiter begins before its field ends, only quotes tell.
        let apart = |field: &String| sign.len() == 1 || !field.contains(|c| sign.contains(c));
        if rows.iter().all(|row| row.iter().any(|field| !field.is_empty()) && row.iter().all(apart)) {
            prop_assert_eq!(tables(&unquoted), tables(&plain), "{}", write(sign, &bare));
        }
        let again = of(&format!("delimiter = \"{sign}\""), &write(sign, &doubled), chunk);
        prop_assert_eq!(tables(&again), tables(&plain));
    }
}
