//! The walls between crates and between the modules of a crate: who may know whom.
//!
//! Cargo refuses circles of crates by itself; here the layers have an order, and modules have none of them in a
//! circle. What the function must not carry is read from Cargo's own tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The layers, from the one that knows nobody: each may know those before it.
const LAYERS: [&str; 13] = [
    "lakegate-builder",
    "lakegate-model",
    "lakegate-edit",
    "lakegate-base",
    "lakegate-sandbox",
    "lakegate-lake",
    "lakegate-release",
    "lakegate-config",
    "lakegate-stack",
    "lakegate-aws",
    "lakegate-lambda",
    "lakegate-cli",
    "lakegate-tests",
];
/// What a function does not carry: the command line, a compiler, a page.
const NOT_IN_A_FUNCTION: [&str; 10] = [
    "clap",
    "cranelift-codegen",
    "indicatif",
    "lakegate-builder",
    "lakegate-cli",
    "lakegate-edit",
    "lakegate-transform",
    "unicode-width",
    "wasmtime-internal-cranelift",
    "wit-component",
];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo).args(arguments).current_dir(crate::checkout()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Packages that a build of `package` links, each with its features.
fn linked(package: &str, more: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut arguments = vec!["tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro"];
    arguments.extend(["--prefix", "none", "--format", "{p}|{f}"]);
    arguments.extend(more);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in cargo(&arguments).lines() {
        let (name, features) = line.trim_end_matches(" (*)").split_once('|').unwrap_or((line, ""));
        let name = name.split(' ').next().unwrap_or_default();
        let features = features.trim_end_matches(" (*)").split(',').map(str::to_owned);
        found.entry(name.to_owned()).or_default().extend(features);
    }
    found
}

#[test]
fn crates_know_only_the_layers_below_them() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--locked", "--no-deps", "--format-version", "1"]))
            .unwrap();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(layer) = LAYERS.iter().position(|known| *known == name) else { continue };
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let above = LAYERS.iter().position(|known| *known == other).is_some_and(|place| place >= layer);
            if above && dependency["kind"] != "dev" {
                wrong.push(format!("{name} knows {other}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "layers from the lowest: {LAYERS:?}");
}

#[test]
fn a_function_carries_no_command_no_compiler_and_no_page() {
    let linked = linked("lakegate-lambda", &[]);
    let found: Vec<&str> = NOT_IN_A_FUNCTION.into_iter().filter(|name| linked.contains_key(*name)).collect();
    assert_eq!(found, Vec::<&str>::new());
    for (name, features) in ["hyper", "hyper-util"].map(|name| (name, &linked[name])) {
        assert!(!features.iter().any(|feature| feature.starts_with("server")), "{name}: {features:?}");
    }
}

#[test]
fn the_command_builds_without_aws() {
    let without = linked("lakegate-cli", &["--no-default-features"]);
    let found: Vec<&String> = without.keys().filter(|name| name.starts_with("aws-")).collect();
    assert_eq!(found, Vec::<&String>::new());
    assert!(linked("lakegate-cli", &[]).contains_key("aws-sdk-s3"), "the names are those that Cargo prints");
}

#[test]
fn modules_are_in_no_circle() {
    let mut circles = Vec::new();
    let roots = ["base", "sandbox", "lake", "release", "config", "stack", "aws", "lambda", "cli"]
        .map(|name| format!("host-lambda/{name}"));
    let others = ["", "/builder", "/edit", "/model"].map(|name| format!("transform-wasm{name}"));
    let others = others.into_iter().chain(["web-demo/inspect", "xtask"].map(str::to_owned));
    for root in roots.into_iter().chain(others) {
        let edges = edges(&crate::checkout().join(&root).join("src"));
        assert!(!edges.is_empty(), "{root}: no module was found");
        circles.extend(circle(&edges).map(|path| format!("{root}: {}", path.join(" → "))));
    }
    assert_eq!(circles, Vec::<String>::new());
}

#[test]
fn a_circle_is_seen() {
    let edge = |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
    let line: BTreeMap<String, BTreeSet<String>> =
        [edge("a", &["b"]), edge("b", &["c"]), edge("c", &[])].into();
    assert_eq!(circle(&line), None);
    let round: BTreeMap<String, BTreeSet<String>> =
        [edge("a", &["b"]), edge("b", &["c"]), edge("c", &["b"])].into();
    assert_eq!(circle(&round), Some(vec!["b".into(), "c".into(), "b".into()]));
    let reads = |text: &str| {
        imports(text, &["x".to_owned()], &["a".into(), "b".into(), "x".into()], &BTreeMap::new())
    };
    assert_eq!(reads("use crate::{a::One, b};"), BTreeSet::from(["a".into(), "b".into()]));
    assert_eq!(
        reads("use super::a::One;\nfn f() { crate::b::g() }"),
        BTreeSet::from(["a".into(), "b".into()])
    );
    assert_eq!(reads("// crate::a\n#[cfg(test)]\nmod tests { use crate::b; }"), BTreeSet::new());
}

/// The first circle there is, from one of its modules back to it.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        at: &str,
        edges: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(begin) = path.iter().position(|seen| seen == at) {
            return Some(path[begin..].iter().cloned().chain([at.to_owned()]).collect());
        }
        if !done.insert(at.to_owned()) {
            return None;
        }
        path.push(at.to_owned());
        let found = edges.get(at).into_iter().flatten().find_map(|next| walk(next, edges, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|from| walk(from, edges, &mut Vec::new(), &mut done))
}

/// Which top-level module of a crate names which others, tests left out.
fn edges(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let root =
        ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().find(|path| path.exists()).unwrap();
    let root = fs::read_to_string(root).unwrap();
    let modules: Vec<String> = root
        .lines()
        .filter_map(|line| {
            let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
        })
        .collect();
    // What the root hands on is named through it: `crate::Thing` is the module's that has it.
    let mut handed_on = BTreeMap::new();
    for path in uses(&root) {
        if let [module, .., name] = &path[..]
            && modules.contains(module)
        {
            handed_on.insert(name.clone(), module.clone());
        }
    }
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(source).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let Some(place) = module_of(&path, source).filter(|place| !place.is_empty()) else { continue };
        let found = imports(&fs::read_to_string(&path).unwrap(), &place, &modules, &handed_on);
        edges.entry(place[0].clone()).or_default().extend(found);
    }
    edges
}

/// Path of the module that a file is; none for tests and for what is no Rust.
fn module_of(path: &Path, source: &Path) -> Option<Vec<String>> {
    let inside: PathBuf = path.strip_prefix(source).ok()?.to_owned();
    let stem = inside.file_stem()?.to_str()?.to_owned();
    let test = stem.ends_with("_tests") || ["tests", "fixture", "laws", "suite"].contains(&&*stem);
    let template = inside.starts_with("verb/new");
    if inside.extension()? != "rs"
        || test
        || template
        || inside.components().any(|part| part.as_os_str() == "suite")
    {
        return None;
    }
    let mut place: Vec<String> =
        inside.parent()?.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if !["mod", "lib", "main"].contains(&&*stem) {
        place.push(stem);
    }
    Some(place)
}

/// Top-level modules that a file of the module `place` names.
fn imports(
    text: &str,
    place: &[String],
    modules: &[String],
    handed_on: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut found = BTreeSet::new();
    let mut named = |path: &[String]| {
        let up = path.iter().take_while(|part| *part == "super").count();
        let first = match path.first().map(String::as_str) {
            Some("crate") => path.get(1),
            Some("super") if up == place.len() => path.get(up),
            _ => None,
        };
        let Some(first) = first else { return };
        let module = if modules.contains(first) { Some(first) } else { handed_on.get(first) };
        found.extend(module.filter(|module| **module != place[0]).cloned());
    };
    for path in uses(&code) {
        named(&path);
    }
    for (at, _) in code.match_indices("crate::") {
        let path: String =
            code[at..].chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
        named(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
    }
    found
}

/// Every path that the `use` items of a text name, lists taken apart.
fn uses(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let begins_line = code[..at].rsplit('\n').next().is_some_and(|before| {
            let before = before.trim();
            before.is_empty() || before.starts_with("pub")
        });
        if begins_line && let Some(end) = code[at..].find(';') {
            let tree: String = code[at + 4..at + end].split_whitespace().collect::<Vec<_>>().join(" ");
            take_apart(&tree, &[], &mut paths);
        }
    }
    paths
}

fn take_apart(tree: &str, before: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        paths.push(
            before.iter().cloned().chain(path.split("::").map(|part| part.trim().to_owned())).collect(),
        );
        return;
    };
    let head = tree[..open].trim_end_matches("::");
    let head: Vec<String> = before
        .iter()
        .cloned()
        .chain(head.split("::").filter(|part| !part.is_empty()).map(str::to_owned))
        .collect();
    let inner = tree[open + 1..].rsplit_once('}').map_or("", |(inner, _)| inner);
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                take_apart(&inner[begin..at], &head, paths);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !inner[begin..].trim().is_empty() {
        take_apart(&inner[begin..], &head, paths);
    }
}
