//! What is too long, too deep or too much: a record is rejected by name, or the object refused by a named
//! limit; never a panic, which would be a trap in the sandbox, and never a commit that cannot be published.

use super::job_tests::{LENIENT, Made, drive, run};
use crate::limits::POINTER_BYTES;
use crate::{Failure, Job, Options, Widened};

/// What each rejected record's line says, in their order.
fn told(made: &Made, key: &str) -> Vec<String> {
    let lines = made.quarantine.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| line[key].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_partition_that_no_folder_can_be_made_for_costs_its_record_only() {
    let spec = format!(
        "{LENIENT}[[table]]\nname = 't'\npartition_by = ['city', \"concat(city, '/', city) AS two\"]\n\
         filter = \"city <> 'gone' AND length(city) < 1000\"\n"
    );
    let city = |text: &str| format!("{{\"city\":\"{text}\",\"n\":1}}\n");
    // 300 bytes, more as escaped than as they are, the two together, and rows that a filter drops anyway.
    let data = city(&"a".repeat(300)) + &city(&"#".repeat(90)) + &city(&"b".repeat(120)) + &city("Bern");
    let made = run(&spec, (data + &city(&"c".repeat(2000))).as_bytes(), 1 << 20);
    assert_eq!(told(&made, "code"), ["partition_too_long"; 2]);
    assert_eq!((&made.report["accepted"], &made.report["tables"][0]["filtered"]), (&3.into(), &1.into()));
    let paths: Vec<&str> = made.parts.iter().map(|(_, path, _)| path.as_str()).collect();
    let long = "b".repeat(120);
    assert_eq!(paths, ["city=Bern/two=Bern%2FBern/".to_owned(), format!("city={long}/two={long}%2F{long}/")]);
}

/// A spec whose one table has a `json` column `j` and the bigint `n`.
fn with_json(mode: &str) -> String {
    let column = |name: &str, ty: &str| format!("[[table.column]]\nname = '{name}'\ntype = '{ty}'\n");
    format!(
        "{LENIENT}[[table]]\nname = 't'\nmode = '{mode}'\n{}{}",
        column("j", "json"),
        column("n", "bigint")
    )
}

#[test]
fn a_number_that_is_no_finite_double_is_rejected_wherever_it_stands() {
    let digits = "9".repeat(400);
    for number in ["1e999", "-1e999", "1.5E+4000", digits.as_str()] {
        let record = |value: &str| value.replace('#', number) + "\n{\"j\":1,\"n\":1}\n";
        for value in ["{\"j\":#}", "{\"j\":[#]}", "{\"j\":{\"a\":[#]}}", "{\"n\":2,\"x\":#}", "{\"x\":[#]}"] {
            let made = run(&with_json("discard"), record(value).as_bytes(), 1 << 20);
            assert_eq!(told(&made, "code"), ["not_finite"], "{value}");
            assert_eq!(made.report["accepted"], 1);
        }
        let csv =
            run(&with_json("discard"), format!("n,j\n1,{number}\n2,[{number}]\n3,1e9\n").as_bytes(), 99);
        assert_eq!(told(&csv, "code"), ["not_finite"; 2]);
    }
}

/// In every state of a reader: what is deep fails by name, at once, also behind a value that does not fit.
#[test]
fn what_is_too_deep_fails_by_name_wherever_it_stands() {
    let deep =
        [("[".repeat(300_000), ""), ("{\"a\":".repeat(100_000), "1"), ("[{\"a\":".repeat(129), "null")];
    let places = [
        "#",
        "{\"j\":#}",
        "{\"n\":\"misfit\",\"j\":#}",
        "{\"n\":[],\"x\":#}",
        "{\"x\":#}",
        "{\"x\":1,\"x\":#}",
        "{\"j\":1}\n{\"n\":\"misfit\",\"x\":#}",
        "[{\"n\":\"misfit\",\"x\":#}]",
        "{\"x\":[#]}",
        "{\"x\":{\"y\":#}}",
    ];
    for (open, inside) in &deep {
        for place in places {
            let data = place.replace('#', &format!("{open}{inside}"));
            for mode in ["evolve", "freeze", "discard"] {
                for final_pass in [false, true] {
                    let options = Options { spec: with_json(mode), ..Options::default() };
                    let first = drive(&options, b"{\"j\":1,\"n\":1}", 99).unwrap().unwrap_err();
                    let options = Options { contracts: first.contracts, final_pass, ..options };
                    let failure = drive(&options, data.as_bytes(), 1 << 20).unwrap_err();
                    assert_eq!(failure.code, "too_deep", "{mode} {}", &place[..place.len().min(40)]);
                }
            }
            let options = Options { table: Some("t".into()), propose: true, ..Options::default() };
            let data = place.replace("\"n\":\"misfit\",", "").replace('#', &format!("{open}{inside}"));
            assert_eq!(drive(&options, data.as_bytes(), 1 << 20).unwrap_err().code, "too_deep", "{place}");
        }
    }
}

/// A contract for [`with_json`], and what comes of data under it.
fn under(mode: &str, final_pass: bool, data: &str) -> Result<Result<Made, Widened>, Failure> {
    let options = Options { spec: with_json(mode), ..Options::default() };
    let first = drive(&options, b"{\"j\":1,\"n\":1}", 99)?.unwrap_err();
    drive(&Options { contracts: first.contracts, final_pass, ..options }, data.as_bytes(), 1 << 20)
}

#[test]
fn a_key_that_is_too_long_for_a_path_costs_its_record_only() {
    let long = "k".repeat(5_000_000);
    let fits = "k".repeat(POINTER_BYTES - 1);
    let deep = (0..100).fold("1".to_owned(), |value, _| format!("{{\"twelve bytes\":{value}}}"));
    let records = [
        format!("{{\"n\":1,\"{long}\":1}}"),
        format!("{{\"n\":1,\"{long}\":[1],\"{long}2\":null}}"),
        format!("{{\"n\":1,\"a\":{{\"{long}\":{{\"b\":{{\"c\":\"x\"}}}}}}}}"),
        format!("{{\"n\":1,\"{fits}k\":1}}"),
        format!("{{\"n\":1,\"{}~\":1}}", &fits[1..]),
        format!("{{\"n\":1,\"d\":{deep}}}"),
    ];
    for record in &records {
        let data = format!("{record}\n{{\"n\":2}}\n");
        for spec in [LENIENT.to_owned(), with_json("evolve")] {
            let made = run(&spec, data.as_bytes(), 1 << 20);
            assert_eq!(
                (told(&made, "code"), &made.report["accepted"]),
                (vec!["path_too_long".to_owned()], &1.into())
            );
            assert!(told(&made, "path")[0].len() <= POINTER_BYTES + 3);
            assert!(made.parts[0].2.len() < 10_000, "the key is in no footer");
        }
        // A live contract: the record asks for no second pass.
        assert_eq!(told(&under("evolve", false, &data).unwrap().unwrap(), "code"), ["path_too_long"]);
        assert_eq!(told(&under("freeze", false, &data).unwrap().unwrap(), "code"), ["unknown_column"]);
        let dropped = under("discard", false, &data).unwrap().unwrap();
        assert_eq!(
            (&dropped.report["accepted"], &dropped.report["warnings"][0]["count"]),
            (&2.into(), &1.into())
        );
    }
    // Bytes of a json column, nulls and empty objects are no path, and a path may be as long as a path may be.
    for record in [
        format!("{{\"n\":1,\"j\":{{\"{long}\":1}}}}"),
        format!("{{\"n\":1,\"{long}\":null}}"),
        format!("{{\"n\":1,\"{long}\":{{\"a\":{{}}}}}}"),
        format!("{{\"n\":1,\"{fits}\":1}}"),
    ] {
        let made = run(&with_json("evolve"), format!("{record}\n{{\"n\":2}}\n").as_bytes(), 1 << 20);
        assert_eq!((&made.report["accepted"], &made.report["rejected"]), (&2.into(), &0.into()));
    }
}

#[test]
fn a_csv_name_that_is_too_long_fails_the_object_where_it_would_be_a_column() {
    let data = format!("n,{}\n1,2\n", "k".repeat(POINTER_BYTES));
    let learn = Options { table: Some("t".into()), ..Options::default() };
    assert_eq!(drive(&learn, data.as_bytes(), 99).unwrap_err().code, "path_too_long");
    assert_eq!(under("evolve", false, &data).unwrap_err().code, "path_too_long");
    assert_eq!(told(&under("freeze", true, &data).unwrap().unwrap(), "code"), ["unknown_column"]);
    assert_eq!(under("discard", true, &data).unwrap().unwrap().report["accepted"], 1);
    let spec = format!(
        "[[table]]\nname = 't'\n[[table.column]]\nname = 'a'\nfrom = '/{}'\n",
        "k".repeat(POINTER_BYTES)
    );
    let failure = Job::open(Options { spec, ..Options::default() }).err().unwrap();
    assert_eq!(failure.code, "spec_invalid");
}

/// Keys by the ten thousand, as ids or dates make them, where no contract wants them.
#[test]
fn unknown_keys_are_counted_however_many_different_ones_come() {
    let record = |i: usize| {
        let keys: Vec<String> = (0..400).map(|k| format!("\"id-{}\":{{\"a\":{i}}}", i * 400 + k)).collect();
        format!("{{\"n\":{i},{}}}\n", keys.join(","))
    };
    let data: String = (0..100).map(record).collect();
    for final_pass in [false, true] {
        let dropped = under("discard", final_pass, &data).unwrap().unwrap();
        assert_eq!(
            (&dropped.report["accepted"], &dropped.report["warnings"][0]["count"]),
            (&100.into(), &40_000.into())
        );
        let frozen = under("freeze", final_pass, &data).unwrap().unwrap();
        assert_eq!(frozen.report["rejects"]["unknown_column"], 100);
        assert_eq!(told(&frozen, "path")[99], "/id-39600/a");
        let warning = &frozen.report["warnings"][0];
        assert_eq!((&warning["code"], &warning["count"]), (&"unknown_paths".into(), &100.into()));
        assert!(warning["message"].as_str().unwrap().contains("/id-0/a, /id-400/a"), "{warning}");
    }
    // The same fault is found among them, and is told before any that the contract has with them.
    let twice = "{\"n\":1,\"id-1\":{\"x\":1,\"\\u0078\":2}}\n";
    for mode in ["discard", "freeze"] {
        let made = under(mode, true, &(data.clone() + twice)).unwrap().unwrap();
        assert_eq!(told(&made, "code").last().unwrap(), "duplicate_key");
    }
    let csv = |value: &str| {
        let names: Vec<String> = (0..7_000).map(|i| format!("c{i}")).collect();
        format!("n,{}\n1{}\n", names.join(","), format!(",{value}").repeat(7_000))
    };
    let dropped = under("discard", true, &csv("x")).unwrap().unwrap();
    assert_eq!(dropped.report["warnings"][0]["count"], 7_000);
    assert_eq!(under("freeze", true, &csv("")).unwrap().unwrap().report["accepted"], 1);
    assert_eq!(told(&under("freeze", true, &csv("x")).unwrap().unwrap(), "code"), ["unknown_column"]);
}

/// A sample that nests deeply is learned together with the next one, as `init` does it.
#[test]
fn what_was_learned_crosses_to_the_next_job_however_deep() {
    let nested =
        |depth: usize, inside: &str| (0..depth).fold(inside.to_owned(), |v, _| format!("{{\"a\":{v}}}"));
    for (limits, depth) in [("", 70), ("", 126), ("[limits]\ndepth = 512\n", 509)] {
        let options =
            Options { spec: limits.into(), table: Some("t".into()), propose: true, ..Options::default() };
        let first = drive(&options, nested(depth, "1").as_bytes(), 99).unwrap().unwrap_err();
        let options = Options { learned: Some(first.learned.clone()), ..options };
        let second = drive(&options, nested(depth, "[{\"x\":1},[2]]").as_bytes(), 99).unwrap().unwrap_err();
        let alone = drive(&options, b"", 99).unwrap().unwrap_err();
        assert_eq!((&alone.contracts, &alone.learned), (&first.contracts, &first.learned));
        assert_ne!((&second.contracts, &second.learned), (&first.contracts, &first.learned));
    }
}

/// A table that explodes `items`: the parent's `text` stands on each row, `x` and `y` are the items' own.
const EXPLODED: &str = "[output]\nmax_rejected = \"100%\"\n[[table]]\nname = 't'\nrows = 'items'\nmode = 'discard'\n\
    partition_by = [\"substr(text, 1, 1) AS letter\"]\n\
    [[table.column]]\nname = 'text'\ntype = 'string'\n\
    [[table.column]]\nname = 'x'\nfrom = 'items.x'\ntype = 'bigint'\n";

#[test]
fn a_long_text_on_many_rows_is_rejected_before_it_is_repeated() {
    let record = |bytes: usize, rows: usize| {
        let items = vec!["{}"; rows].join(",");
        format!("{{\"items\":[{items}],\"text\":\"{}\"}}\n", "t".repeat(bytes))
    };
    let data = record(8 << 20, 1000) + &record(9 << 20, 12) + &record(1, 100_000);
    let made = run(EXPLODED, data.as_bytes(), 1 << 20);
    assert_eq!(told(&made, "code"), ["rows_too_large"]);
    assert_eq!(made.report["tables"][0]["rows_out"], 100_012);
    // One after the other: no batch holds the rows of all.
    let data = record(1 << 20, 60).repeat(6);
    let made = run(EXPLODED, data.as_bytes(), 1 << 20);
    assert_eq!((&made.report["accepted"], &made.report["tables"][0]["rows_out"]), (&6.into(), &360.into()));
    // Many rows of many columns, and one text in many columns.
    let column = |i: usize, from: &str, ty: &str| {
        format!("[[table.column]]\nname = 'c{i}'\nfrom = '{from}'\ntype = '{ty}'\n")
    };
    let wide: String = (0..500).map(|i| column(i, &format!("items.c{i}"), "double")).collect();
    let made = run(&(EXPLODED.to_owned() + &wide), record(1, 100_000).as_bytes(), 1 << 20);
    assert_eq!(told(&made, "code"), ["rows_too_large"]);
    let copies: String = (0..500).map(|i| column(i, "copied", ["string", "json"][i % 2])).collect();
    let text = format!("{{\"copied\":\"{}\"}}\n{{\"copied\":\"x\"}}\n", "t".repeat(1 << 20));
    let made = run(&(EXPLODED.to_owned() + &copies), text.as_bytes(), 1 << 20);
    assert_eq!(
        (told(&made, "code"), &made.report["accepted"]),
        (vec!["rows_too_large".to_owned()], &1.into())
    );
}

/// Every table explodes an array of its own: together they are more than one record may make.
#[test]
fn the_rows_of_a_record_are_weighed_over_all_tables() {
    let table = |t: usize| {
        let columns: String = (0..50)
            .map(|c| format!("[[table.column]]\nname = 'c{c}'\nfrom = 'a{t}.c{c}'\ntype = 'bigint'\n"))
            .collect();
        format!("[[table]]\nname = 't{t}'\nrows = 'a{t}'\nmode = 'discard'\n{columns}")
    };
    let spec = format!("{LENIENT}{}", (0..8).map(table).collect::<String>());
    let record = |rows: usize| {
        let arrays: Vec<String> =
            (0..8).map(|t| format!("\"a{t}\":[{}]", vec!["{}"; rows].join(","))).collect();
        format!("{{{}}}\n", arrays.join(","))
    };
    let options = Options { spec, ..Options::default() };
    let asked = drive(&options, b"", 1).unwrap().unwrap_err();
    let options = Options { contracts: asked.contracts, final_pass: true, ..options };
    let made = drive(&options, (record(100_000) + &record(10_000)).as_bytes(), 1 << 20).unwrap().unwrap();
    assert_eq!(
        (told(&made, "code"), &made.report["accepted"]),
        (vec!["rows_too_large".to_owned()], &1.into())
    );
}

/// What no column can come of costs no node while a job learns.
#[test]
fn keys_that_nothing_is_learned_from_cost_nothing() {
    let ids = |i: usize, value: &str| {
        let keys: Vec<String> = (0..300).map(|k| format!("\"{i}-{k}\":{value}")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let data = |value: &dyn Fn(usize) -> String| -> String {
        (0..100).map(|i| format!("{{\"n\":{i},{}}}\n", value(i))).collect()
    };
    let below_json = data(&|i| format!("\"j\":{}", ids(i, "{\"a\":1}")));
    let in_arrays = data(&|i| format!("\"tags\":[{},3],\"items\":[{{\"x\":1}},null]", ids(i, "[1]")));
    let unknown = data(&|i| format!("\"items\":[{{\"x\":{i},\"o\":{}}}],\"o\":{}", ids(i, "1"), ids(i, "2")));
    let open = |mode: &str, more: &str| format!("[[table]]\nname = 't'\nmode = '{mode}'\n{more}");
    let n = "[[table.column]]\nname = 'n'\n";
    let x = "[[table.column]]\nname = 'x'\nfrom = 'items.x'\n";
    let json = "[[table.column]]\nname = 'j'\ntype = 'json'\n";
    let rows = "rows = 'items'\n";
    for (spec, data, columns) in [
        (open("evolve", json), &below_json, 2),
        (open("discard", &format!("{n}{json}")), &below_json, 2),
        (open("evolve", ""), &in_arrays, 3),
        (open("evolve", rows), &in_arrays, 3),
        (open("discard", &format!("{rows}{n}{x}")), &unknown, 2),
        (open("freeze", n) + "[output]\nmax_rejected = \"100%\"\n", &data(&|_| "\"m\":null".into()), 1),
    ] {
        let options = Options { spec: spec.clone(), ..Options::default() };
        let widened = drive(&options, data.as_bytes(), 1 << 20).unwrap().unwrap_err();
        let contract = &widened.contracts[0].text;
        assert_eq!(contract.matches("\"pointer\"").count(), columns, "{spec}: {contract}");
        assert!(widened.learned.len() < 1000, "{spec}");
        let options = Options { contracts: widened.contracts, final_pass: true, ..options };
        assert_eq!(
            drive(&options, data.as_bytes(), 1 << 20).unwrap().unwrap().report["accepted"],
            100,
            "{spec}"
        );
    }
    // A table that evolves beside one that does not wants what is outside of the other's rows.
    let two = open("evolve", "") + "[[table]]\nname = 'u'\nmode = 'discard'\n" + rows + x;
    let unknown = data(&|i| format!("\"items\":[{{\"x\":{i},\"o\":{}}}],\"new\":1", ids(i, "1")));
    let widened = drive(&Options { spec: two, ..Options::default() }, unknown.as_bytes(), 1 << 20)
        .unwrap()
        .unwrap_err();
    assert_eq!(widened.contracts[0].text.matches("\"pointer\"").count(), 2, "{}", widened.contracts[0].text);
}

/// Millions of values of one record are learned without remembering each.
#[test]
fn a_long_record_is_learned() {
    let data = format!("{{\"b\":0,\"a\":[{}{{}}]}}", "{\"x\":1},0,".repeat(300_000));
    let made = run(LENIENT, data.as_bytes(), 1 << 20);
    assert_eq!(told(&made, "code").len() as u64 + made.report["accepted"].as_u64().unwrap(), 1);
}

#[test]
fn a_csv_record_of_delimiters_alone_is_rejected_and_a_header_of_them_refused() {
    let commas = ",".repeat(2_000_000);
    let data = format!("n,j\n1,2\n{commas}\n3,4\n\"x\"{commas}\n5,6\n");
    let made = run(&with_json("discard"), data.as_bytes(), 1 << 20);
    assert_eq!(
        (told(&made, "code"), &made.report["accepted"]),
        (vec!["field_count".to_owned(); 2], &3.into())
    );
    assert!(told(&made, "message")[0].contains("2000001 fields"), "{}", told(&made, "message")[0]);
    let options = Options { table: Some("t".into()), ..Options::default() };
    assert_eq!(drive(&options, commas.as_bytes(), 1 << 20).unwrap_err().code, "too_many_columns");
}
