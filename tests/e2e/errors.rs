//! The exact text of the likeliest errors: whose fault, where, what to do. Change them on purpose only.

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::golden;
use lakegate_tests::ways::Native;

/// Name, spec, input, the text.
type Likely = (&'static str, &'static str, &'static [u8], &'static str);

const LIKELY: [Likely; 0] = [];

#[test]
fn the_likeliest_errors_read_as_agreed() {
    let mut wrong = String::new();
    for (name, spec, input, expected) in LIKELY {
        let ask = Ask { spec: spec.to_owned(), table: Some("t".to_owned()), contracts: Vec::new() };
        let got = match drive::run(&Native, &ask, input, 1 << 20) {
            Ok(made) => golden::made(&made),
            Err(failed) => golden::failed(&failed),
        };
        if got != expected {
            wrong += &format!("{name}\nexpected:\n{expected}\ngot:\n{got}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
