//! The job as a host drives it: agreement, ledgers, chunks, limits.

use crate::{Job, Options, Step, TableContract, Widened};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Made {
    pub(super) parts: Vec<(String, String, Vec<u8>)>,
    pub(super) quarantine: String,
    pub(super) report: serde_json::Value,
}

pub(super) fn drive(
    options: &Options,
    data: &[u8],
    chunk: usize,
) -> Result<Result<Made, Widened>, crate::Failure> {
    drive_job(Job::open(options.clone())?, data, chunk)
}

pub(super) fn drive_job(
    mut job: Job,
    data: &[u8],
    chunk: usize,
) -> Result<Result<Made, Widened>, crate::Failure> {
    let mut chunks = data.chunks(chunk);
    let mut made = Made::default();
    loop {
        match job.step()? {
            Step::NeedInput => match chunks.next() {
                Some(chunk) => job.push(chunk),
                None => job.end(),
            },
            Step::Working => {}
            Step::PartOpened { id, table, partition } => {
                assert_eq!(id as usize, made.parts.len());
                made.parts.push((table, partition, Vec::new()));
            }
            Step::PartBytes { id, bytes } => made.parts[id as usize].2.extend(bytes),
            Step::PartClosed { id, bytes, .. } => assert_eq!(made.parts[id as usize].2.len() as u64, bytes),
            Step::Quarantine(lines) => made.quarantine += &String::from_utf8(lines).unwrap(),
            Step::Widen(widened) => return Ok(Err(widened)),
            Step::Done(report) => {
                made.report = serde_json::from_str(&report).unwrap();
                return Ok(Ok(made));
            }
        }
    }
}

/// Both passes; the spec may be empty.
pub(super) fn run(spec: &str, data: &[u8], chunk: usize) -> Made {
    let mut options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    if let Err(widened) = drive(&options, data, chunk).unwrap() {
        options.contracts = widened.contracts;
        options.final_pass = true;
        return drive(&options, data, chunk).unwrap().unwrap();
    }
    panic!("a job without contract must ask for one");
}

pub(super) const LENIENT: &str = "[output]\nmax_rejected = \"100%\"\n";

#[test]
fn the_same_bytes_however_the_input_is_cut() {
    let mut data = Vec::new();
    for i in 0..500 {
        data.extend(format!("{{\"id\":{i},\"n\":\"é{}\",\"xs\":[{{\"v\":{}.5}},null]}}\n", i % 7, i).bytes());
    }
    let whole = run("", &data, data.len());
    assert_eq!(whole.report["tables"][0]["rows_out"], 1000);
    for chunk in [1, 7, 4096] {
        assert_eq!(run("", &data, chunk), whole, "chunks of {chunk}");
    }
}

#[test]
fn a_document_cut_between_records_keeps_the_record_before_the_cut() {
    let mut data = b"[".to_vec();
    for i in 0..9000 {
        data.extend(
            format!("{}\n{{\"id\":{i},\"xs\":[{{\"v\":1}},{{\"v\":{i}}}]}}", if i > 0 { "," } else { "" })
                .bytes(),
        );
    }
    data.push(b']');
    let whole = run("", &data, data.len());
    assert_eq!(whole.report["tables"][0]["rows_out"], 18000);
    for chunk in [64 << 10, 65_537, 100_003] {
        assert_eq!(run("", &data, chunk), whole, "chunks of {chunk}");
    }
}

/// A contract keeps the name and the type of what is derived; how, the spec says anew each time.
#[test]
fn another_spec_derives_otherwise_under_the_same_contract() {
    let spec = |sql: &str, more: &str| {
        format!(
            "[[table]]\nname = \"t\"\nmode = \"freeze\"\n[[table.column]]\nname = \"a\"\ntype = \"bigint\"\n\
             [[table.derive]]\nname = \"d\"\nsql = \"{sql}\"\n{more}"
        )
    };
    let data = b"{\"a\":20}\n";
    let options = Options { spec: spec("a + 1", ""), ..Options::default() };
    let Err(widened) = drive(&options, data, 64).unwrap() else { panic!("there is no contract yet") };
    let under = |spec: String| {
        let contracts = widened.contracts.clone();
        drive(&Options { spec, contracts, ..Options::default() }, data, 64)
    };
    let (one, other) = (under(spec("a + 1", "")).unwrap(), under(spec("a + 2", "")).unwrap());
    let (Ok(one), Ok(other)) = (one, other) else { panic!("the contract must stay as it is") };
    assert_ne!(one.parts[0].2, other.parts[0].2);
    let footer = String::from_utf8_lossy(&other.parts[0].2).into_owned();
    assert!(footer.contains("a + 2") && !footer.contains("a + 1"), "the footer says what was done");
    // Another type is a conflict, found before any input is read; cast to the type that it has, it is none.
    let options = Options { contracts: widened.contracts.clone(), ..Options::default() };
    let refused = Job::open(Options { spec: spec("a * 0.5", ""), ..options }).err().unwrap();
    assert_eq!(refused.code, "contract_conflict");
    assert!(
        refused.message.contains("as double") && refused.message.contains("is bigint"),
        "{}",
        refused.message
    );
    assert!(under(spec("a * 0.5", "type = \"bigint\"\n")).unwrap().is_ok());
}

