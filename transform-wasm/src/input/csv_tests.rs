//! CSV against cases written out and against a reader too simple to be wrong.

use super::{Block, CsvFault, CsvOptions, CsvStep, CsvTokenizer, Room, SyntaxError};
use proptest::prelude::*;

type Records = Vec<Vec<String>>;

/// All records of a whole input, blank lines left out, and the number of its lines.
fn read_all(input: &[u8], options: CsvOptions) -> Result<(Records, u32), SyntaxError> {
    let mut tokenizer = CsvTokenizer::new(options);
    let (mut at, mut lines, mut records) = (0, 0, Vec::new());
    loop {
        match tokenizer.read(&input[at..], true)? {
            CsvStep::Record { consumed, lines: more } => {
                let text = |index| String::from_utf8_lossy(tokenizer.text(&input[at..], index)).into_owned();
                records.push((0..tokenizer.fields().len()).map(text).collect());
                at += consumed;
                lines += more;
            }
            CsvStep::Blank { consumed, lines: more } => {
                at += consumed;
                lines += more;
            }
            CsvStep::End => return Ok((records, lines)),
            CsvStep::Incomplete => panic!("incomplete at the end of the input"),
        }
    }
}

fn records(input: &str) -> Records {
    read_all(input.as_bytes(), CsvOptions::default()).unwrap().0
}

fn error(input: &str) -> SyntaxError {
    read_all(input.as_bytes(), CsvOptions::default()).unwrap_err()
}

