//! Two implementations on one input: the transform and the plain reference, the library and the component.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest, Sha256};

use crate::judged::{self, ALL_MAY_FAIL, table};
use crate::reference::names::Naming;
use crate::reference::{self, Rows};
use crate::ways::{self, Native};
use crate::{drive, generate};

use super::{ask, differ, input, outcome, setting, sound};

/// The bytes are the seed of a generator of records. They are not what it draws from: it halves what it has at
/// every choice, and would soon have nothing left.
pub(super) fn reference(data: &[u8]) -> String {
    let (number, rest) = setting(data);
    let source = TestRng::from_seed(RngAlgorithm::ChaCha, &Sha256::digest(rest));
    let mut runner = TestRunner::new_with_rng(Config::default(), source);
    let Ok(tree) = generate::records().new_tree(&mut runner) else { return "nothing drawn".to_owned() };
    let records = tree.current();
    let head = format!("{ALL_MAY_FAIL}[[table]]\nname = \"t\"\n");
    let at_items = || Rows::At(vec!["items".to_owned()]);
    let (spec, asked) = match number {
        0 | 1 => (ALL_MAY_FAIL.to_owned(), table("t", Rows::Guess, Naming::Leaf)),
        2 | 3 => (format!("{head}rows = \"items\"\n"), table("t", at_items(), Naming::Path)),
        4 | 5 => {
            let asked = reference::Ask { keep_empty: false, ..table("t", at_items(), Naming::Leaf) };
            (format!("{head}rows = \"items\"\nempty = \"drop\"\nnames = \"leaf\"\n"), asked)
        }
        _ => {
            let asked = reference::Ask { doubles: true, ..table("t", Rows::Record, Naming::Path) };
            (format!("{head}numbers = \"double\"\n"), asked)
        }
    };
    if let Err(difference) = judged::check(&records, &spec, &[asked]) {
        panic!("{difference}");
    }
    format!("{number} {}", records.len())
}

/// JSON and CSV through the library and through the shipped component. Without one, the library alone.
pub(super) fn component(data: &[u8]) -> String {
    let (number, rest) = setting(data);
    let (chunk, input) = setting(rest);
    let ask = ask(&input::json_spec(number.max(1)));
    let native = drive::run(&Native, &ask, input, 1 << 20);
    sound(&native);
    if let Some(component) = ways::component() {
        let pieces = if chunk == 0 { 1 << 20 } else { chunk };
        let sandboxed = drive::run(component, &ask, input, pieces);
        if let Some(difference) = differ(&native, &sandboxed) {
            panic!("the library in one piece and the component in pieces of {pieces}: {difference}");
        }
    }
    format!("{number} {}", outcome(&native))
}
