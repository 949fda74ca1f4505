//! The exact text of the likeliest errors: whose fault, where, what to do. Change them on purpose only.

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::golden;
use lakegate_tests::ways::Native;

/// A spec and an input that fail, and the text of the failure.
struct Likely {
    spec: &'static str,
    input: &'static [u8],
    text: &'static str,
}

const LIKELY: [Likely; 20] = [
    Likely {
        spec: "",
        input: b"[{\"id\":1},{\"id\":2},]",
        text: "failed: input, syntax_error\n\
               a comma before a closing bracket at line 1, column 20 (byte 19)\n\
               hint: remove the extra comma\n",
    },
    Likely {
        spec: "",
        input: b"[{'id':1}]",
        text: "failed: input, syntax_error\n\
               a single quote where JSON wants a double quote at line 1, column 3 (byte 2)\n\
               hint: quote strings and keys with \"\n",
    },
    Likely {
        spec: "",
        input: b"[{\"price\": NaN}]",
        text: "failed: input, syntax_error\n\
               a word that is not JSON at line 1, column 12 (byte 11)\n\
               hint: NaN and Infinity are not JSON: write null\n",
    },
    Likely {
        spec: "",
        input: b"[{\"id\":1},{\"id\":2",
        text: "failed: input, syntax_error\n\
               the input ends inside a value at line 1, column 18 (byte 17)\n\
               hint: is the file cut off?\n",
    },
    Likely {
        spec: "",
        input: b"[\n// orders\n{\"id\":1}]",
        text: "failed: input, syntax_error\n\
               a comment at line 2, column 1 (byte 2)\n\
               hint: JSON has no comments: remove it\n",
    },
    Likely {
        spec: "",
        input: b"[{\"ok\": True}]",
        text: "failed: input, syntax_error\n\
               a word that is not JSON at line 1, column 9 (byte 8)\n\
               hint: write true and false in lower case\n",
    },
    Likely {
        spec: "",
        input: b"[{\"id\":007}]",
        text: "failed: input, syntax_error\n\
               a number must not have leading zeros at line 1, column 9 (byte 8)\n\
               hint: write the number without leading zeros, or as a string in double quotes\n",
    },
    Likely {
        spec: "",
        input: b"[{\"id\":1}\n{\"id\":2}]",
        text: "failed: input, syntax_error\n\
               a comma or closing bracket is missing at line 2, column 1 (byte 10)\n\
               hint: is a comma or a quote missing before this place?\n",
    },
    Likely {
        spec: "",
        input: b"[{\"a\":\"line\nbreak\"}]",
        text: "failed: input, syntax_error\n\
               a control character inside a string at line 1, column 12 (byte 11)\n\
               hint: line breaks and tabs in strings are written \\n and \\t\n",
    },
    Likely {
        spec: "[input]\n\
               records = \"data.orders\"\n\
               [[table]]\n\
               name = \"t\"",
        input: b"{\"data\":{\"items\":[{\"id\":1}]}}",
        text: "failed: input, records_not_found\n\
               the path of records is nowhere in the input\n\
               hint: check records in [input]\n",
    },
    Likely {
        spec: "",
        input: b"[1,2,3]",
        text: "failed: input, not_records\n\
               the input holds values, but no objects: records must be objects\n\
               hint: wrap each value, for example {\"value\": 1}\n",
    },
    Likely {
        spec: "",
        input: b"[\x00{\x00\"\x00i\x00d\x00\"\x00:\x001\x00}\x00]\x00",
        text: "failed: input, utf16_input\n\
               the input looks like UTF-16LE text, or it is no text at line 1, column 1 (byte 0)\n\
               hint: if it is, set encoding = \"utf-16le\" in [input]\n",
    },
    Likely {
        spec: "[output]\n\
               max_rejected = 1",
        input: b"{\"n\":1}\n2\n3\n",
        text: "failed: input, too_many_rejected\n\
               2 of 3 records were rejected (2 × not_an_object), which is more than max_rejected allows\n\
               hint: see the quarantine for each record's reason; if this share is expected, raise max_rejected in [output]\n",
    },
    Likely {
        spec: "",
        input:
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaLQ\xb22\xac\xe5\xaa\x1ee\x0cM\x06\x00\xdb\xdd",
        text: "failed: input, gzip_truncated\n\
               the gzip input ends within a member, after byte 28 of the compressed input\n\
               hint: the upload or the writer stopped early: send the whole file again\n",
    },
    Likely {
        spec: "",
        input: b"id,name\n1,\"Ann\n2,Bob\n",
        text: "failed: input, syntax_error\n\
               a quoted field is never closed at line 2, column 3 (byte 10), record 1\n\
               hint: close the quote, or write it twice if it belongs to the text\n",
    },
    Likely {
        spec: "[[table]]\n\
               name = \"t\"\n\
               rowz = \"x\"",
        input: b"{\"id\":1}\n",
        text: "failed: spec, spec_invalid\n\
               unknown field `rowz`, expected one of `name`, `rows`, `empty`, `mode`, `on_misfit`, `names`, `numbers`, `flatten_depth`, `flatten_keys`, `partition_by`, `drop_nulls`, `filter`, `column`, `derive`, `check` at line 3, column 1\n",
    },
    Likely {
        spec: "[[table]]\n\
               name = \"t\"\n\
               [[table.column]]\n\
               name = \"id\"\n\
               type = \"int\"",
        input: b"{\"id\":1}\n",
        text: "failed: spec, spec_invalid\n\
               unknown type `int`, expected one of boolean, bigint, double, decimal(p,s), string, date, timestamp, timestamp(6), json at line 5, column 8\n",
    },
    Likely {
        spec: "[[table]]\n\
               name = \"t\"\n\
               [[table.derive]]\n\
               name = \"x\"\n\
               sql = \"uper(p)\"",
        input:
            b"{\"id\":1,\"q\":2,\"p\":1.5}\n{\"id\":2,\"q\":null,\"p\":2.5}\n{\"id\":3,\"q\":0,\"p\":10.0}\n",
        text: "failed: spec, spec_invalid\n\
               column `x`: there is no function `uper` at line 1, column 1 of \"uper(p)\"\n\
               hint: did you mean `upper`?\n",
    },
    Likely {
        spec: "[[table]]\n\
               name = \"t\"\n\
               [[table.check]]\n\
               name = \"positive\"\n\
               sql = \"q > 0\"\n\
               on_fail = \"fail\"",
        input:
            b"{\"id\":1,\"q\":2,\"p\":1.5}\n{\"id\":2,\"q\":null,\"p\":2.5}\n{\"id\":3,\"q\":0,\"p\":10.0}\n",
        text: "failed: input, check_failed\n\
               the check `positive` failed\n\
               hint: its on_fail is \"fail\": nothing of this source object was taken\n",
    },
    Likely {
        spec: "[[table]]\n\
               name = \"t\"\n\
               partition_by = [\"v\"]",
        input: b"{\"v\":1.5}\n",
        text: "failed: spec, spec_invalid\n\
               partition_by \"v\" is double\n\
               hint: partition by string, date, bigint or boolean; cast it, for example CAST(x AS date)\n",
    },
];

