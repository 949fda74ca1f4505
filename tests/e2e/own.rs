//! A transform of one's own: the example that ships, and a crate as `lakegate new` makes it.

use std::fs;
use std::path::{Path, PathBuf};

use lakegate_tests::command::{Ran, lakegate, with};
use lakegate_tests::drive::{Ask, Way};
use lakegate_tests::{corpus, golden, ways};
use serde_json::Value;

/// What `lakegate new` writes compiles here too, and its own test runs among these.
#[path = "../../host-lambda/cli/src/verb/new/lib.rs"]
mod template;

const NEW: &str = "../host-lambda/cli/src/verb/new";

fn example(name: &str) -> Vec<u8> {
    fs::read(crate::checkout().join("tests/examples/mask-score").join(name)).unwrap()
}

#[test]
fn the_example_makes_the_same_bytes_natively_and_as_a_component() {
    let spec = String::from_utf8(example("transform.toml")).unwrap();
    let ask = Ask { spec, ..Ask::default() };
    let component = ways::mask_score().map(|path| ways::Component::from_file(&path));
    let component = component.as_ref().map(|way| way as &dyn Way);
    let made =
        corpus::both_ways(&ways::MaskScore, component, &ask, &example("sample.json")).unwrap().unwrap();
    let expected = crate::checkout().join("tests/examples/mask-score/expected.txt");
    corpus::compare(&expected, &golden::made(&made)).unwrap();
    let clear = b"ann@example.com";
    for part in &made.parts {
        assert!(!part.bytes.windows(clear.len()).any(|window| window == clear), "an address is in the clear");
    }
}

#[test]
fn the_example_learns_a_contract_and_the_shipped_transform_keeps_it() {
    let ask = Ask { table: Some("orders".into()), ..Ask::default() };
    let input = br#"{"email": "ann@example.com", "amount": 250}"#;
    let made = lakegate_tests::drive::run(&ways::MaskScore, &ask, input, 7).unwrap();
    // As after a rollback: the column stays, and is null.
    let back = Ask { contracts: made.contracts.clone(), ..ask };
    let later = corpus::every_way(&back, input).unwrap().unwrap();
    assert_eq!((later.passes, &later.contracts), (1, &made.contracts));
    let text = golden::made(&later);
    assert!(text.contains("risk_score bigint by mask-score"), "{text}");
    assert!(text.contains("\"ann@example.com\" | 250 | null"), "{text}");
}

/// A folder with a crate that `lakegate new` made; none where this build has no component.
fn new_crate() -> Option<tempfile::TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    make_crate(folder.path());
    Some(folder)
}

fn make_crate(folder: &Path) {
    let ran = lakegate(folder, &["new", "name-length", "--path", "made", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["library"], "vendor/lakegate/transform-wasm");
}

/// Nothing that `lakegate new` writes says where the command was built: it works where there is no checkout.
#[test]
fn a_new_crate_knows_of_no_checkout() {
    let Some(folder) = new_crate() else { return };
    let checkout = crate::checkout();
    let checkout = checkout.to_str().unwrap();
    for entry in walkdir::WalkDir::new(folder.path()) {
        let entry = entry.unwrap();
        assert!(!entry.file_type().is_symlink(), "{}", entry.path().display());
        if entry.file_type().is_file() {
            let text = String::from_utf8(fs::read(entry.path()).unwrap()).unwrap();
            assert!(!text.contains(checkout), "{} names {checkout}", entry.path().display());
        }
    }
}

/// A folder in the target folder of this very test. The compiler's flags name the crate's folder, so that in the
/// same one what the shipped component depends on would be compiled anew for the crate, and again after it. For the
/// same reason all that is built is built here one after the other, in one crate that is always at the same place.
fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(3).unwrap().join("own")
}

fn build(folder: &Path, more: &[&str]) -> Ran {
    let target = target();
    let environment = [
        ("CARGO_TARGET_DIR", target.to_str().unwrap()),
        // Quick to compile: that a component is made of it, not how fast it runs.
        ("CARGO_PROFILE_COMPONENT_LTO", "off"),
        ("CARGO_PROFILE_COMPONENT_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_COMPONENT_OPT_LEVEL", "1"),
    ];
    with(folder, &[&["build", "made"], more].concat(), &environment)
}