#[test]
fn a_record_is_taken_or_rejected_as_a_whole() {
    let spec = format!(
        "{LENIENT}[[table]]\nname='a'\nmode='discard'\n[[table.column]]\nname='id'\ntype='bigint'\n\
         [[table]]\nname='b'\nrows='xs'\nmode='discard'\n[[table.column]]\nname='v'\nfrom='xs.v'\ntype='bigint'\n"
    );
    let options = Options { spec, ..Options::default() };
    let widened = drive(&options, b"", 1).unwrap().unwrap_err();
    let options = Options { contracts: widened.contracts, final_pass: true, ..options };
    let data = b"{\"id\":1,\"xs\":[{\"v\":1},{\"v\":2}]}\n{\"id\":2,\"xs\":[{\"v\":3},{\"v\":\"x\"}]}\n{\"id\":\"y\",\"xs\":[]}\n";
    let made = drive(&options, data, 5).unwrap().unwrap();
    assert_eq!(made.report["records"], 3);
    assert_eq!(made.report["accepted"], 1);
    assert_eq!(made.report["tables"][0]["rows_out"], 1);
    assert_eq!(made.report["tables"][1]["rows_out"], 2);
    let lines: Vec<serde_json::Value> =
        made.quarantine.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["path"], "/xs/1/v");
    assert_eq!((&lines[0]["line"], &lines[0]["record"]), (&2.into(), &2.into()));
    assert_eq!(lines[1]["path"], "/id");
}

#[test]
fn a_new_path_stops_a_known_contract_and_the_second_pass_takes_it() {
    let first = Options { table: Some("t".into()), ..Options::default() };
    let contracts = drive(&first, b"{\"a\":1}\n", 99).unwrap().unwrap_err().contracts;
    let second = Options { contracts: contracts.clone(), ..first };
    assert!(drive(&second, b"{\"a\":2}\n", 99).unwrap().is_ok());
    let grown = drive(&second, b"{\"a\":2}\n{\"a\":3,\"b\":\"x\"}\n", 99).unwrap().unwrap_err();
    assert!(grown.contracts[0].text.starts_with(contracts[0].text.split("],\"nulls\"").next().unwrap()));
    assert!(grown.contracts[0].text.contains("\"/b\""));
}

#[test]
fn a_lost_swap_is_merged_without_reading_again() {
    let options = Options { table: Some("t".into()), ..Options::default() };
    let ours = drive(&options, b"{\"a\":1,\"b\":2}\n", 99).unwrap().unwrap_err();
    let theirs = drive(&options, b"{\"a\":1,\"c\":true}\n", 99).unwrap().unwrap_err();
    let merge = Options { contracts: theirs.contracts, learned: Some(ours.learned), ..options };
    let merged = drive(&merge, b"", 99).unwrap().unwrap_err();
    assert!(merged.contracts[0].text.contains("\"/b\"") && merged.contracts[0].text.contains("\"/c\""));
    let again = Options { contracts: merged.contracts, ..merge };
    assert!(drive(&again, b"", 99).unwrap().is_ok(), "nothing is left to add");
}

#[test]
fn too_many_rejected_records_fail_the_object() {
    let options = Options {
        spec: "[[table]]\nmode='freeze'\n[[table.column]]\nname='a'\ntype='bigint'\n".into(),
        table: Some("t".into()),
        ..Options::default()
    };
    let contracts = drive(&options, b"", 1).unwrap().unwrap_err().contracts;
    let options = Options { contracts, ..options };
    let failure = drive(&options, b"{\"a\":1}\n{\"a\":true}\n{\"a\":false}\n", 99).unwrap_err();
    assert_eq!(failure.code, "too_many_rejected");
}

#[test]
fn an_empty_input_is_done_with_a_warning() {
    for data in [&b""[..], b"  \n", b"[]"] {
        let options = Options { table: Some("t".into()), ..Options::default() };
        let made = drive(&options, data, 9).unwrap().unwrap();
        assert_eq!(made.report["records"], 0);
        assert_eq!(made.report["warnings"][0]["code"], "no_records");
        assert!(made.parts.is_empty());
    }
}

