//! The golden corpus; see `lakegate_tests::corpus` for its layout. `UPDATE=1` blesses.

use lakegate_tests::corpus;

#[test]
fn every_case_comes_out_as_expected() {
    let cases = corpus::cases(&crate::checkout().join("tests/corpus"));
    assert!(cases.len() > 150, "only {} cases found", cases.len());
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.folder.to_string_lossy().contains(&wanted)) {
        let ran = std::panic::catch_unwind(|| case.run()).unwrap_or_else(|panic| Err(text(panic.as_ref())));
        if let Err(difference) = ran {
            wrong.push(format!("{}\n{difference}", case.folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ (UPDATE=1 blesses):\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What a panic said.
fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().cloned();
    said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
