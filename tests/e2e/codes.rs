//! `docs/errors.md` is made of the list of failures, and lists them all. `UPDATE=1` writes it.

use std::fs;

use lakegate_model::{Code, Fault};

/// Whose fault it is, and how `lakegate` and its server then end.
const FAULTS: [(Fault, &str, &str); 8] = [
    (Fault::Usage, "The command line, or a request", "exit code 2, HTTP status 400"),
    (Fault::Input, "The input data", "exit code 1, HTTP status 422"),
    (Fault::Spec, "The spec or a contract", "exit code 1, HTTP status 422"),
    (Fault::Limit, "A named limit was passed", "exit code 1, HTTP status 422"),
    (Fault::Environment, "Files, rights, disk, services, set-up", "exit code 1, HTTP status 500"),
    (Fault::Transform, "The transform component", "exit code 1, HTTP status 422"),
    (Fault::Release, "A release, a channel or a key", "exit code 1, HTTP status 422"),
    (Fault::Internal, "Lakegate itself: please report it", "exit code 1, HTTP status 500"),
];

fn page() -> String {
    let mut text = String::from(
        "# Failures by name\n\n\
         Every failure has a stable name, the `code` of `--json`, of records, of log lines and of `lakegate serve`'s\n\
         answers. It says whose fault it is (`fault`) and what a caller can do (`kind`):\n\n\
         | kind | means | in a function |\n| --- | --- | --- |\n\
         | `input` | the same again fails the same way | `Lakegate.BadInput`: recorded, told, not delivered again |\n\
         | `passing` | worth trying again | `Lakegate.PassingTrouble`: delivered again |\n\
         | `own` | Lakegate's, the transform's or the set-up's own fault | `Lakegate.OwnFault`: delivered again, or dead letters |\n\n\
         A record that is rejected is no failure: it lies in quarantine with a reason of its own. A transform of your own\n\
         may use names that are not listed here; they are handed on as they are. Some requests are answered with a\n\
         status of their own (403, 404, 405, 408, 409, 413, 503, 507).\n\n\
         This page is made from the list in `transform-wasm/model/src/code.rs`.\n",
    );
    for (fault, title, ends) in FAULTS {
        text.push_str(&format!("\n## {title}\n\n`fault` is `{}`: {ends}.\n\n", fault.name()));
        text.push_str("| code | kind | meaning |\n| --- | --- | --- |\n");
        for code in Code::ALL.iter().filter(|code| code.fault() == fault) {
            text.push_str(&format!("| `{code}` | `{}` | {} |\n", code.kind(), code.meaning()));
        }
    }
    text
}

#[test]
fn the_page_of_failures_lists_them_all() {
    let path = crate::checkout().join("docs/errors.md");
    let made = page();
    for code in Code::ALL {
        assert!(made.contains(&format!("| `{code}` |")), "{code}: its fault has no section");
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "docs/errors.md is not what the list of codes makes: run this test with UPDATE=1");
}
