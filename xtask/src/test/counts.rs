//! What test programs say of themselves, summed: passed, failed, skipped.

use std::collections::BTreeMap;
use std::fmt;

/// Sum over all test programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Totals {
    /// Adds another sum.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Takes tests that returned without checking anything out of the passed ones.
    pub fn not_passed_but_skipped(&mut self, tests: u64) {
        self.passed = self.passed.saturating_sub(tests);
        self.skipped += tests;
    }
}

/// The closing line.
impl fmt::Display for Totals {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `" ok. 12 passed; 1 failed; 2 ignored; …"`, `" 12 passed, 1 failed, 2 skipped"` or the same without the
/// skipped ones.
pub fn parse(text: &str) -> Option<Totals> {
    let words: Vec<&str> = text.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
    let before = |name: &str| words.windows(2).find(|pair| pair[1] == name)?[0].parse().ok();
    let skipped = before("skipped").or_else(|| before("ignored")).unwrap_or(0);
    Some(Totals { passed: before("passed")?, failed: before("failed")?, skipped })
}

/// The notes that tests left of being skipped, `program<TAB>test<TAB>why` a line: each test once, with its
/// reason. The same name in two programs is two tests.
pub fn skipped(notes: &str) -> BTreeMap<(String, String), String> {
    let mut tests = BTreeMap::new();
    for line in notes.lines() {
        let mut fields = line.splitn(3, '\t').map(str::to_owned);
        if let (Some(program), Some(test), Some(why)) = (fields.next(), fields.next(), fields.next()) {
            tests.entry((program, test)).or_insert(why);
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(passed: u64, failed: u64, skipped: u64) -> Option<Totals> {
        Some(Totals { passed, failed, skipped })
    }

    #[test]
    fn counts_come_from_every_form_of_closing_line() {
        assert_eq!(parse(" ok. 12 passed; 1 failed; 0 ignored; 0 measured"), totals(12, 1, 0));
        assert_eq!(
            parse(" FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out"),
            totals(12, 1, 3)
        );
        assert_eq!(parse(" 7 passed, 0 failed"), totals(7, 0, 0));
        assert_eq!(parse(" 7 passed, 0 failed, 2 skipped"), totals(7, 0, 2));
        assert_eq!(parse(" nothing here"), None);
        assert_eq!(parse(" many passed, 0 failed"), None);
    }

    #[test]
    fn the_closing_line_is_read_back() {
        let mut sum = Totals { passed: 10, failed: 1, skipped: 0 };
        sum.not_passed_but_skipped(3);
        sum.add(Totals { passed: 1, failed: 0, skipped: 2 });
        assert_eq!(sum.to_string(), "8 passed, 1 failed, 5 skipped");
        assert_eq!(parse(&sum.to_string()), Some(sum));
    }

    #[test]
    fn a_test_is_skipped_once_and_the_same_name_elsewhere_is_another() {
        let notes =
            "e2e-1\tlaws::a\tno endpoint\ne2e-1\tlaws::a\tno endpoint\ncli-2\tlaws::a\tno component\ncut";
        let tests = skipped(notes);
        assert_eq!(tests.len(), 2);
        assert_eq!(tests[&("e2e-1".to_owned(), "laws::a".to_owned())], "no endpoint");
    }
}
