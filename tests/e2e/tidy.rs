//! The style limits as a test: what a reviewer should not have to say twice.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest Rust file in lines: the hard stop of the style; about 400 is the aim.
const FILE_LINES: usize = 500;
/// Longest function in lines, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 65;
/// Largest file in bytes: nothing bigger belongs in a repository of text.
const BLOB_BYTES: u64 = 1 << 20;
/// Folders that are made, not written.
const MADE: [&str; 5] = ["target", ".git", "node_modules", "dist", ".venv"];
/// Where a person who tries the first example has a lake: at the top of the checkout only.
const TRIED: &str = "lake";

/// Every file of the checkout that is written by hand, relative to it.
fn files() -> Vec<PathBuf> {
    let root = crate::checkout();
    let kept = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        let made = MADE.contains(&name.as_ref()) || (entry.depth() == 1 && name == TRIED);
        !(entry.file_type().is_dir() && made)
    };
    let entries = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(kept);
    let files = entries.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| entry.path().strip_prefix(&root).unwrap().to_owned()).collect()
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(crate::checkout().join(path)).unwrap())).collect()
}

fn report(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}

/// Test code may unwrap: `*_tests.rs`, `tests.rs`, `fixture.rs`, suites, what they share (`laws.rs`, `scale.rs`), and everything below `tests/`.
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let suite = path.components().any(|part| part.as_os_str() == "suite");
    path.starts_with("tests")
        || suite
        || name.ends_with("_tests")
        || ["tests", "suite", "fixture", "laws", "scale"].contains(&&*name)
}

#[test]
fn every_rust_file_opens_with_what_it_is_for() {
    let wrong: Vec<String> = rust_files()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! ") || text.starts_with("//! Stub"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    report("a file opens with `//!`", &wrong);
}

/// Crates whose root does not forbid `unsafe`, and why.
const UNSAFE: [(&str, &str); 5] = [
    ("host-lambda/release/src/lib.rs", "runs compiled code that a trusted key signed"),
    ("host-lambda/sandbox/src/lib.rs", "runs compiled code"),
    ("tests/examples/mask-score/src/lib.rs", "the exports of a component"),
    ("transform-wasm/src/lib.rs", "the exports of a component; vectors of 16 bytes"),
    ("web-demo/inspect/src/lib.rs", "the exports of wasm-bindgen"),
];

#[test]
fn only_crates_that_need_it_allow_unsafe() {
    let is_root = |path: &Path| {
        let folder = path.parent().unwrap_or(Path::new(""));
        path.file_name().is_some_and(|name| name == "lib.rs" || name == "main.rs")
            && [folder, folder.parent().unwrap_or(folder)]
                .iter()
                .any(|folder| crate::checkout().join(folder).join("Cargo.toml").exists())
    };
    let roots: Vec<_> = rust_files().into_iter().filter(|(path, _)| is_root(path)).collect();
    assert!(roots.len() > 15, "crates are found");
    let open = roots.iter().filter(|(_, text)| !text.contains("\n#![forbid(unsafe_code)]\n"));
    let open: Vec<String> = open.map(|(path, _)| path.display().to_string()).collect();
    assert_eq!(open, UNSAFE.map(|(path, _)| path), "a crate without `unsafe` says `#![forbid(unsafe_code)]`");
}

#[test]
fn files_and_functions_stay_short() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES {
            wrong.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (at, length) in long_functions(&lines) {
            wrong.push(format!("{}:{}: a function of {length} lines", path.display(), at + 1));
        }
    }
    report(&format!("files up to {FILE_LINES} lines, functions up to {FUNCTION_LINES}"), &wrong);
}

/// Functions that are too long: rustfmt puts the closing brace at the indent of the `fn`.
fn long_functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let starts = |line: &str| opens_function(line.trim()) && !line.trim_end().ends_with(';');
    let mut long = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| starts(line)) {
        let ends = |other: &&str| indent(other) == indent(line) && other.trim_start().starts_with('}');
        let one_line = line.trim_end().ends_with('}');
        let length = lines[at..].iter().position(ends).map_or(1, |end| end + 1);
        if !one_line && length > FUNCTION_LINES {
            long.push((at, length));
        }
    }
    long
}

/// Whether `fn` comes after nothing but what may stand before it: `pub(super) const unsafe extern "C" fn`.
fn opens_function(line: &str) -> bool {
    let visible = line.strip_prefix("pub").map_or(line, |rest| match rest.strip_prefix('(') {
        Some(place) => place.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    });
    let mut words = visible.split_whitespace();
    words.find(|word| !["const", "async", "unsafe", "extern"].contains(word) && !word.starts_with('"'))
        == Some("fn")
}

