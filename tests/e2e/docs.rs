//! The documents: their commands run, their links and the paths they name exist.
//!
//! Not for how blocks are marked (CONTRIBUTING.md says it, `lakegate_tests::documents` reads it). Sessions that want
//! AWS get the stand-in of `aws.rs`, one after the other, since they name their buckets as a reader would.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lakegate_tests::command::binary;
use lakegate_tests::documents::{Document, Session};
use lakegate_tests::{peers, ways};

macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[test]
            fn $name() {
                run($path);
            }
        )*

        /// Documents whose commands are run above.
        const RUN: &[&str] = &[$($path),*];
    };
}

documents! {
    readme: "README.md",
    aws: "docs/aws.md",
    contributing: "CONTRIBUTING.md",
    errors: "docs/errors.md",
    extending: "docs/extending.md",
    lake: "docs/lake.md",
    page: "docs/page.md",
    releases: "docs/releases.md",
    spec: "docs/spec.md",
    stack: "docs/stack.md",
    verbs: "docs/verbs.md",
}

/// Documents without commands, whose links are looked at all the same.
const OTHERS: [&str; 5] =
    ["ARCHITECTURE.md", "BENCH.md", "CHANGELOG.md", "SECURITY.md", "tests/examples/mask-score/README.md"];

fn read(path: &str) -> Document {
    let text =
        fs::read_to_string(crate::checkout().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Document::parse(&text)
}

/// Runs a document's sessions, each in a folder of its own.
fn run(path: &str) {
    let document = read(path);
    let mut wrong = document.wrong;
    if !document.sessions.is_empty() && ways::required().is_some() {
        for session in document.sessions.values() {
            wrong.extend(run_session(session));
        }
    }
    assert!(wrong.is_empty(), "{path}:\n{}", wrong.join("\n"));
}

fn run_session(session: &Session) -> Vec<String> {
    static AWS: Mutex<()> = Mutex::new(());
    let folder = tempfile::tempdir().unwrap();
    let mut environment = vec![
        ("PATH".to_owned(), path_with_the_command()),
        ("CHECKOUT".to_owned(), crate::checkout().to_str().unwrap().to_owned()),
    ];
    if !session.aws {
        return session.run(folder.path(), &environment);
    }
    let Some(stand_in) = peers::environment() else { return Vec::new() };
    environment.extend(stand_in);
    let _one_at_a_time = AWS.lock().unwrap_or_else(PoisonError::into_inner);
    session.run(folder.path(), &environment)
}

/// The search path with the folder of the `lakegate` under test in front.
fn path_with_the_command() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = binary().parent().map(PathBuf::from).into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap().into_string().unwrap()
}

#[test]
fn every_document_is_looked_at() {
    let known: Vec<&str> = RUN.iter().chain(&OTHERS).copied().collect();
    for folder in ["", "docs"] {
        for entry in fs::read_dir(crate::checkout().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            let path = path.to_str().unwrap();
            assert!(!path.ends_with(".md") || known.contains(&path), "{path} is in no list of this test");
        }
    }
    for path in OTHERS {
        let document = read(path);
        assert!(document.sessions.is_empty() && document.wrong.is_empty(), "{path}: {:?}", document.wrong);
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in RUN.iter().chain(&OTHERS) {
        for (line, target) in read(path).links {
            if !target.starts_with("https://") && !leads_somewhere(path, &target) {
                wrong.push(format!("{path}:{line}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

fn leads_somewhere(from: &str, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { PathBuf::from(from) } else { Path::new(from).with_file_name(file) };
    let there = crate::checkout().join(&path).exists();
    there && anchor.is_none_or(|anchor| read(path.to_str().unwrap()).anchors.iter().any(|own| own == anchor))
}

/// ARCHITECTURE names paths in backticks, with `{a,b}` for several, and functions as `name()`, which stand in the
/// file or folder that was named last.
#[test]
fn what_architecture_names_is_there() {
    let mut wrong = Vec::new();
    let mut last = String::new();
    for (line, code) in read("ARCHITECTURE.md").code {
        if let Some(function) = code.strip_suffix("()") {
            let text = sources(&crate::checkout().join(&last));
            if !["fn", "function"].iter().any(|word| text.contains(&format!("{word} {function}"))) {
                wrong.push(format!("line {line}: there is no function `{function}` in {last}"));
            }
        } else if code.contains('/') {
            for path in expanded(&code) {
                if !crate::checkout().join(&path).exists() {
                    wrong.push(format!("line {line}: there is no {path}"));
                }
                last = path;
            }
        }
    }
    assert!(wrong.is_empty(), "ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

/// SECURITY names, behind each thing that somebody cannot do, the tests that hold it.
#[test]
fn what_security_claims_is_tested() {
    let folders =
        ["host-lambda", "transform-wasm", "tests"].map(|folder| sources(&crate::checkout().join(folder)));
    let names: Vec<(usize, String)> = read("SECURITY.md")
        .code
        .into_iter()
        .filter(|(_, code)| code.contains('_') && !code.contains('/'))
        .collect();
    let tested = |name: &str| {
        let is = |word: &str| folders.iter().any(|text| text.contains(&format!("{word} {name}(")));
        is("fn") || is("def")
    };
    let wrong: Vec<_> = names.iter().filter(|(_, name)| !tested(name)).collect();
    assert!(wrong.is_empty(), "no test has these names: {wrong:?}");

    let text = fs::read_to_string(crate::checkout().join("SECURITY.md")).unwrap();
    let (_, rest) = text.split_once("## What each can and cannot do").unwrap();
    let (claims, _) = rest.split_once("\n## ").unwrap();
    let claims: Vec<&str> = claims.split("\n* ").skip(1).collect();
    assert!(claims.len() > 15);
    for claim in claims {
        assert!(
            names.iter().any(|(_, name)| claim.contains(&format!("`{name}`"))),
            "no test is named: {claim}"
        );
    }
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expanded(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((names, after)) = rest.split_once('}') else { return vec![path.to_owned()] };
    names.split(',').map(|name| format!("{before}{name}{after}")).collect()
}

/// The text of a file, or of all Rust files in a folder.
fn sources(path: &Path) -> String {
    let files = walkdir::WalkDir::new(path).into_iter().filter_map(Result::ok);
    let rust = files.filter(|entry| entry.file_type().is_file());
    rust.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect()
}