#[test]
fn a_syntax_error_costs_a_document_whole_and_ndjson_one_line() {
    let options = Options { table: Some("t".into()), ..Options::default() };
    let failure = drive(&options, b"[{\"a\":1},\n {\"a\":}]", 9).unwrap_err();
    assert_eq!((failure.code, failure.place.line, failure.place.column), ("syntax_error", Some(2), Some(7)));
    let made = run(LENIENT, b"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", 9);
    assert_eq!(made.report["accepted"], 2);
    assert_eq!(made.report["rejects"]["syntax_error"], 1);
}

#[test]
fn records_below_a_path() {
    let spec = "[input]\nrecords = 'data.orders'\n";
    let made =
        run(spec, b"{\"meta\":{\"orders\":[1]},\"data\":{\"n\":2,\"orders\":[{\"a\":1},{\"a\":2}]}}", 3);
    assert_eq!(made.report["records"], 2);
    let options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    assert_eq!(drive(&options, b"{\"data\":{}}", 3).unwrap_err().code, "records_not_found");
}

/// It is beside the records, so there is no record to reject; taking it for one never ended.
#[test]
fn a_key_beside_the_path_that_is_no_text_is_passed_over() {
    let spec = "[input]\nrecords = 'data'\n";
    for key in [&b"d\xf1"[..], b"\\ud800", b"\xff\\\"", b"data\xff"] {
        let input = [b"{\"", key, b"\":[{\"a\":1}],\"data\":[{\"a\":2},{\"a\":3}]}"].concat();
        for chunk in [1, 1 << 20] {
            assert_eq!(run(spec, &input, chunk).report["accepted"], 2, "{}", key.escape_ascii());
        }
    }
}

#[test]
fn csv_short_and_long_records_are_rejected() {
    let made = run(LENIENT, b"a,b\n1,2\n3\n4,5,6\n\n007,x\n", 2);
    assert_eq!(made.report["records"], 4);
    assert_eq!(made.report["rejects"]["field_count"], 2);
    assert_eq!(made.report["tables"][0]["rows_out"], 2);
}

#[test]
fn a_missing_contract_on_the_final_pass_is_refused() {
    let options = Options {
        table: Some("t".into()),
        final_pass: true,
        contracts: Vec::<TableContract>::new(),
        ..Options::default()
    };
    assert_eq!(drive(&options, b"{}", 1).unwrap_err().code, "contract_missing");
}

/// A record of too many fields is refused, and the next 64 records then come one by one.
#[test]
fn csv_in_blocks_and_one_by_one_makes_the_same_bytes() {
    let spec = "[input]\nnull_values = [\"NA\"]\n[output]\nmax_rejected = \"100%\"\n[[table]]\nname = \"t\"\nmode = \"freeze\"\n";
    let columns = [
        ("a", "string"),
        ("b", "bigint"),
        ("c", "double"),
        ("d", "date"),
        ("e", "boolean"),
        ("f", "decimal(9,2)"),
    ];
    let column =
        |(name, ty)| format!("[[table.column]]\nname = \"{name}\"\nfrom = \"{name}\"\ntype = \"{ty}\"\n");
    let spec = spec.to_owned() + &columns.map(column).concat();
    let header = "a,b,c,d,e,f\n";
    let mut body = String::new();
    for i in 0..40 {
        let text = ["x", "\"a, \"\"b\"\"\"", "\"\"", "NA", "\"NA\"", "é and more than sixteen bytes"][i % 6];
        let (b, c) = (["7", "", " 12 ", "123456789012"][i % 4], ["1.5", "NA", "-2e3", "12345678.25"][i % 4]);
        let (d, e) = (["2025-01-01", "2025-02-28", ""][i % 3], ["true", "", "false"][i % 3]);
        body += &format!("{text},{b},{c},{d},{e},{i}.25\r\n");
    }
    let quick = run(&spec, (header.to_owned() + &body).as_bytes(), 1 << 20);
    let slow = run(&spec, (header.to_owned() + "1,2,3,4,5,6,7\n" + &body).as_bytes(), 1 << 20);
    assert_eq!((slow.report["rejected"].as_u64(), quick.report["rejected"].as_u64()), (Some(1), Some(0)));
    assert_eq!(quick.report["accepted"], 40);
    assert_eq!(quick.parts, slow.parts);
    // A record that does not fit is found in a block as it is alone.
    let bad =
        run(&spec, (header.to_owned() + &body + "x,7.5,1,2025-01-01,true,1\n" + &body).as_bytes(), 1 << 20);
    assert_eq!((bad.report["rejected"].as_u64(), bad.report["accepted"].as_u64()), (Some(1), Some(80)));
    assert!(bad.quarantine.contains("\"record\":41"), "{}", bad.quarantine);
}