#[test]
fn the_likeliest_errors_read_as_agreed() {
    let mut wrong = String::new();
    for Likely { spec, input, text } in LIKELY {
        let got = came_to(spec, input, &[]);
        if got != text {
            wrong += &format!("{spec}\nexpected:\n{text}got:\n{got}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A type already written never changes by itself: the spec is refused before anything is read.
#[test]
fn a_spec_that_conflicts_with_the_live_contract_is_refused() {
    let contract = r#"{"version":1,"table":"t","rows":null,"columns":[{"name":"id","type":"bigint","pointer":"/id"}],"nulls":[],"partition_by":[]}"#;
    let live = [("t".to_owned(), contract.to_owned())];
    let spec = "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"id\"\ntype = \"string\"\n";
    let got = came_to(spec, b"not read", &live);
    assert!(got.starts_with("failed: spec, "), "{got}");
    for word in ["`id`", "bigint", "string", "hint: ", "contract change"] {
        assert!(got.contains(word), "{word} is missing: {got}");
    }
}

fn came_to(spec: &str, input: &[u8], contracts: &[(String, String)]) -> String {
    let ask = Ask { spec: spec.to_owned(), table: Some("t".to_owned()), contracts: contracts.to_vec() };
    match drive::run(&Native, &ask, input, 1 << 20) {
        Ok(made) => golden::made(&made),
        Err(failed) => golden::failed(&failed),
    }
}
