//! Records in forms that a spec names: each makes, to the byte, what the same record makes as it is written plainly.

use proptest::prelude::*;

use super::csv_kinds_tests::tables;
use super::csv_tests::{records, run, warnings};
use super::job_tests::{LENIENT, drive};
use crate::Options;

/// A spec and a text, and a plain spec and text that make the same.
struct Kind {
    spec: &'static str,
    text: &'static str,
    plain: (&'static str, &'static str),
}

const fn input(spec: &'static str, text: &'static str, plain: &'static str) -> Kind {
    Kind { spec, text, plain: ("", plain) }
}

const fn rows(spec: &'static str, text: &'static str, plain: (&'static str, &'static str)) -> Kind {
    Kind { spec, text, plain }
}

const OF_A: &str = "[[table]]\nname = \"t\"\nrows = \"a\"\n";

const KINDS: &[Kind] = &[
    // Records that are the members of an object, and arrays whose values are named.
    input(
        "[input]\nrecords = \"*\"\n",
        r#"{"p1": {"n":1, "m":"x"},"p\u0032":{"n":2},"p3":{}}"#,
        "{\"key\":\"p1\",\"n\":1,\"m\":\"x\"}\n{\"key\":\"p2\",\"n\":2}\n{\"key\":\"p3\"}\n",
    ),
    input(
        "[input]\nrecords = \"data.users.*\"\nkey = \"id\"\n",
        r#"{"at":1,"data":{"k":[1],"users":{"a":{"n":1},"b":{"n":2}},"more":0},"z":{}} {"data":{"users":{"c":{"n":3}}}}"#,
        "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n{\"id\":\"c\",\"n\":3}\n",
    ),
    input(
        "[input]\nrecords = \"rows\"\ncolumns_at = \"columns\"\n",
        r#"{"columns":["id","city"],"index":[0,1],"rows":[[1,"Oslo"],[2,null]]}"#,
        "{\"id\":1,\"city\":\"Oslo\"}\n{\"id\":2,\"city\":null}\n",
    ),
    input(
        "[input]\nrecords = \"data\"\ncolumns_at = \"meta.view.columns[].fieldName\"\nshort_rows = \"pad\"\nlong_rows = \"cut\"\n",
        r#"{"meta":{"view":{"id":"x","columns":[{"id":1,"fieldName":"a"},{"id":2,"fieldName":"b\"c"}]}},"data":[[1],[2,"x",3]]}"#,
        "{\"a\":1}\n{\"a\":2,\"b\\\"c\":\"x\"}\n",
    ),
    input(
        "[input]\nrecords = \"results.values\"\ncolumns_at = \"results.columns\"\nlong_rows = \"name\"\n",
        r#"{"results":{"name":"cpu","columns":["t","v"],"values":[[1,0.5],[2,0.25,"x"]]}}"#,
        "{\"t\":1,\"v\":0.5}\n{\"t\":2,\"v\":0.25,\"column_3\":\"x\"}\n",
    ),
    input(
        "[input]\ncolumns = [\"id\", \"city\"]\nheader = false\n",
        "[1,\"Oslo\"]\n[2, \"Bern\"]\n",
        "{\"id\":1,\"city\":\"Oslo\"}\n{\"id\":2,\"city\":\"Bern\"}\n",
    ),
    input(
        "[input]\nformat = \"json\"\ncolumns = [\"id\", \"city\"]\n",
        "[[1,\"Oslo\"],\n[2, \"Bern\"]]",
        "{\"id\":1,\"city\":\"Oslo\"}\n{\"id\":2,\"city\":\"Bern\"}\n",
    ),
    input(
        "[input]\nformat = \"json\"\nrecords = \"rows\"\ncolumns_at = \"columns\"\n",
        r#"{"columns":["a","b"],"rows":[[1,2]]} {"columns":["b","a"],"rows":[[3,4]]}"#,
        "{\"a\":1,\"b\":2}\n{\"b\":3,\"a\":4}\n",
    ),
    // JSON within texts.
    input(
        "[input]\nparse_json = [\"body\", \"body.Message\", \"list\"]\n",
        r#"{"id":1,"body":"{\"v\": 10, \"Message\": \"{\\\"w\\\":[1,{\\\"x\\\":null}]}\"}","list":["{\"a\":1}","b"]}
{"id":2,"body":" {\"v\":11,\"Message\":null}\n","list":[]}
"#,
        r#"{"id":1,"body":{"v":10,"Message":{"w":[1,{"x":null}]}},"list":[{"a":1},"b"]}
{"id":2,"body":{"v":11,"Message":null},"list":[]}
"#,
    ),
    input(
        "[input]\nparse_json = [\"m\"]\n",
        r#"{"m":"{\"a\":"}
{"m":"plain"}
{"m":"12"}
{"m":null}
"#,
        r#"{"m":"{\"a\":"}
{"m":"plain"}
{"m":"12"}
{"m":null}
"#,
    ),
    // Value conventions.
    input(
        "[input]\nconventions = [\"dynamodb\"]\n",
        r#"{"Item":{"S":{"S":"ORDER#1"},"total":{"N":"12.50"},"big":{"N":"1e3"},"paid":{"BOOL":true},"note":{"NULL":true},"M":{"M":{"S":{"S":"Brno"},"N":{"N":"5"}}},"tags":{"SS":["a","b"]},"ns":{"NS":["1","2.5"]},"lines":{"L":[{"M":{"sku":{"S":"x1"}}},{"S":"y"}]},"bin":{"B":"AQI="},"odd":{"N":"abc"}}}
"#,
        r#"{"S":"ORDER#1","total":12.50,"big":1e3,"paid":true,"note":null,"M":{"S":"Brno","N":5},"tags":["a","b"],"ns":[1,2.5],"lines":[{"sku":"x1"},"y"],"bin":"AQI=","odd":"abc"}
"#,
    ),
    input(
        "[input]\nconventions = [\"dynamodb\"]\n",
        r#"{"Metadata":{"WriteTimestampMicros":"1"},"Keys":{"pk":{"S":"a"}},"NewImage":{"pk":{"S":"a"},"n":{"N":"1"}}}
"#,
        r#"{"Metadata":{"WriteTimestampMicros":"1"},"Keys":{"pk":"a"},"NewImage":{"pk":"a","n":1}}
"#,
    ),
    input(
        "[input]\nconventions = [\"mongodb\"]\n",
        r#"{"_id":{"$oid":"5a68"},"at":{"$date":"2016-11-19T02:55:46.179Z"},"was":{"$date":{"$numberLong":"-86400000"}},"old":{"$date":1479524146179},"n":{"$numberLong":"3"},"i":{"$numberInt":"-4"},"d":{"$numberDouble":"1.5"},"inf":{"$numberDouble":"Infinity"},"p":{"$numberDecimal":"9.99"},"b":{"$binary":{"base64":"AQI=","subType":"00"}},"b1":{"$binary":"AQI=","$type":"00"},"u":{"$uuid":"1-2"},"t":{"$timestamp":{"t":1,"i":5}},"r":{"$regularExpression":{"pattern":"^a","options":"i"}},"x":{"$undefined":true},"max":{"$maxKey":1},"ref":{"$ref":"c","$id":{"$oid":"1f"}},"list":[{"$numberLong":"7"},{"a":{"$oid":"2"}}]}
"#,
        r#"{"_id":"5a68","at":"2016-11-19T02:55:46.179Z","was":"1969-12-31T00:00:00.000Z","old":"2016-11-19T02:55:46.179Z","n":3,"i":-4,"d":1.5,"inf":"Infinity","p":9.99,"b":"AQI=","b1":"AQI=","u":"1-2","t":"1970-01-01T00:00:01Z","r":"^a","x":null,"max":"MaxKey","ref":{"$ref":"c","$id":"1f"},"list":[7,{"a":"2"}]}
"#,
    ),
    input(
        "[input]\nconventions = [\"debezium\"]\n",
        r#"{"schema":{"type":"struct","fields":[{"field":"before","type":"struct","fields":[{"field":"id","type":"int32"}]},{"field":"after","type":"struct","fields":[{"field":"id","type":"int32"},{"field":"d","type":"int32","name":"io.debezium.time.Date"},{"field":"t","type":"int64","name":"io.debezium.time.MicroTimestamp"},{"field":"z","type":"int64","name":"io.debezium.time.MicroTime"},{"field":"tax","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},{"field":"v","type":"struct","name":"io.debezium.data.VariableScaleDecimal","fields":[]},{"field":"list","type":"array","items":{"type":"int64","name":"io.debezium.time.Timestamp"}}]}]},"payload":{"before":null,"after":{"id":1,"d":19262,"t":1664267577140960,"z":3661000001,"tax":"BAg=","v":{"scale":3,"value":"/w=="},"list":[0,null]},"source":{"connector":"pg"},"op":"c","ts_ms":1}}
{"payload":{"before":{"id":2},"after":null,"op":"d","ts_ms":2},"schema":null}
{"before":{"id":3},"after":{"id":4},"op":"u"}
{"before":null,"after":"{\"id\": 5}","op":"r"}
{"schema":{"fields":[{"field":5},{"field":"after","fields":[{"field":7},{"name":8}]}]},"payload":{"before":null,"after":{"id":6},"op":"c"}}
"#,
        r#"{"id":1,"d":"2022-09-27","t":"2022-09-27T08:32:57.140960Z","z":"01:01:01.000001","tax":10.32,"v":-0.001,"list":["1970-01-01T00:00:00.000Z",null],"__source":{"connector":"pg"},"__op":"c","__ts_ms":1}
{"id":2,"__op":"d","__ts_ms":2}
{"id":4,"__op":"u"}
{"id":5,"__op":"r"}
{"id":6,"__op":"c"}
"#,
    ),
    input(
        "[input]\nconventions = [\"kafka-connect\"]\n",
        r#"{"schema":{"type":"struct","fields":[{"field":"when","name":"org.apache.kafka.connect.data.Timestamp","type":"int64"},{"field":"in","type":"struct","fields":[{"field":"day","name":"org.apache.kafka.connect.data.Date","type":"int32"}]}]},"payload":{"in":{"day":1},"when":-1,"more":[1]}}
{"plain":1}
"#,
        r#"{"in":{"day":"1970-01-02"},"when":"1969-12-31T23:59:59.999Z","more":[1]}
{"plain":1}
"#,
    ),
    input(
        "[input]\nconventions = [\"otlp\"]\n",
        r#"{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"n","value":{"intValue":"7"}},{"key":"none"},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":0.5}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}}}],"body":{"stringValue":"one"},"links":[],"other":[{"key":"x","value":{"stringValue":"y"},"more":1}]}
"#,
        r#"{"attributes":{"service.name":"shop","n":7,"none":null,"l":[true,0.5],"m":{"a":"b"}},"body":"one","links":[],"other":[{"key":"x","value":"y","more":1}]}
"#,
    ),
    // Texts first, then conventions, then rows.
    rows(
        "[input]\nparse_json = [\"body\"]\nconventions = [\"mongodb\"]\n[[table]]\nname = \"t\"\nrows = \"body.a[].b\"\n",
        r#"{"body":"{\"a\":[{\"b\":[{\"n\":{\"$numberLong\":\"1\"}},{\"n\":{\"$numberLong\":\"2\"}}]}]}"}"#,
        (OF_A, r#"{"a":[{"n":1},{"n":2}]}"#),
    ),
    // Rows several levels down, each with what stands above it.
    rows(
        "[[table]]\nname = \"t\"\nrows = \"a[].b[].c\"\n",
        r#"{"r":0,"a":[{"x":1,"b":[{"y":"p","c":[{"z":1},{"z":2}]},{"y":"q","c":{"z":3}},{"y":"e","c":[]}]},{"x":2,"b":null},{"x":3}],"s":9}
{"r":1,"a":[]}
{"r":2}
"#,
        (
            OF_A,
            r#"{"r":0,"a":[{"x":1,"b":{"y":"p","c":{"z":1}}},{"x":1,"b":{"y":"p","c":{"z":2}}},{"x":1,"b":{"y":"q","c":{"z":3}}},{"x":1,"b":{"y":"e","c":null}},{"x":2,"b":null},{"x":3}],"s":9}
{"r":1,"a":[]}
{"r":2}
"#,
        ),
    ),
    rows(
        "[[table]]\nname = \"t\"\nrows = \"/o/a/*/tags\"\n",
        r#"{"o":{"a":[{"x":1,"tags":["p","q"]},{"x":2,"tags":[]}]}}"#,
        (
            "[[table]]\nname = \"t\"\nrows = \"o.a\"\n",
            r#"{"o":{"a":[{"x":1,"tags":"p"},{"x":1,"tags":"q"},{"x":2,"tags":null}]}}"#,
        ),
    ),
    rows(
        "[[table]]\nname = \"t\"\nrows = \"a.*\"\n",
        r#"{"id":1,"a":{"EUR":1.5,"U\"SD":2.5}}
{"id":2,"a":{}}
"#,
        (
            OF_A,
            "{\"id\":1,\"a\":[{\"key\":\"EUR\",\"value\":1.5},{\"key\":\"U\\\"SD\",\"value\":2.5}]}\n{\"id\":2,\"a\":[]}\n",
        ),
    ),
    rows(
        "[[table]]\nname = \"t\"\nrows = \"a.*.items\"\n",
        r#"{"a":{"s1":{"city":"Oslo","items":[{"n":1},{"n":2}]},"s2":{"city":"Bern","items":[]}}}"#,
        (
            OF_A,
            r#"{"a":[{"key":"s1","value":{"city":"Oslo","items":{"n":1}}},{"key":"s1","value":{"city":"Oslo","items":{"n":2}}},{"key":"s2","value":{"city":"Bern","items":null}}]}"#,
        ),
    ),
    // Elements by position.
    rows(
        "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"lon\"\nfrom = \"geometry.coordinates[0]\"\n[[table.column]]\nname = \"lat\"\nfrom = \"geometry.coordinates[1]\"\n",
        r#"{"geometry":{"type":"Point","coordinates":[-118.58,34.19]}}
{"geometry":{"type":"Point","coordinates":[-118.2,34.0,7]}}
"#,
        (
            "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"lon\"\nfrom = \"g.x\"\n[[table.column]]\nname = \"lat\"\nfrom = \"g.y\"\n",
            "{\"g\":{\"t\":\"Point\",\"x\":-118.58,\"y\":34.19}}\n{\"g\":{\"t\":\"Point\",\"x\":-118.2,\"y\":34.0,\"z\":7}}\n",
        ),
    ),
    rows(
        "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"f\"\nfrom = \"name[0].family\"\n[[table.column]]\nname = \"g\"\nfrom = \"name[0].given[1]\"\n",
        r#"{"name":[{"family":"A","given":["x","y"]}]}
{"name":{"family":"B","given":[]}}
{"name":[]}
{}
"#,
        (
            "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"f\"\n[[table.column]]\nname = \"g\"\n",
            "{\"f\":\"A\",\"h\":\"x\",\"g\":\"y\"}\n{\"f\":\"B\"}\n{}\n{}\n",
        ),
    ),
    rows(
        "[[table]]\nname = \"t\"\nrows = \"a[].b\"\n[[table.column]]\nname = \"f\"\nfrom = \"a[].b[].xs[1]\"\n",
        r#"{"a":[{"b":[{"xs":[1,2]},{"xs":[3,4]}]}]}"#,
        (
            "[[table]]\nname = \"t\"\nrows = \"a\"\n[[table.column]]\nname = \"f\"\nfrom = \"a.y\"\n",
            r#"{"a":[{"x":1,"y":2},{"x":3,"y":4}]}"#,
        ),
    ),
];

#[test]
fn every_form_makes_what_the_plain_one_makes() {
    for Kind { spec, text, plain: (plain_spec, plain) } in KINDS {
        let (expected, _) = run(&format!("{LENIENT}{plain_spec}"), plain.as_bytes(), 1 << 20).unwrap();
        let spec = format!("{LENIENT}{spec}");
        for chunk in [1, 7, 1 << 20] {
            let made = run(&spec, text.as_bytes(), chunk);
            let (made, proposed) = made.unwrap_or_else(|failure| panic!("{spec}: {failure:?}"));
            assert_eq!(
                records(&made),
                records(&expected),
                "{spec} in chunks of {chunk}: {:?}",
                made.quarantine
            );
            assert_eq!(tables(&made), tables(&expected), "{spec} in chunks of {chunk}\n{}", made.report);
            // What was told is pinned, and makes the same once more.
            let (again, _) = run(&proposed, text.as_bytes(), 1 << 20).unwrap();
            assert_eq!(records(&again), records(&made), "{proposed}");
            assert_eq!(tables(&again).len(), tables(&made).len(), "{proposed}");
        }
    }
}

#[test]
fn what_does_not_fit_its_form_is_rejected_with_its_reason() {
    let told = |spec: &str, text: &str| {
        let (made, _) = run(&format!("{LENIENT}{spec}"), text.as_bytes(), 3).unwrap();
        let lines =
            made.quarantine.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .map(|line| {
                format!("{} {} {} {}", line["record"], line["code"], line["offset"], line["raw"])
                    .replace("\\\"", "'")
            })
            .collect::<Vec<_>>()
    };
    let named = "[input]\nrecords = \"rows\"\ncolumns_at = \"columns\"\n";
    assert_eq!(
        told(named, r#"{"columns":["a","b"],"rows":[[1,2],[1],[1,2,3],5,[3,4],{"a":5}]}"#),
        ["2 \"field_count\" 35 \"[1]\"", "3 \"field_count\" 39 \"[1,2,3]\"", "4 \"not_an_object\" 47 \"5\""]
    );
    assert_eq!(
        told("[input]\nrecords = \"*\"\n", r#"{"a":{"n":1},"b":5,"c":null,"d":{"key":2},"e":{"n":2}}"#),
        [
            "2 \"not_an_object\" 13 \"'b':5\"",
            "3 \"not_an_object\" 19 \"'c':null\"",
            "4 \"duplicate_key\" 28 \"'d':{'key':2}\""
        ]
    );
    assert_eq!(
        told(
            "[[table]]\nname = \"t\"\nrows = \"a.*\"\n",
            "{\"a\":{\"x\":1}}\n{\"a\":[{\"key\":\"x\"}]}\n{\"a\":null}\n"
        ),
        ["2 \"type_mismatch\" 14 \"{'a':[{'key':'x'}]}\""]
    );
    // What is broken is told where it is in the record that came.
    let spec = format!("{LENIENT}[input]\nconventions = [\"mongodb\"]\n");
    let (made, _) = run(&spec, b"{\"a\":1}\n{\"a\":{\"$oid\":tru}}\n{\"a\":2}\n", 1 << 20).unwrap();
    assert!(made.quarantine.contains("at column 14"), "{}", made.quarantine);
    let twice = br#"{"columns":["a","b"],"rows":[[1,2]]} {"rows":[[3,4]]}"#;
    let failure = run(named, twice, 1 << 20).unwrap_err();
    assert!(
        failure.message.contains("columns_at"),
        "the names of one document are not another's: {failure:?}"
    );
    for none in [r#"{}"#, r#"{"a":{}}"#, r#"{"a":{},"b":{}} {"a":{}}"#] {
        let path = if none == "{}" { "*" } else { "a.*" };
        let (made, _) = run(&format!("[input]\nrecords = \"{path}\"\n"), none.as_bytes(), 1).unwrap();
        assert_eq!(records(&made), (0, 0), "{none}");
    }
    let failure = run(named, br#"{"rows":[[1,2]],"columns":["a","b"]}"#, 1 << 20).unwrap_err();
    assert!(failure.message.contains("columns_at"), "{failure:?}");
}

#[test]
fn what_arrays_lose_or_lack_is_counted() {
    let told = |input: &str| {
        let spec = format!("{LENIENT}[input]\ncolumns = [\"a\", \"b\"]\nheader = false\n{input}\n");
        let (made, _) = run(&spec, b"[1,2]\n[1]\n[]\n[1,2,3]\n{\"a\":1}\n", 5).unwrap();
        (records(&made), warnings(&made).iter().map(|(code, n)| format!("{code} {n}")).collect::<Vec<_>>())
    };
    assert_eq!(told(""), ((2, 3), vec![]));
    assert_eq!(told("short_rows = \"pad\""), ((4, 1), vec!["rows_padded 2".into()]));
    assert_eq!(told("long_rows = \"cut\""), ((3, 2), vec!["rows_cut 1".into()]));
    assert_eq!(told("long_rows = \"name\"").0, (3, 2));
}

#[test]
fn what_cannot_be_had_together_is_refused_at_its_place() {
    for (spec, line, part) in [
        (
            "[[table]]\nname = \"x\"\nrows = \"a\"\n[[table]]\nname = \"y\"\nrows = \"a[].b\"\n",
            6,
            "another table",
        ),
        (
            "[[table]]\nname = \"x\"\nrows = \"a[].b\"\n[[table]]\nname = \"y\"\nrows = \"a.c\"\n",
            6,
            "another table",
        ),
        (
            "[[table]]\nname = \"x\"\nrows = \"a[].b\"\n[[table]]\nname = \"y\"\nrows = \"a[].c\"\n",
            6,
            "another table",
        ),
        ("[[table]]\nrows = \"a\"\n[[table.column]]\nname = \"c\"\nfrom = \"a[0]\"\n", 5, "by position"),
        ("[[table]]\nrows = \"a[0].b\"\n", 2, "position"),
        ("[[table]]\nrows = \"a[].b\"\nempty = \"drop\"\n", 3, "empty"),
        ("[input]\nformat = \"csv\"\nconventions = [\"mongodb\"]\n", 3, "conventions"),
        ("[input]\nconventions = [\"mongo\"]\n", 2, "expected one of debezium"),
        ("[input]\nkey = \"id\"\n", 2, "input.key"),
        ("[input]\ncolumns_at = \"columns\"\n", 2, "columns_at"),
        ("[input]\nparse_json = [\"a\", \"b..c\"]\n", 2, "empty key"),
        ("[input]\nheader_matches = \"(\"\n", 2, "pattern"),
    ] {
        let failure = run(spec, b"{}", 1 << 20).unwrap_err();
        assert_eq!((failure.code, failure.place.line), ("spec_invalid", Some(line)), "{spec}: {failure:?}");
        assert!(failure.message.contains(part), "{spec}: {failure:?}");
    }
    // The same levels in two tables are one.
    let twice = "[[table]]\nname = \"x\"\nrows = \"a[].b\"\n[[table]]\nname = \"y\"\nrows = \"a[].b\"\nfilter = \"a_b_n > 1\"\n";
    run(twice, br#"{"a":[{"b":[{"n":1},{"n":2}]}]}"#, 1 << 20).unwrap();
}

#[test]
fn rows_of_a_record_are_bounded() {
    let parent = "p".repeat(1 << 16);
    let inner = vec!["{}"; 1 << 12].join(",");
    let text = format!(
        "{{\"a\":[{{\"x\":\"{parent}\",\"b\":[{inner}]}}]}}\n{{\"a\":[{{\"x\":\"1\",\"b\":[{{}}]}}]}}\n"
    );
    let spec = format!("{LENIENT}[[table]]\nname = \"t\"\nrows = \"a[].b\"\n");
    let (made, _) = run(&spec, text.as_bytes(), 1 << 20).unwrap();
    assert_eq!(records(&made), (1, 1), "{}", made.report);
    assert!(made.quarantine.contains("reshaped_too_large"), "{}", &made.quarantine[..200]);
}

#[test]
fn forms_that_show_are_proposed_with_what_answers_them() {
    let proposed = |text: &str| {
        let options = Options { table: Some("t".into()), propose: true, ..Options::default() };
        let widened = drive(&options, text.as_bytes(), 7).unwrap().unwrap_err();
        let report: serde_json::Value = serde_json::from_str(&widened.report).unwrap();
        let fixes = report["warnings"].as_array().unwrap().iter().flat_map(|warning| {
            let edits =
                warning["fixes"].as_array().into_iter().flatten().flat_map(|fix| fix.as_array().unwrap());
            let code = warning["code"].as_str().unwrap().to_owned();
            edits.map(move |edit| {
                format!("{code}: {} = {}", edit["key"], edit["value"]).replace(['"', '\\'], "")
            })
        });
        fixes.filter(|fix| fix.contains("[input]") || !fix.contains("type =")).collect::<Vec<_>>()
    };
    for (text, fixes) in [
        (r#"{"_id":{"$oid":"5a"},"n":1}"#, vec!["value_convention: conventions = [mongodb]"]),
        (r#"{"l":[{"at":{"$date":1}}]}"#, vec!["value_convention: conventions = [mongodb]"]),
        (
            r#"{"Item":{"pk":{"S":"a"},"l":{"L":[{"M":{"n":{"N":"1"}}}]}}}"#,
            vec!["value_convention: conventions = [dynamodb]"],
        ),
        (
            r#"{"payload":{"before":null,"after":{"id":1},"op":"c"},"schema":null}"#,
            vec!["value_convention: conventions = [debezium]"],
        ),
        (r#"{"before":null,"after":{"id":1},"op":"c"}"#, vec!["value_convention: conventions = [debezium]"]),
        (
            r#"{"schema":{"type":"struct"},"payload":{"id":1}}"#,
            vec!["value_convention: conventions = [kafka-connect]"],
        ),
        (
            r#"{"resourceLogs":[{"resource":{"a":1},"scopeLogs":[{"b":1}]}],"x":1}"#,
            vec!["value_convention: conventions = [otlp]"],
        ),
        (r#"{"a":{"n":1},"b":{"n":2,"m":1},"c":{"n":3}}"#, vec!["records_are_members: records = *"]),
        (
            r#"{"columns":["id","n"],"index":[0],"data":[[1,2]]}"#,
            vec!["named_rows: records = data", "named_rows: columns_at = columns"],
        ),
        (
            r#"{"meta":{"view":{"columns":[{"id":1,"name":"a"}]}},"data":[["x"]]}"#,
            vec!["named_rows: records = data", "named_rows: columns_at = meta.view.columns[].name"],
        ),
        (r#"{"a":{"n":1},"b":{"n":2},"c":3}"#, vec![]),
        ("{\"a\":{\"n\":1},\"b\":{\"n\":2},\"c\":{\"n\":3}}\n{\"a\":{\"n\":1}}\n", vec![]),
        (r#"{"tags":["a","b"],"points":[[1,2]],"columns":3}"#, vec![]),
        (r#"{"S":"x","N":{"S":1},"op":"c","payload":1}"#, vec![]),
    ] {
        let found = proposed(text);
        assert_eq!(found, fixes, "{text}");
    }
}

/// Any JSON value, with keys that conventions have too.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        prop::sample::select(vec!["", "1", "AQ==", "a\"b", "{\"$oid\":\"x\"}", "[1", "é"])
            .prop_map(Into::into),
    ];
    let keys = vec![
        "$oid",
        "$date",
        "$numberLong",
        "$binary",
        "$type",
        "S",
        "N",
        "M",
        "L",
        "NULL",
        "Item",
        "key",
        "value",
        "stringValue",
        "kvlistValue",
        "values",
        "payload",
        "schema",
        "fields",
        "field",
        "after",
        "before",
        "op",
        "a",
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let key = prop::sample::select(keys.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: each record is taken or rejected for a reason of its own, and how it is cut does not matter.
    #[test]
    fn no_record_breaks_a_form(values in prop::collection::vec(value(), 1..4), chunk in 1_usize..30) {
        let text: String = values.iter().map(|value| format!("{}\n", serde_json::json!({ "a": value, "n": 1 }))).collect();
        for spec in [
            "[input]\nconventions = [\"mongodb\", \"dynamodb\", \"otlp\"]\n",
            "[input]\nconventions = [\"debezium\"]\nparse_json = [\"a\", \"a.S\"]\n",
            "[input]\nconventions = [\"kafka-connect\"]\n[[table]]\nname = \"t\"\nrows = \"a.*.values\"\n",
            "[[table]]\nname = \"t\"\nrows = \"a[].S[].N\"\n[[table.column]]\nname = \"x\"\ntype = \"json\"\nfrom = \"a.M[0]\"\n",
        ] {
            let spec = format!("{LENIENT}{spec}");
            let whole = run(&spec, text.as_bytes(), 1 << 20);
            let cut = run(&spec, text.as_bytes(), chunk);
            match (whole, cut) {
                (Ok((whole, _)), Ok((cut, _))) => {
                    prop_assert_eq!(records(&whole).0 + records(&whole).1, values.len() as u64, "{}", spec);
                    prop_assert_eq!(tables(&whole), tables(&cut), "{}", spec);
                    prop_assert_eq!(&whole.quarantine, &cut.quarantine);
                }
                (Err(whole), Err(cut)) => {
                    prop_assert_ne!(whole.code, "internal", "{:?}", &whole);
                    prop_assert_eq!(whole.code, cut.code);
                }
                (whole, cut) => prop_assert!(false, "{}: {} {}", spec, whole.is_ok(), cut.is_ok()),
            }
        }
    }
}
