//! What is too long, too deep or too much: a record is rejected by name, or the object refused by a named
//! limit; never a panic, which would be a trap in the sandbox, and never a commit that cannot be published.

use super::job_tests::{LENIENT, Made, drive, run};
use crate::Options;

/// What each rejected record's line says, in their order.
fn told<'a>(made: &'a Made, key: &str) -> Vec<String> {
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
    format!("{LENIENT}[[table]]\nname = 't'\nmode = '{mode}'\n{}{}", column("j", "json"), column("n", "bigint"))
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
        let csv = run(&with_json("discard"), format!("n,j\n1,{number}\n2,[{number}]\n3,1e9\n").as_bytes(), 99);
        assert_eq!(told(&csv, "code"), ["not_finite"; 2]);
    }
}

/// In every state of a reader: what is deep fails by name, at once, also behind a value that does not fit.
#[test]
fn what_is_too_deep_fails_by_name_wherever_it_stands() {
    let deep = [("[".repeat(300_000), ""), ("{\"a\":".repeat(100_000), "1"), ("[{\"a\":".repeat(129), "null")];
    let places = [
        "#", "{\"j\":#}", "{\"n\":\"misfit\",\"j\":#}", "{\"n\":[],\"x\":#}", "{\"x\":#}", "{\"x\":1,\"x\":#}",
        "{\"j\":1}\n{\"n\":\"misfit\",\"x\":#}", "[{\"n\":\"misfit\",\"x\":#}]", "{\"x\":[#]}", "{\"x\":{\"y\":#}}",
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
