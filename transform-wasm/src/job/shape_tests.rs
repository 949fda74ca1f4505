//! Where records are found, what a rejected one decides, and columns that nobody had.

use super::job_tests::{LENIENT, Made, drive, run};
use crate::{Options, Widened};

fn widened(spec: &str, data: &str, chunk: usize) -> Widened {
    let options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    match drive(&options, data.as_bytes(), chunk).unwrap() {
        Err(widened) => widened,
        Ok(made) => panic!("nothing was learned: {}", made.report),
    }
}

/// Records path, and each column with its type.
fn agreed(contract: &str) -> (Option<String>, Vec<String>) {
    let contract: serde_json::Value = serde_json::from_str(contract).unwrap();
    let columns = contract["columns"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let columns = columns.map(|c| format!("{} {}", text(&c["pointer"]), text(&c["type"])));
    (contract["records"].as_str().map(str::to_owned), columns.collect())
}

fn warnings(made: &Made) -> Vec<String> {
    let warnings = made.report["warnings"].as_array().unwrap();
    warnings.iter().map(|w| w["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_are_found_where_nothing_stands_beside_them() {
    let deep = r#"{"data":{"items":[{"id":1,"p":[{"q":1}]},{"id":2,"p":[]}]}}"#;
    for (data, records, columns, count) in [
        (r#"{"Records":[{"a":1},{"b":"x"}]}"#, Some("/Records"), vec!["/a bigint", "/b string"], 2),
        (deep, Some("/data/items"), vec!["/id bigint", "/p/*/q bigint"], 2),
        // Something beside them, behind the array or around it: one record, as if it had been read as one.
        (
            r#"{"r":[{"a":1},{"a":2}],"n":5,"o":{"z":1}}"#,
            None,
            vec!["/r/*/a bigint", "/n bigint", "/o/z bigint"],
            1,
        ),
        (
            r#"{"x":{"r":[{"a":1},{"a":2}],"n":5},"m":"y"}"#,
            None,
            vec!["/x/r json", "/x/n bigint", "/m string"],
            1,
        ),
        (r#"{"x":{"r":[{"a":1}]},"m":"y"}"#, None, vec!["/x/r json", "/m string"], 1),
        (r#"{"n":5,"r":[{"a":1}]}"#, None, vec!["/n bigint", "/r/*/a bigint"], 1),
        // Several documents: each is a record.
        (
            "{\"r\":[{\"a\":1}]}\n{\"r\":[{\"a\":2},{\"b\":1}]}\n",
            None,
            vec!["/r/*/a bigint", "/r/*/b bigint"],
            2,
        ),
        ("{\"r\":[{\"a\":1}]} {\"r\":[{\"a\":2}],\"c\":1}", None, vec!["/r/*/a bigint", "/c bigint"], 2),
        // An array within the elements is one within an array, when they turn out to be no records.
        (r#"{"r":[{"p":[{"q":1}]}],"n":5}"#, None, vec!["/r/*/p json", "/n bigint"], 1),
    ] {
        for chunk in [1, 5, 1 << 20] {
            let widened = widened("", data, chunk);
            let (found, met) = agreed(&widened.contracts[0].text);
            assert_eq!(
                (found.as_deref(), met),
                (records, columns.iter().map(|c| (*c).to_owned()).collect()),
                "{data}"
            );
            let report: serde_json::Value = serde_json::from_str(&widened.report).unwrap();
            assert_eq!(report["records"], count, "{data}");
            let made = run("", data.as_bytes(), chunk);
            assert_eq!(made.report["accepted"], count, "{data}");
            assert_eq!(made.report["rejected"], 0, "{data}");
        }
    }
}

#[test]
fn a_spec_that_pins_found_records_gives_the_same_rows() {
    let data = r#"{"Records":[{"a":1,"at":"2025-01-01"},{"a":2,"at":"2025-01-02"}]}"#;
    let proposed = widened("", data, 1 << 20);
    assert!(proposed.spec.contains("records = \"Records\""), "{}", proposed.spec);
    let (plain, pinned) = (run("", data.as_bytes(), 64), run(&proposed.spec, data.as_bytes(), 64));
    assert_eq!((plain.report["accepted"].clone(), pinned.report["accepted"].clone()), (2.into(), 2.into()));
    assert_eq!(pinned.report["tables"][0]["rows_out"], 2);
}

#[test]
fn a_rejected_record_of_the_guess_rejects_the_one_it_was_part_of() {
    // The element with a key twice rejects the only record there is, which then teaches nothing.
    let options = Options { table: Some("t".into()), ..Options::default() };
    let data = r#"{"r":[{"a":1,"a":2},{"b":1}],"n":5}"#;
    let failure = drive(&options, data.as_bytes(), 7).unwrap_err();
    assert_eq!(failure.code, "too_many_rejected", "{failure}");
    // Where the guess holds, it costs itself alone.
    let made = run(LENIENT, br#"{"r":[{"a":1,"a":2},{"b":1}]}"#, 7);
    assert_eq!((made.report["accepted"].clone(), made.report["rejected"].clone()), (1.into(), 1.into()));
}

#[test]
fn a_rejected_record_decides_nothing() {
    let csv = "[input]\nformat = \"csv\"\n[output]\nmax_rejected = \"100%\"\n[[table]]\n";
    let typed = format!("{csv}[[table.column]]\nname = \"amount\"\ntype = \"double\"\n");
    for (spec, data, expected) in [
        (csv.to_owned(), "id,amount\n1,2.5\n2,3\nTOTAL\n", vec!["/id bigint", "/amount double"]),
        (csv.to_owned(), "id,amount\n1,2.5\nx,y,z\n2,3\n", vec!["/id bigint", "/amount double"]),
        (typed, "id,amount\n1,2.5\n2,3\nTOTAL,n/a\n", vec!["/amount double", "/id bigint"]),
        (
            format!("{LENIENT}[[table]]\n[[table.column]]\nname = \"n\"\ntype = \"bigint\"\n"),
            "{\"n\":1,\"v\":2}\n{\"n\":1.5,\"v\":\"text\"}\n{\"n\":{\"x\":1},\"w\":1}\n",
            vec!["/n bigint", "/v bigint"],
        ),
        (
            LENIENT.to_owned(),
            "{\"v\":2}\n{\"v\":\"text\",\"v\":1}\n{\"w\":1\n{\"v\":1e999}\n[1]\n",
            vec!["/v bigint"],
        ),
    ] {
        for chunk in [3, 1 << 20] {
            assert_eq!(agreed(&widened(&spec, data, chunk).contracts[0].text).1, expected, "{data}");
        }
    }
}

#[test]
fn a_fault_that_decided_nothing_is_told_before_the_path_that_nobody_learned() {
    let column = "[[table.column]]\nname = \"n\"\ntype = \"bigint\"\n";
    let spec = format!("{LENIENT}[[table]]\n{column}");
    let rows = format!(
        "{LENIENT}[[table]]\nrows = \"items\"\n{}",
        column.replace("\"n\"\n", "\"n\"\nfrom = \"items.n\"\n")
    );
    let many = "{\"n\":1}\n".repeat(20);
    for (spec, data, path) in [
        (&spec, format!("{{\"new\":1,\"n\":\"no\"}}\n{many}"), "/n"),
        (&spec, format!("{{\"o\":{{\"p\":[1]}},\"n\":\"no\"}}\n{many}"), "/n"),
        (&spec, format!("{{\"n\":\"no\",\"new\":1}}\n{many}"), "/n"),
        (
            &rows,
            "{\"new\":1,\"items\":[{\"x\":1,\"n\":1},{\"n\":\"no\"}]}\n{\"items\":[{\"n\":1}]}\n".to_owned(),
            "/items/1/n",
        ),
        (&spec, "new,n\n1,no\n,1\n,2\n".to_owned(), "/n"),
    ] {
        let made = run(spec, data.as_bytes(), 64);
        let line = made.quarantine.lines().next().unwrap_or_else(|| panic!("{data}: {}", made.report));
        let said: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_ne!(said["code"], "unknown_column", "{data}");
        assert_eq!(said["path"], path, "{data}");
        assert_eq!(made.report["rejected"], 1, "{data}");
    }
}

#[test]
fn where_nothing_was_learned_the_quarantine_says_why() {
    let options = Options { table: Some("t".into()), ..Options::default() };
    let mut job = crate::Job::open(options).unwrap();
    job.push(b"{\"a\":1,\"a\":2}\n[2]\n".to_vec());
    job.end();
    let mut lines = String::new();
    let failure = loop {
        match job.step() {
            Ok(crate::Step::Quarantine(bytes)) => lines += &String::from_utf8(bytes).unwrap(),
            Ok(_) => {}
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.code, "too_many_rejected");
    assert!(lines.contains("duplicate_key") && lines.contains("not_an_object") && lines.lines().count() == 2);
}

#[test]
fn a_column_that_nobody_had_is_warned_of() {
    let column =
        |name: &str, more: &str| format!("[[table.column]]\nname = \"{name}\"\ntype = \"bigint\"\n{more}");
    for mode in ["evolve", "discard"] {
        let spec = format!("[[table]]\nmode = \"{mode}\"\n{}{}", column("betrag", ""), column("anzahl", ""));
        let made = run(&spec, b"{\"betrag_eur\":1,\"Anzahl\":2}\n", 64);
        assert!(warnings(&made).contains(&"column_missing".to_owned()), "{}", made.report);
        let said = made.report["warnings"].to_string();
        assert!(said.contains("/betrag_eur") && !said.contains("`anzahl`"), "{said}");
    }
    let spec = format!("[[table]]\nmode = \"discard\"\n{}", column("betrag", ""));
    let made = run(&spec, b"Betrag;x\n1;2\n", 64);
    assert!(!warnings(&made).contains(&"column_missing".to_owned()), "{}", made.report);
}

#[test]
fn an_object_where_rows_are_looked_for_is_one_element() {
    let spec = "[[table]]\nrows = \"items\"\n";
    let data =
        "{\"id\":1,\"items\":{\"qty\":1}}\n{\"id\":2,\"items\":[{\"qty\":2},{\"qty\":3}]}\n{\"id\":3}\n";
    for chunk in [5, 1 << 20] {
        let made = run(spec, data.as_bytes(), chunk);
        assert_eq!(made.report["rejected"], 0);
        assert_eq!(made.report["tables"][0]["rows_out"], 4);
    }
    // Whatever came first, and where there are only objects.
    let (_, columns) = agreed(&widened(spec, "{\"id\":1,\"items\":{\"qty\":1}}\n", 64).contracts[0].text);
    assert_eq!(columns, ["/id bigint", "/items/*/qty bigint"]);
}

#[test]
fn a_derived_column_may_replace_the_one_that_it_reads() {
    let derive = "[[table.derive]]\nname = \"price\"\nsql = \"price * 2\"\n[[table.derive]]\nname = \"more\"\nsql = \"price + 1\"\n";
    let declared = "[[table.column]]\nname = \"price\"\nfrom = \"Price\"\ntype = \"bigint\"\n";
    let check = "[[table.check]]\nname = \"c\"\nsql = \"price >= 10\"\non_fail = \"reject\"\n";
    for columns in ["", declared] {
        let spec = format!("{LENIENT}[[table]]\npartition_by = [\"price\"]\n{columns}{derive}{check}");
        let made = run(&spec, b"{\"Price\":5}\n{\"Price\":4}\n{\"Price\":7}\n", 64);
        assert_eq!(
            (made.report["accepted"].clone(), made.report["rejected"].clone()),
            (2.into(), 1.into()),
            "{columns}"
        );
        let paths: Vec<&str> = made.parts.iter().map(|(_, path, _)| path.as_str()).collect();
        assert_eq!(paths, ["price=10/", "price=14/"]);
        // Again under the contract that was agreed, and under the spec that is proposed for it.
        let widened = widened(&spec, "{\"Price\":5}\n", 64);
        let live = Options {
            spec: spec.clone(),
            table: Some("t".into()),
            contracts: widened.contracts,
            ..Options::default()
        };
        assert!(drive(&live, b"{\"Price\":6}\n", 64).unwrap().is_ok(), "{columns}");
        let pinned = run(&widened.spec, b"{\"Price\":5}\n", 64);
        assert_eq!(pinned.parts[0].1, "price=10/", "{}", widened.spec);
    }
    let failure = drive(
        &Options {
            spec: format!(
                "[[table]]\nname = \"t\"\n{declared}[[table.derive]]\nname = \"price\"\nsql = \"1\"\n"
            ),
            ..Options::default()
        },
        b"",
        1,
    );
    assert_eq!(failure.unwrap_err().code, "spec_invalid");
}

/// A column that was only ever null is none yet: its value must not come out with the rest of its object, above all
/// not where it is masked.
#[test]
fn the_rest_of_an_object_has_nothing_that_a_column_waits_for() {
    let keys: String = (0..63).map(|i| format!("\"k{i}x\":{i},")).collect();
    let spec = format!(
        "{LENIENT}[[table]]\nname = \"t\"\n[[table.column]]\nname = \"pin\"\nfrom = \"a.pin\"\nmask = \"null\"\n\
         [[table.column]]\nname = \"later\"\nfrom = \"a.later\"\n"
    );
    // What was agreed before: 63 columns below `a`, and then more than there may be.
    let mut options = Options { table: Some("t".into()), ..Options::default() };
    for data in [format!("{{\"a\":{{{keys}\"n\":null}}}}\n"), "{\"a\":{\"more\":1,\"n\":2}}\n".to_owned()] {
        if let Err(widened) = drive(&options, data.as_bytes(), 64).unwrap() {
            options.contracts = widened.contracts;
        }
    }
    assert!(options.contracts[0].text.contains("a_rest"), "{}", options.contracts[0].text);
    options.spec = spec;
    let data = b"{\"a\":{\"pin\":\"secret\",\"Later\":7,\"other\":\"kept\"}}\n";
    let Err(widened) = drive(&options, data, 64).unwrap() else { panic!("the columns are new") };
    options.contracts = widened.contracts;
    options.final_pass = true;
    let made = drive(&options, data, 64).unwrap().unwrap();
    assert_eq!(made.report["rejected"], 0, "{}", made.report);
    let holds = |text: &str| {
        made.parts.iter().any(|(_, _, bytes)| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert!(holds("kept") && !holds("secret"));
    let contract = &options.contracts[0].text;
    assert!(contract.contains(r#""name":"later","type":"bigint","pointer":"/a/Later""#), "{contract}");
}

#[test]
fn what_several_jobs_learned_is_joined_at_once() {
    let texts: Vec<String> = ["{\"a\":1}\n", "{\"a\":1.5,\"b\":[1]}\n", "{\"r\":[]}\n"]
        .map(|data| widened("", data, 64).learned)
        .into();
    let joined = |texts: &[&str]| {
        let learned = Some(texts.join("\n"));
        let options = Options { table: Some("t".into()), learned, ..Options::default() };
        let Err(widened) = drive(&options, b"", 64).unwrap() else { panic!("nothing was joined") };
        widened.contracts[0].text.clone()
    };
    let [a, b, c] = &texts[..] else { unreachable!() };
    let whole = joined(&[a, b, c]);
    assert_eq!(agreed(&whole).1, ["/a double", "/r json", "/b json"]);
    assert_eq!(joined(&[c, b, a]), whole);
}

#[test]
fn what_was_rejected_before_a_failure_is_told_before_it() {
    for spec in ["", "[[table]]\nmode = \"freeze\"\n[[table.column]]\nname = \"a\"\ntype = \"bigint\"\n"] {
        let mut options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
        if !spec.is_empty() {
            options.contracts = widened(spec, "", 64).contracts;
        }
        let mut job = crate::Job::open(options).unwrap();
        job.push(b"[{\"a\":1,\"a\":2},{\"a\":3},{\"a\":".to_vec());
        job.end();
        let mut lines = String::new();
        let failure = loop {
            match job.step() {
                Ok(crate::Step::Quarantine(bytes)) => lines += &String::from_utf8(bytes).unwrap(),
                Ok(_) => {}
                Err(failure) => break failure,
            }
        };
        assert_eq!((failure.code, lines.lines().count()), ("syntax_error", 1), "{spec}");
        assert!(lines.contains("duplicate_key") && job.step().is_err());
    }
}