#[test]
fn functions_are_seen_whatever_stands_before_them() {
    for line in [
        "fn a() {",
        "pub fn a() {",
        "async fn a() {",
        "pub(crate) async fn a<T>(",
        "pub unsafe fn a() {",
        "pub(in crate::b) const unsafe extern \"C\" fn a() {",
    ] {
        assert!(opens_function(line), "{line}");
    }
    for line in ["// fn a() {", "let a = b;", "type A = fn(u8);", "pub struct A {", "const A: fn() = b;", ""]
    {
        assert!(!opens_function(line), "{line}");
    }
    let body = ["    async fn a() {"].into_iter().chain(["        b();"; FUNCTION_LINES]).chain(["    }"]);
    assert_eq!(long_functions(&body.collect::<Vec<_>>()), [(0, FUNCTION_LINES + 2)]);
}

#[test]
fn no_call_that_does_not_belong_in_the_product() {
    // Split so that this file does not find itself.
    let everywhere = [
        concat!("dbg", "!("),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ign", "ore"),
    ];
    let product = [concat!(".unw", "rap()"), concat!("use super::", "*;")];
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        let product_lines = if is_test(&path) {
            0
        } else {
            text.find("\nmod tests {").map_or(text.lines().count(), |at| text[..at].lines().count())
        };
        for (at, line) in text.lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            let banned = everywhere.iter().any(|call| line.contains(call))
                || at < product_lines && product.iter().any(|call| line.contains(call));
            if code && banned {
                wrong.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    report("banned calls", &wrong);
}

#[test]
fn no_note_to_oneself_and_no_path_of_one_machine() {
    // Split so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK:"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("C:\\Us", "ers"),
    ];
    let mut wrong = Vec::new();
    for path in files().into_iter().filter(|path| !path.starts_with("tests/corpus")) {
        let Ok(text) = fs::read_to_string(crate::checkout().join(&path)) else { continue };
        for (at, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                let line: String = line.trim().chars().take(100).collect();
                wrong.push(format!("{}:{}: {line}", path.display(), at + 1));
            }
        }
    }
    report("notes to oneself, paths of one machine", &wrong);
}

/// Where packages come from is each machine's own setting: the lock files name their digests, and no mirror.
#[test]
fn lock_files_name_no_mirror() {
    let read = |path: &str| fs::read_to_string(crate::checkout().join(path)).unwrap();
    let mut wrong = Vec::new();
    for line in read("Cargo.lock").lines().filter(|line| line.starts_with("source = ")) {
        // The name that Cargo gives to its own registry.
        if !line.starts_with("source = \"registry+https://github.com/rust-lang/") {
            wrong.push(format!("Cargo.lock: {line}"));
        }
    }
    for line in read("web-demo/package-lock.json").lines().filter(|line| line.contains("\"resolved\":")) {
        wrong.push(format!("web-demo/package-lock.json: {}", line.trim()));
    }
    for path in files().iter().filter(|path| path.starts_with("tests/python")) {
        let path = path.to_str().unwrap();
        for line in read(path).lines().filter(|line| path.ends_with(".txt") && line.contains("://")) {
            wrong.push(format!("{path}: {line}"));
        }
    }
    report("packages from a named place", &wrong);
}

#[test]
fn no_large_or_committed_binary_file() {
    let wrong: Vec<String> = files()
        .into_iter()
        .filter(|path| {
            let large =
                fs::metadata(crate::checkout().join(path)).is_ok_and(|facts| facts.len() > BLOB_BYTES);
            large || path.extension().is_some_and(|extension| extension == "parquet" || extension == "wasm")
        })
        .map(|path| path.display().to_string())
        .collect();
    report("files beyond 1 MiB, Parquet, Wasm", &wrong);
}

#[test]
fn workflows_pin_what_they_use() {
    let mut wrong = Vec::new();
    for path in files().iter().filter(|path| path.starts_with(".github/workflows")) {
        let text = fs::read_to_string(crate::checkout().join(path)).unwrap();
        for used in
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            let version = used.split_once('@').map(|(_, version)| version);
            let pinned = version.is_some_and(|version| {
                let major = version.strip_prefix('v').is_some_and(|digits| digits.parse::<u32>().is_ok());
                major || version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
            });
            if !pinned && !used.starts_with("./") {
                wrong.push(format!("{}: {used}", path.display()));
            }
        }
    }
    report("actions by major version or by digest", &wrong);
}
