//! The rejection rule: over counts, over its short forms, over what is no such rule.

use super::*;
use crate::output::{Output, parse};

fn rule(text: &str) -> MaxRejected {
    parse::<Output>(&format!("max_rejected = {text}")).unwrap().max_rejected.unwrap()
}

#[test]
fn an_object_fails_by_share_and_floor_or_by_half() {
    let default = MaxRejected::default();
    assert_eq!(rule("{ share = \"5%\", floor = 10 }"), default);
    for (rejected, records, allowed) in [
        (0, 0, true),
        (0, 1, true),
        (1, 1, false),
        (1, 2, true),
        (1, 3, true),
        (2, 3, false),
        (2, 4, true),
        (3, 4, false),
        (10, 19, false),
        (10, 20, true),
        (10, 21, true),
        (11, 21, false),
        (11, 219, false),
        (11, 220, true),
        (50, 1_000, true),
        (51, 1_000, false),
        (u64::MAX, u64::MAX, false),
        (u64::MAX / 20, u64::MAX, true),
        (u64::MAX / 20 + 1, u64::MAX, false),
    ] {
        assert_eq!(default.allows(rejected, records), allowed, "{rejected} of {records}");
    }
}

#[test]
fn every_share_of_a_hundred_records_is_exact() {
    for percent in 0..=100 {
        let rule = rule(&format!("{{ share = \"{percent}%\", floor = 0 }}"));
        for records in [100u64, 1_000, 100_000] {
            let most = records / 100 * percent;
            assert!(rule.allows(most, records), "{most} of {records} at {percent} %");
            assert!(
                percent == 100 || !rule.allows(most + 1, records),
                "{most} + 1 of {records} at {percent} %"
            );
        }
    }
    let fine = rule("{ share = \"0.0001%\", floor = 0 }");
    assert!(fine.allows(1, 1_000_000) && !fine.allows(2, 1_000_000) && !fine.allows(1, 999_999));
}

#[test]
fn short_forms_keep_what_they_do_not_say() {
    assert_eq!(rule("\"5%\""), MaxRejected::default());
    assert_eq!(rule("{}"), MaxRejected::default());
    assert_eq!(rule("' 7.25 % '"), MaxRejected::Share { millionths: 72_500, floor: 10 });
    assert_eq!(rule("{ floor = 3 }"), MaxRejected::Share { millionths: 50_000, floor: 3 });
    assert_eq!(rule("{ share = \"20%\" }"), MaxRejected::Share { millionths: 200_000, floor: 10 });
    assert_eq!(rule("\"0%\""), MaxRejected::Share { millionths: 0, floor: 0 });
    assert_eq!(rule("{ share = \"0%\", floor = 2 }"), MaxRejected::Share { millionths: 0, floor: 2 });
    assert_eq!([rule("3"), rule("\"3\"")], [MaxRejected::Records(3); 2]);
}

#[test]
fn a_number_alone_is_the_whole_rule() {
    let three = rule("3");
    assert!(three.allows(3, 3) && three.allows(3, 1_000_000) && !three.allows(4, 1_000_000));
    assert!(rule("0").allows(0, 0) && !rule("0").allows(1, 1_000_000));
}

#[test]
fn a_large_share_is_the_last_word() {
    let most = rule("\"80%\"");
    assert!(most.allows(8, 10) && !most.allows(9, 10) && !most.allows(1, 1));
    assert!(rule("\"100%\"").allows(1, 1) && rule("\"100%\"").allows(9, 9));
    assert!(!rule("\"0%\"").allows(1, 1_000_000) && rule("\"0%\"").allows(0, 0));
}

#[test]
fn a_rule_is_written_as_it_is_read() {
    for text in ["\"5%\"", "\"0%\"", "\"7.25%\"", "\"100%\"", "3", "{ share = \"0.0001%\", floor = 2 }"] {
        assert_eq!(rule(text).to_string(), text);
    }
    assert_eq!(rule("{ share = '5.50%', floor = 10 }").to_string(), "\"5.5%\"");
    assert_eq!(rule("{ share = '0%', floor = 10 }").to_string(), "{ share = \"0%\", floor = 10 }");
}

#[test]
fn what_is_no_rule_is_refused_with_its_place() {
    for (text, told) in [
        ("\"101%\"", "more than 100%"),
        ("\"100.0001%\"", "more than 100%"),
        ("\"99999999999999999999%\"", "is no share"),
        ("\"1.00001%\"", "more than four decimals"),
        ("\"-1%\"", "is no share"),
        ("\"+1%\"", "is no share"),
        ("\"1e1%\"", "is no share"),
        ("\"%\"", "is no share"),
        ("\".5%\"", "is no share"),
        ("\"5.%\"", "is no share"),
        ("\"many\"", "neither a share nor a number"),
        ("\"\"", "neither a share nor a number"),
        ("\"-3\"", "neither a share nor a number"),
        ("-1", "a share such as"),
        ("0.05", "a share such as"),
        ("true", "a share such as"),
        ("[]", "a share such as"),
        ("{ share = 5 }", "expected a string"),
        ("{ share = \"5\" }", "is no share"),
        ("{ floor = -1 }", "expected u64"),
        ("{ floor = \"3\" }", "expected u64"),
        ("{ part = 1 }", "unknown field `part`"),
    ] {
        let spec = format!("compression = \"none\"\nmax_rejected = {text}\n");
        let failure = parse::<Output>(&spec).unwrap_err();
        assert_eq!(failure.code, "spec_invalid");
        assert!(failure.message.contains(told), "{text}: {}", failure.message);
        assert_eq!(failure.place.line, Some(2), "{text}");
        assert!(failure.place.column.is_some_and(|column| column >= 16), "{text}: {:?}", failure.place);
    }
}