#[test]
fn fields_and_line_ends() {
    for (input, expected) in [
        ("", vec![]),
        ("\n\r\n\r", vec![]),
        ("a", vec![vec!["a"]]),
        ("a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
        ("a,b\r\n1,2", vec![vec!["a", "b"], vec!["1", "2"]]),
        ("a,b\r1,2\r", vec![vec!["a", "b"], vec!["1", "2"]]),
        ("a\n\n\nb\n", vec![vec!["a"], vec!["b"]]),
        (",\n", vec![vec!["", ""]]),
        ("a,\n", vec![vec!["a", ""]]),
        ("a,", vec![vec!["a", ""]]),
        ("\"\"\n", vec![vec![""]]),
        ("\"a\",\"\"", vec![vec!["a", ""]]),
        ("\"a,b\",c\n", vec![vec!["a,b", "c"]]),
        ("\"a\nb\r\nc\rd\",e\n", vec![vec!["a\nb\r\nc\rd", "e"]]),
        ("\"a\"\"b\"\n", vec![vec!["a\"b"]]),
        ("\"\"\"\"\n", vec![vec!["\""]]),
        ("\"\"\"a\"\"\",\"\"\"\"\"\"", vec![vec!["\"a\"", "\"\""]]),
        ("a\"b\",5\"\n", vec![vec!["a\"b\"", "5\""]]),
        ("a, \"b\"\n", vec![vec!["a", "b"]]),
        ("a, \"b, c\", d\n", vec![vec!["a", "b, c", " d"]]),
        ("\"a\" ,\t\"b\" \t\r\n", vec![vec!["a", "b"]]),
        (" \"a \"\"b\"\"\nc\" ,d", vec![vec!["a \"b\"\nc", "d"]]),
        (" \"\" , \"\"", vec![vec!["", ""]]),
        // A quote anywhere else in a field that does not begin with one is text.
        (" \"a,b\n", vec![vec![" \"a", "b"]]),
        (" \"a\"b,c\n", vec![vec![" \"a\"b", "c"]]),
        (" \"a, b\" x,c\n", vec![vec![" \"a", " b\" x", "c"]]),
        (" x\"a\",b\n", vec![vec![" x\"a\"", "b"]]),
        ("1, \"5 in\n2, \"6 in\n", vec![vec!["1", " \"5 in"], vec!["2", " \"6 in"]]),
        ("ä,\u{1F600}\n", vec![vec!["ä", "\u{1F600}"]]),
    ] {
        assert_eq!(records(input), expected, "{input:?}");
    }
}

#[test]
fn quoted_and_escaped_fields_are_marked() {
    let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
    let input = b"a,\"\",\"b\"\"c\"\n";
    assert_eq!(tokenizer.read(input, false), Ok(CsvStep::Record { consumed: 12, lines: 1 }));
    let marks: Vec<_> = tokenizer.fields().iter().map(|field| (field.quoted, field.escaped)).collect();
    assert_eq!(marks, [(false, false), (true, false), (true, true)]);
}

#[test]
fn lines_are_counted_inside_quotes_too() {
    assert_eq!(read_all(b"a\n\"1\n2\r\n3\r4\"\n\nb", CsvOptions::default()).unwrap().1, 7);
}

#[test]
fn other_delimiters_and_quotes() {
    let options = CsvOptions::new(b';', b'\'').unwrap();
    assert_eq!(read_all(b"a,b;'c;''d'\"\n", options).unwrap_err().fault, CsvFault::AfterQuote);
    assert_eq!(read_all(b"a,b;'c;''d'\n", options).unwrap().0, [["a,b", "c;'d"]]);
}

#[test]
fn broken_records_say_where() {
    let got = error("a,b\n\"x\ny\",\"é\"z,1\nnext,2\n");
    let expected =
        SyntaxError { fault: CsvFault::AfterQuote, offset: 10, line: 1, column: 7, consumed: 14, lines: 2 };
    assert_eq!(got, expected);
    let got = error("1,\"open\n2,x\n");
    assert_eq!(
        (got.fault, got.offset, got.line, got.column, got.consumed),
        (CsvFault::OpenQuote, 2, 0, 3, 12)
    );
    // Not before the whole broken line is there, so that it can be shown.
    let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
    assert_eq!(tokenizer.read(b"\"a\"b", false), Ok(CsvStep::Incomplete));
    assert_eq!(tokenizer.read(b"\"a\"b\n", false).unwrap_err().consumed, 5);
}

#[test]
fn blanks_around_quotes_are_counted() {
    let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
    for (input, trimmed) in [("a,b", 0), (" \"a\",\"b\" ,c", 2), (" \"a\"x, b ", 0), ("\"a\"\t\n", 1)] {
        assert!(matches!(tokenizer.read(input.as_bytes(), true), Ok(CsvStep::Record { .. })));
        assert_eq!(tokenizer.trimmed(), trimmed, "{input:?}");
    }
}

#[test]
fn blanks_that_are_delimiters_are_none_around_quotes() {
    let tabs = CsvOptions::new(b'\t', b'"').unwrap();
    assert_eq!(read_all(b"\t\"a\"\t \"b\" \n", tabs).unwrap().0, [["", "a", "b"]]);
    let spaces = CsvOptions::new(b' ', b'"').unwrap();
    assert_eq!(read_all(b"a \"b c\" \n", spaces).unwrap().0, [["a", "b c", ""]]);
}

#[test]
fn a_quote_behind_blanks_reaches_only_so_far() {
    let field = |length: usize| format!("1, \"{}\nx\"\n2,b\n", "x".repeat(length));
    assert_eq!(records(&field(1000)).len(), 2);
    assert_eq!(
        records(&field(1 << 20)).len(),
        3,
        "the quote is text, and the line ends before the other one"
    );
    // Nothing of it depends on what comes later, nor on how much is there.
    let (long, short) = (field(1 << 20), field((1 << 20) - 4));
    for (text, end) in [(long, 5 + (1 << 20)), (short, 4 + (1 << 20))] {
        let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
        let whole = tokenizer.read(text.as_bytes(), true).unwrap();
        assert!(matches!(whole, CsvStep::Record { consumed, .. } if consumed == end), "{whole:?}, not {end}");
        for cut in end..text.len() {
            let early = tokenizer.read(&text.as_bytes()[..cut], false).unwrap();
            assert!(early == whole || early == CsvStep::Incomplete);
        }
    }
}

#[test]
fn invalid_utf8_names_its_field() {
    let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
    let long = [b"good,".repeat(30), b"b\xffd,\"x\"\"\xc3\",\xc3\xa9\n".to_vec()].concat();
    assert!(matches!(tokenizer.read(&long, true), Ok(CsvStep::Record { .. })));
    assert_eq!(tokenizer.invalid_field(), Some(30));
    assert!(matches!(tokenizer.read("é,ü\n".as_bytes(), true), Ok(CsvStep::Record { .. })));
    assert_eq!(tokenizer.invalid_field(), None);
    // A character cut by the record's end is not completed by the next record.
    assert!(matches!(tokenizer.read(b"a\xc3\n\xa9\n", true), Ok(CsvStep::Record { .. })));
    assert_eq!(tokenizer.invalid_field(), Some(0));
}

/// What a CSV file is to its reader, one case each: the text, its header and its rows.
#[test]
fn quotes_line_ends_and_empty_fields() {
    type Case = (&'static str, &'static [&'static [&'static str]]);
    let cases: [Case; 11] = [
        ("x,y,z\n7,8,9\n", &[&["x", "y", "z"], &["7", "8", "9"]]),
        ("x,y,z\r\n7,8,9\r\n", &[&["x", "y", "z"], &["7", "8", "9"]]),
        (
            "name,street,town,code\nMia,7 Quay Rd.,\"Porto, PT\",04050",
            &[&["name", "street", "town", "code"], &["Mia", "7 Quay Rd.", "Porto, PT", "04050"]],
        ),
        ("x,y,z\n7,\"\",\"\"\n8,9,10", &[&["x", "y", "z"], &["7", "", ""], &["8", "9", "10"]]),
        ("x,y,z\r\n7,\"\",\"\"\r\n8,9,10", &[&["x", "y", "z"], &["7", "", ""], &["8", "9", "10"]]),
        (
            "x,y\n7,\"she said \"\"no\"\" twice\"\n8,9\n",
            &[&["x", "y"], &["7", "she said \"no\" twice"], &["8", "9"]],
        ),
        (
            "id,shape\n5,\"{\"\"kind\"\": \"\"line\"\", \"\"at\"\": [1.5, -2]}\"\n",
            &[&["id", "shape"], &["5", "{\"kind\": \"line\", \"at\": [1.5, -2]}"]],
        ),
        (
            "x,y\nfirst,7\n\"two\nlines\",8\nlast,9\n",
            &[&["x", "y"], &["first", "7"], &["two\nlines", "8"], &["last", "9"]],
        ),
        (
            "x,y\r\nfirst,7\r\n\"two\r\nlines\",8\r\nlast,9\r\n",
            &[&["x", "y"], &["first", "7"], &["two\r\nlines", "8"], &["last", "9"]],
        ),
        (
            "x,y\n7,\"one \n\"\"two\"\" \nthree\"\n8,9\n",
            &[&["x", "y"], &["7", "one \n\"two\" \nthree"], &["8", "9"]],
        ),
        ("x,y\n7,ł\n8,日本\n", &[&["x", "y"], &["7", "ł"], &["8", "日本"]]),
    ];
    for (input, expected) in cases {
        let (records, _) = read_all(input.as_bytes(), CsvOptions::default()).unwrap();
        assert_eq!(records, expected, "{input:?}");
    }
}

