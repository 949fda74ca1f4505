//! Tests of `quarantine`: how records are named and chosen, and what is given out to be fixed.

use super::*;
use lakegate_base::Fault;
use lakegate_model::QuarantineLine;

fn entry(commit: &str, record: u64, raw: &str, resolved: bool) -> Quarantined {
    Quarantined {
        run_id: "52797132-652b-85bc-9470-5a2b6c000001".into(),
        commit_key: commit.to_owned(),
        pipeline: "orders".into(),
        source: "file:///data/orders.json".to_owned(),
        generation: 1,
        line: QuarantineLine {
            record,
            line: Some(record),
            offset: Some(0),
            length: Some(1),
            table: Some("orders".into()),
            path: Some("/price".into()),
            code: "type_mismatch".into(),
            message: "a text where a double is agreed".into(),
            raw: raw.to_owned().into(),
            truncated: false,
            found: None,
        },
        resolved_by: resolved.then(|| "resubmit".to_owned()),
    }
}

#[test]
fn ids_tell_sources_apart() {
    let (a, b) = (entry("a", 1, "", false), entry("b", 1, "", false));
    assert_ne!(id(&a), id(&b));
    assert!(id(&a).ends_with("-1") && id(&a).len() == 8, "{}", id(&a));
}

#[test]
fn none_named_means_all_that_are_open() {
    let all = [entry("a", 1, "", false), entry("a", 2, "", true)];
    let open = Selection::of(&[], &all).unwrap();
    assert!(open.holds(&all[0]) && !open.holds(&all[1]));
    let named = Selection::of(&[id(&all[1])], &all).unwrap();
    assert!(named.holds(&all[1]) && !named.holds(&all[0]));
    assert_eq!(
        Selection::of(&["7".to_owned()], &all).err().map(|problem| problem.fault()),
        Some(Fault::Usage)
    );
}

#[test]
fn raw_records_are_one_a_line_and_once() {
    let all = [
        entry("a", 1, "{\"a\":\n  1}", false),
        entry("a", 1, "{\"a\":\n  1}", false),
        entry("a", 2, "{}", false),
    ];
    let refs: Vec<&Quarantined> = all.iter().collect();
    assert_eq!(raw(&refs).unwrap(), "{\"a\":   1}\n{}\n");
    let mut cut = entry("a", 3, "{\"a\":", false);
    cut.line.truncated = true;
    assert_eq!(raw(&[&cut]).unwrap_err().name(), "raw_truncated");
}

#[test]
fn a_record_is_shown_with_its_reason_place_and_text() {
    let text = one(&entry("a", 12, "{\"price\":\"x\"}", false), Screen::default());
    for part in ["type_mismatch", "/price", "12 of file:///data/orders.json", "| {\"price\":\"x\"}"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
