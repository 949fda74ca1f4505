//! Dialects, one case each: what is taken, and what is only said.

use super::{Dialect, HEAD, Head, Told, detect};

const NOTHING: Told<'_> = Told { delimiter: None, quote: b'"', odd: None, comment: None, header: true };

fn of(text: &str, told: &Told<'_>) -> Dialect {
    detect(Head { text: text.as_bytes(), whole: true }, told).unwrap()
}

/// Delimiter, comment, names, codes of the notes.
fn told_of(dialect: &Dialect) -> (char, String, String, String) {
    let notes: Vec<&str> = dialect.notes.iter().map(|note| note.code()).collect();
    let comment = String::from_utf8(dialect.comment.clone()).unwrap();
    (char::from(dialect.delimiter), comment, dialect.names.join(" "), notes.join(" "))
}

fn check(cases: &[(&str, char, &str, &str, &str)], told: &Told<'_>) {
    for (text, delimiter, comment, names, notes) in cases {
        let expected = (*delimiter, (*comment).to_owned(), (*names).to_owned(), (*notes).to_owned());
        assert_eq!(told_of(&of(text, told)), expected, "{text:?}");
    }
}

#[test]
fn the_header_has_most_of_its_delimiter() {
    check(
        &[
            ("id,name,total\n1;2;3;4;5\n", ',', "", "", ""),
            ("id;name;total, EUR\n", ';', "", "", ""),
            ("\"a,b,c\";d\n", ';', "", "", ""),
            ("\"a\n,,,\"\tb\n", '\t', "", "", ""),
            ("\"id\"\t\"name\"\n", '\t', "", "", ""),
            ("\tname\n1\tx\n", '\t', "", "", ""),
            ("id|name\n", '|', "", "", ""),
            ("id\n1,2\n", ',', "", "", ""),
            ("a,b;c\n", ',', "", "", ""),
            ("a, \"b;;\nc\"\n1,2\n", ',', "", "", ""),
            ("size 5\",name\n1,2\n", ',', "", "", ""),
            ("name\nAnn\nBob\n", ',', "", "", ""),
            ("", ',', "", "", ""),
            ("nonsense", ',', "", "", ""),
            // As many as rejected records may be: what is read today is read so tomorrow.
            ("a,b\n1;2,3\n1,2,3;4\n5,6\n7,8\n", ',', "", "", ""),
        ],
        &NOTHING,
    );
}

#[test]
fn most_records_may_contradict_it_where_all_agree_on_another() {
    check(
        &[
            ("2024|a, b, c|x\n2025|a|y\n2026|d, e|z\n", '|', "", "", ""),
            ("a,b,c;d\n1;2\n3;4\n", ';', "", "", ""),
            // The header's first choice stays where the others do not agree.
            ("a,b,c;d\n1;2\n3\n", ',', "", "", ""),
        ],
        &NOTHING,
    );
}