#[test]
fn a_new_crate_builds_into_a_component_that_previews_its_sample() {
    if ways::required().is_none() {
        return;
    }
    let folder = target().join("crate");
    let _none = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    make_crate(&folder);
    let folder = folder.as_path();
    let made = folder.join("made");
    let again = lakegate(folder, &["new", "name-length", "--path", "made"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(fs::read(made.join("src/lib.rs")).unwrap(), fs::read(Path::new(NEW).join("lib.rs")).unwrap());
    let built = build(folder, &["--out", "own.wasm", "--json"]);
    assert_eq!(built.code, Some(0), "{built:?}");
    let told = built.json();
    assert_eq!((&told["name"], &told["version"]), (&"name-length".into(), &"0.1.0".into()), "{told}");
    let bytes = fs::metadata(folder.join("own.wasm")).unwrap().len();
    assert_eq!(told["bytes"], bytes);
    let asked =
        ["preview", "made/sample.json", "--spec", "made/transform.toml", "--transform", "own.wasm", "--json"];
    let preview = lakegate(folder, &asked);
    assert_eq!(preview.code, Some(3), "{preview:?}");
    let preview = preview.json();
    assert_eq!(preview["rejected"], 1, "{preview}");
    assert!(columns(&preview).contains(&"name_length".to_owned()), "{preview}");
    // Nothing of the folder is in the file.
    let wasm = fs::read(folder.join("own.wasm")).unwrap();
    let place = folder.to_str().unwrap().as_bytes();
    assert!(!wasm.windows(place.len()).any(|window| window == place));
    a_panic_tells_its_text(folder, &asked);
    what_does_not_compile_says_so_and_leaves_no_file(folder);
}

/// The same crate, whose function panics over the record that it rejected.
fn a_panic_tells_its_text(folder: &Path, asked: &[&str]) {
    let code = folder.join("made/src/lib.rs");
    let text = fs::read_to_string(&code).unwrap();
    let rejects = r#"rejects.row(row, "the name is empty");"#;
    assert_eq!(text.matches(rejects).count(), 1);
    fs::write(&code, text.replace(rejects, r#"panic!("row {row} has\nno name");"#)).unwrap();
    let built = build(folder, &["--out", "own.wasm"]);
    assert_eq!(built.code, Some(0), "{built:?}");
    let error = lakegate(folder, asked).json()["error"].clone();
    assert_eq!(error["code"], "transform_crashed", "{error}");
    let said = error["panic"].as_str().unwrap();
    assert!(said.starts_with("panicked at src/lib.rs:") && said.ends_with(": row 2 has no name"), "{said}");
    assert!(!error["message"].as_str().unwrap().contains("row 2"), "messages go to logs: {error}");
}

fn columns(preview: &Value) -> Vec<String> {
    let columns = preview["tables"][0]["columns"].as_array().cloned().unwrap_or_default();
    columns.iter().filter_map(|column| column["name"].as_str().map(str::to_owned)).collect()
}

fn what_does_not_compile_says_so_and_leaves_no_file(folder: &Path) {
    fs::write(folder.join("made/src/lib.rs"), "//! Broken.\nfn (").unwrap();
    let built = build(folder, &["--json"]);
    assert_eq!(built.code, Some(1), "{built:?}");
    assert_eq!(built.json()["error"]["code"], "build_failed", "{built:?}");
    assert!(built.err.contains("src/lib.rs:2"), "the compiler's words: {}", built.err);
    assert!(!folder.join("made/name-length.wasm").exists());
}

#[test]
fn the_lock_file_and_the_toolchain_come_along() {
    let Some(folder) = new_crate() else { return };
    for name in ["Cargo.lock", "rust-toolchain.toml"] {
        assert_eq!(
            fs::read(folder.path().join("made").join(name)).unwrap(),
            fs::read(crate::checkout().join(name)).unwrap()
        );
    }
}