/// Whether a field begins so: blanks, a quoted text and blanks, and nothing else.
fn is_padded(rest: &str) -> bool {
    let text = rest.trim_start_matches([' ', '\t']);
    let Some(mut text) = text.strip_prefix('"').filter(|_| text.len() < rest.len()) else { return false };
    loop {
        let Some(close) = text.find('"') else { return false };
        text = &text[close + 1..];
        match text.strip_prefix('"') {
            Some(after) => text = after,
            None => break,
        }
    }
    let after = text.trim_start_matches([' ', '\t']);
    after.is_empty() || after.starts_with([',', '\n', '\r'])
}

/// One character at a time: none where the input is broken.
fn naive(input: &str) -> Option<Records> {
    let mut records = Vec::new();
    let mut chars = input.chars().peekable();
    while chars.peek().is_some() {
        let mut record = Vec::new();
        let mut quoted = false;
        loop {
            let mut field = String::new();
            if is_padded(&chars.clone().collect::<String>()) {
                while chars.next_if(|char| matches!(char, ' ' | '\t')).is_some() {}
            }
            if chars.next_if_eq(&'"').is_some() {
                quoted = true;
                loop {
                    match chars.next()? {
                        '"' if chars.next_if_eq(&'"').is_some() => field.push('"'),
                        '"' => break,
                        other => field.push(other),
                    }
                }
                while chars.next_if(|char| matches!(char, ' ' | '\t')).is_some() {}
                if !matches!(chars.peek(), None | Some(',' | '\n' | '\r')) {
                    return None;
                }
            } else {
                while let Some(char) = chars.next_if(|char| !matches!(char, ',' | '\n' | '\r')) {
                    field.push(char);
                }
            }
            record.push(field);
            if chars.next_if_eq(&',').is_none() {
                break;
            }
        }
        if chars.next_if_eq(&'\r').is_some() {
            chars.next_if_eq(&'\n');
        } else {
            chars.next();
        }
        if quoted || record != [""] {
            records.push(record);
        }
    }
    Some(records)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_reader(input in prop_oneof!["[a\",\r\né]{0,12}", "[a\" ,\n\t]{0,16}", "( {0,2}\"[a,\n]{0,3}(\"\")?\"? {0,2}[,\n]){0,9}", "([a-z]{0,9}[,\n]|\"[a-z, \n]{0,40}\"\"\"[,\n]){0,30}"]) {
        let ours = read_all(input.as_bytes(), CsvOptions::default()).ok().map(|(records, _)| records);
        prop_assert_eq!(ours, naive(&input));
    }

    #[test]
    fn a_block_holds_what_would_come_one_by_one(
        input in prop_oneof!["([a-c]{0,9},[0-9]{0,9}\r?\n){0,40}", "([a-zé]{0,9}[,\n]|\"[a-z, \n]{0,40}\"(\"b\")?[,\n\r]){0,30}", "[a\",\r\né]{0,24}", "[a\" ,\n]{0,24}", "((\"[a-z, \r\n]{0,20}(\"\"[a-z]{0,3}){0,2}\"|[a-zé ]{0,9}),(\"[a-z,]{0,30}\"|[0-9]{0,5})\r?\n){0,40}", "((\"[a-z, \n]{0,70}\"|[a-z]{0,9}|a\"b|\"\"\"\"),[a-z]{0,60},(\"\"|[0-9]{0,5})(\n|\r\n|\n\n|\r|,\n){0,1}){0,40}"],
        columns in 1usize..4,
        records in 1usize..50,
        bytes in 1usize..2000,
    ) {
        let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
        let mut block = Block::default();
        let room = Room { records, bytes, record_bytes: 150 };
        tokenizer.block(input.as_bytes(), columns, room, &mut block);
        prop_assert!(block.records <= records);
        let mut at = 0;
        for record in 0..block.records {
            prop_assert!(at < bytes);
            prop_assert_eq!(at, block.start(record));
            let rest = &input.as_bytes()[at..];
            let Ok(CsvStep::Record { consumed, .. }) = tokenizer.read(rest, false) else { panic!("no record") };
            prop_assert_eq!(tokenizer.fields().len(), columns);
            for index in 0..columns {
                let cells = block.column(input.as_bytes(), index);
                let (start, end) = cells.range(record);
                let text = &input.as_bytes()[start..end];
                let plain = match cells.quote(start) {
                    Some(_) => String::from_utf8_lossy(text).replace("\"\"", "\"").into_bytes(),
                    None => text.to_vec(),
                };
                prop_assert_eq!(&plain[..], tokenizer.text(rest, index));
            }
            at += consumed;
        }
        prop_assert_eq!(at, block.bytes);
        // It ends early only where the next record is odd, is not all there, or there is no room.
        let full = block.records == records || block.bytes >= bytes;
        if !full && !block.odd {
            let next = tokenizer.read(&input.as_bytes()[at..], false);
            let complete = matches!(next, Ok(CsvStep::Record { .. }));
            prop_assert!(!complete);
        }
    }

    #[test]
    fn written_records_come_back(rows in prop::collection::vec(prop::collection::vec("[a\",\r\n é]{0,70}", 1..5), 1..5)) {
        let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let text: String = rows.iter().map(|row| row.iter().map(quote).collect::<Vec<_>>().join(",") + "\r\n").collect();
        prop_assert_eq!(records(&text), rows);
    }

    #[test]
    fn a_longer_buffer_changes_no_answer(input in "[ab\" ,\r\né]{0,10}", more in "[ab\" ,\r\n]{0,3}") {
        let mut tokenizer = CsvTokenizer::new(CsvOptions::default());
        let early = tokenizer.read(input.as_bytes(), false);
        let fields = tokenizer.fields().to_vec();
        if early != Ok(CsvStep::Incomplete) {
            let longer = format!("{input}{more}");
            for at_end in [false, true] {
                prop_assert_eq!(tokenizer.read(longer.as_bytes(), at_end), early);
                prop_assert!(early.is_err() || tokenizer.fields() == fields);
            }
        }
    }
}