#[test]
fn rare_delimiters_are_taken_where_they_can_be_nothing_else_and_named_where_they_can() {
    check(
        &[
            ("id\u{1}name\n1\u{1}Ann\n", '\u{1}', "", "", "delimiter_detected"),
            ("id\u{1f}name\n1\u{1f}Ann\n", '\u{1f}', "", "", "delimiter_detected"),
            ("id^name^city\n1^Ann, B^Rome\n", '^', "", "", "delimiter_detected"),
            ("id~name~city\n1~Ann~Rome\n", '~', "", "", "delimiter_detected"),
            // Once a line is too little to be certain, and so is one line.
            ("id~name\n1~Ann\n", ',', "", "", "one_column"),
            ("id^name^city\n", ',', "", "", ""),
            ("id^name^city\n1^Ann\n", ',', "", "", ""),
            ("id:name\n1:Ann\n", ',', "", "", "one_column"),
            ("date time bytes\n2025-01-01 00:00:05 563\n", ',', "", "", "one_column"),
            ("id::name::note\n1::Ann::x\n", ',', "", "", "delimiter_of_several"),
            ("id^^name^^note\n1^^Ann^^x\n", ',', "", "", "delimiter_of_several"),
            ("id||name||note\n1||ann||a|b\n2||bob||\n", '|', "", "", "delimiter_of_several"),
            // Prose, times, addresses.
            ("text\nThe rain it raineth\nevery day\n", ',', "", "", ""),
            ("time\n12:30:01\n12:30:02\n", ',', "", "", ""),
            ("url\nhttp://a.example/\nhttp://b.example/\n", ',', "", "", ""),
        ],
        &NOTHING,
    );
    let log = |agent: &str| {
        format!("192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 2326 \"-\" \"{agent}\"\n")
    };
    let plain = log("curl/8").repeat(3);
    let commas = log("Mozilla/5.0 (X11, Linux) (KHTML, like Gecko)").repeat(3);
    check(
        &[
            (&plain, ',', "", "", "one_column"),
            (&commas, ',', "", "", "delimiter_doubtful"),
            (&(log("a") + &commas + &plain), ',', "", "", "one_column"),
        ],
        &NOTHING,
    );
}

#[test]
fn a_delimiter_that_is_told_is_taken_and_may_be_doubted() {
    let told = Told { delimiter: Some(b','), ..NOTHING };
    check(
        &[
            ("id;name\n1;Ann\n", ',', "", "", "one_column"),
            ("id^name^city\n1^Ann^Rome\n", ',', "", "", "one_column"),
            ("sep=;\nid,name\n1,Ann\n", ',', "", "", "lines_before_header"),
        ],
        &told,
    );
}

#[test]
fn a_line_may_say_what_the_delimiter_is() {
    for (text, skip) in
        [("sep=;\nid;a,b,c\n1;2\n", 6), ("\"sep=;\"\r\nid;name\n", 9), ("SEP=;\rid;name\n", 6)]
    {
        let dialect = of(text, &NOTHING);
        assert_eq!((dialect.delimiter, dialect.skip), (b';', skip), "{text:?}");
        assert_eq!(told_of(&dialect).3, "delimiter_line");
    }
    for text in ["sep=;;\na;b\n", "sep=\n", "sep=;", "separator,b\n"] {
        assert_eq!(of(text, &NOTHING).skip, 0, "{text:?}");
    }
}

#[test]
fn comments_have_other_fields_than_records() {
    check(
        &[
            (
                "# station 7, monthly\n# ppm\nyear,month,mean\n1958,3,1.5\n# moved\n1958,4,2\n",
                ',',
                "#",
                "",
                "",
            ),
            ("year,mean\n1958,3\n# moved\n1959,4\n", ',', "#", "", ""),
            ("# made by hand\nid\tname\n1\tx\n", '\t', "#", "", ""),
            // By accident as many fields as a record, but what follows is the header.
            ("# station, monthly\nyear,mean\n1958,3\n1959,4\n", ',', "#", "", ""),
            // A header that begins with the sign, and records that do.
            ("#id,name\n1,Ann\n", ',', "", "", ""),
            ("# x,y\n1,2\n3,4\n", ',', "", "", ""),
            ("#id,name\nAnn,Rome\nBob,Bonn\n", ',', "", "", "comment_doubtful"),
            ("issue,state\n#1,open\n#2,shut\n", ',', "", "", ""),
            ("issue,state\n#1,open\n#2,shut,x\n3,open\n", ',', "", "", ""),
            ("##format=v4\n##a=b,c\n#CHROM\tPOS\n1\t20\n", '\t', "##", "", ""),
            ("# made by x\n# a,b\n1,2\n3,4\n", ',', "", "", "comment_doubtful lines_before_header"),
            // One column: nothing tells them apart.
            ("# names\nname\nAnn\n", ',', "", "", "comment_doubtful"),
            ("name\nAnn\nBob\n# gone\nCid\n", ',', "", "", "comment_doubtful"),
            ("tag\n#a\n#b\n", ',', "", "", ""),
            ("#a\n#b\n", ',', "", "", ""),
            // Inside quotes it is no line of its own.
            ("id,note\n1,\"a\n# b\"\n2,c\n", ',', "", "", ""),
        ],
        &NOTHING,
    );
    let text = "# a\nid,name\n1,x\n";
    check(&[(text, ',', "", "", "lines_before_header")], &Told { comment: Some(b""), ..NOTHING });
    check(&[("; a\nid,name;a;b;c\n1,x\n", ',', ";", "", "")], &Told { comment: Some(b";"), ..NOTHING });
    check(&[("// a\nid,name\n1,x\n", ',', "//", "", "")], &Told { comment: Some(b"//"), ..NOTHING });
    check(&[("# a\n1,x\n2,y\n", ',', "#", "", "")], &Told { header: false, ..NOTHING });
    check(&[("a#b\n#\n#2\n", '#', "", "", "")], &Told { delimiter: Some(b'#'), ..NOTHING });
    check(&[("a,b\n#x#,1\n#,#,2\n", ',', "", "", "")], &Told { quote: b'#', ..NOTHING });
}

#[test]
fn a_comment_may_name_the_columns_of_a_log() {
    check(
        &[
            (
                "#Version: 1.0\n#Fields: date cs(Referer)\n2025-01-01\t-\n",
                '\t',
                "#",
                "date cs(Referer)",
                "fields_in_comment",
            ),
            ("#Software: x\n#Fields: a b c\n1 2 3\n4 5 6\n", ' ', "#", "a b c", "fields_in_comment"),
            (
                "#separator \\x09\n#fields\tts\tuid\n1.5\tC1\n#close\t2\n",
                '\t',
                "#",
                "ts uid",
                "fields_in_comment",
            ),
            ("#Version: 1.0\n#Fields: a b\n", '\t', "#", "a b", "fields_in_comment"),
        ],
        &NOTHING,
    );
}

#[test]
fn a_first_line_that_is_no_header_is_said() {
    check(
        &[
            (
                "Sales ledger\nPrinted 2025-02-01\n\nday,item,amount\na,b,1\nc,d,2\n",
                ',',
                "",
                "",
                "lines_before_header",
            ),
            ("Sales, 2025\nday,item,amount\na,b,1\nc,d,2\n", ',', "", "", "lines_before_header"),
            ("a,b,c,\n1,2,3\n4,5,6\n", ',', "", "", "delimiter_at_end"),
            ("a,b,c\n1,2,3,\n4,5,6,\n", ',', "", "", "delimiter_at_end"),
            ("2025-01-01,5,x\n2025-01-02,6,y\n", ',', "", "", "header_doubtful"),
            ("country,2019,2020\nDE,1,2\n", ',', "", "", ""),
            ("name,group,score\nNorth,A,5\nEast,A\nWest,B,7\nSouth\n", ',', "", "", ""),
            ("id,amount\n1,2\n3,4\n***END***\n", ',', "", "", ""),
        ],
        &NOTHING,
    );
    let text = "a,b\n1,2\n3,4\n";
    check(&[(text, ',', "", "", "")], &Told { header: false, ..NOTHING });
}

#[test]
fn a_head_without_a_whole_record_says_nothing_yet() {
    let text = format!("a,\"{}", "x".repeat(HEAD));
    assert_eq!(detect(Head { text: &text.as_bytes()[..HEAD], whole: false }, &NOTHING), None);
    assert_eq!(of(&text, &NOTHING).delimiter, b',');
    let header = "a\t".repeat(HEAD);
    assert_eq!(of(&header, &NOTHING).delimiter, b'\t');
}

#[test]
fn no_note_holds_a_text_of_the_input() {
    for text in ["secretone secrettwo\nsecret1 secret2\n", "secret\n# secret\nsecret,secret\nsecret,secret\n"]
    {
        for note in of(text, &NOTHING).notes {
            assert!(!note.message().contains("secret"));
        }
    }
}
