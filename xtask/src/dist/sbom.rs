//! The bill of materials: every crate and npm package that a release is made of, in CycloneDX's JSON.
//!
//! Made here from `cargo metadata` and the lock files: the usual tool (cargo-cyclonedx) takes minutes to compile,
//! makes one file for each crate of the workspace, and knows nothing of the page's packages. Layout: CycloneDX
//! 1.5, of which only fields are written that follow from the sources, so that the same sources give the same
//! file: no serial number, no time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::programs::{COMMAND, LAMBDA};
use crate::workspace::{Workspace, stdout_of};

/// What a release is made of, beside the programs: the component, and the page's reader of Parquet.
const WASM: [&str; 2] = ["lakegate-transform", "lakegate-inspect"];

/// The file.
pub fn sbom(workspace: &Workspace, version: &str) -> Result<Vec<u8>> {
    let mut cargo = workspace.cargo();
    let text = stdout_of(cargo.args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` did not answer with JSON")?;
    let read = |name: &str| {
        let path = workspace.root.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let checksums = checksums(&read("Cargo.lock")?)?;
    let page: Value = serde_json::from_str(&read("web-demo/package-lock.json")?)
        .context("package-lock.json is not JSON")?;
    let bill = bill(version, &metadata, &checksums, &page)?;
    let mut bytes = serde_json::to_vec_pretty(&bill)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn bill(
    version: &str,
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    page: &Value,
) -> Result<Value> {
    let crates = shipped(metadata)?;
    let mut components: Vec<Value> = crates.iter().map(|package| of_crate(package, checksums)).collect();
    components.extend(of_page(page));
    components.sort_by_key(|component| component["bom-ref"].as_str().unwrap_or_default().to_owned());
    let mut product = vec![format!("pkg:cargo/{COMMAND}@{version}"), format!("pkg:cargo/{LAMBDA}@{version}")];
    product.extend(WASM.iter().map(|name| format!("pkg:cargo/{name}@{version}")));
    product.dedup();
    let itself = format!("pkg:github/lakegate/lakegate@{version}");
    let mut dependencies = vec![json!({"ref": itself, "dependsOn": product})];
    dependencies.extend(edges(metadata, &crates));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": itself, "name": "lakegate", "version": version,
            "licenses": [{"expression": "Apache-2.0"}],
        }},
        "components": components,
        "dependencies": dependencies,
    }))
}

/// Packages that a release's programs and modules are linked from or made with: normal and build dependencies,
/// not those of tests.
fn shipped(metadata: &Value) -> Result<Vec<&Value>> {
    let nodes = list(&metadata["resolve"]["nodes"]);
    let packages = list(&metadata["packages"]);
    let nodes: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let by_id: BTreeMap<&str, &Value> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let roots: BTreeSet<&str> = [COMMAND, LAMBDA].into_iter().chain(WASM).collect();
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::new();
    for name in roots {
        let root = packages.iter().find(|package| package["name"] == *name && package["source"].is_null());
        open.push_back(
            root.and_then(|root| root["id"].as_str()).with_context(|| format!("no package {name}"))?,
        );
    }
    while let Some(id) = open.pop_front() {
        if seen.insert(id) {
            open.extend(nodes.get(id).into_iter().flat_map(|node| needed(node)));
        }
    }
    Ok(seen.into_iter().filter_map(|id| by_id.get(id).copied()).collect())
}

/// Ids of the packages that a node of the graph needs, other than for its tests.
fn needed(node: &Value) -> Vec<&str> {
    let kinds = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
    list(&node["deps"])
        .iter()
        .filter(|dependency| kinds(dependency))
        .filter_map(|d| d["pkg"].as_str())
        .collect()
}

fn of_crate(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut component = Map::new();
    component.insert("type".into(), "library".into());
    component.insert("bom-ref".into(), reference(package).into());
    component.insert("name".into(), name.into());
    component.insert("version".into(), version.into());
    component.insert("purl".into(), reference(package).into());
    if let Some(license) = package["license"].as_str() {
        component.insert("licenses".into(), licenses(license));
    }
    if let Some(checksum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component.insert("hashes".into(), json!([{"alg": "SHA-256", "content": checksum}]));
    }
    Value::Object(component)
}

/// An SPDX expression as far as the text is one: old crates write `A/B` for `A OR B`.
fn licenses(text: &str) -> Value {
    if text.starts_with("SEE LICENSE") {
        return json!([{"license": {"name": text}}]);
    }
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    json!([{"expression": parts.join(" OR ")}])
}

/// A tool of the page's build that is also part of the page: it transpiles components in the browser.
const BUNDLED: &str = "node_modules/@bytecodealliance/jco-transpile";

/// The page's packages; those that only build and test it are not part of a release.
fn of_page(lock: &Value) -> Vec<Value> {
    let Some(packages) = lock["packages"].as_object() else { return Vec::new() };
    let mut shipped: BTreeSet<&str> = packages
        .iter()
        .filter(|(path, package)| !path.is_empty() && package["dev"] != true)
        .map(|(path, _)| &**path)
        .collect();
    let mut open = vec![BUNDLED];
    while let Some((path, package)) = open.pop().and_then(|path| packages.get_key_value(path)) {
        if !shipped.insert(path) {
            continue;
        }
        for name in package["dependencies"].as_object().into_iter().flat_map(Map::keys) {
            // Node.js looks beside the package first, then at the top.
            let places = [format!("{path}/node_modules/{name}"), format!("node_modules/{name}")];
            open.extend(
                places.iter().find_map(|place| packages.get_key_value(place)).map(|(place, _)| &**place),
            );
        }
    }
    shipped.into_iter().map(|path| of_package(path, &packages[path])).collect()
}

fn of_package(path: &str, package: &Value) -> Value {
    let name = path.rsplit_once("node_modules/").map_or(path, |(_, name)| name);
    let version = text(package, "version");
    let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
    let mut component = json!({
        "type": "library", "bom-ref": format!("{purl}#{path}"), "name": name, "version": version, "purl": purl,
    });
    if let Some(license) = package["license"].as_str() {
        component["licenses"] = licenses(license);
    }
    component
}

fn edges(metadata: &Value, crates: &[&Value]) -> Vec<Value> {
    let by_id: BTreeMap<&str, &Value> =
        crates.iter().filter_map(|package| Some((package["id"].as_str()?, *package))).collect();
    let mut edges: Vec<(String, Vec<String>)> = Vec::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let Some(package) = node["id"].as_str().and_then(|id| by_id.get(id)) else { continue };
        let names: BTreeSet<String> = needed(node)
            .into_iter()
            .filter_map(|id| by_id.get(id).map(|package| reference(package)))
            .collect();
        edges.push((reference(package), names.into_iter().collect()));
    }
    edges.sort();
    edges.into_iter().map(|(from, to)| json!({"ref": from, "dependsOn": to})).collect()
}

/// `pkg:cargo/NAME@VERSION`: what the package is called everywhere.
fn reference(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version").replace('+', "%2B"))
}

/// The SHA-256 of each crate's archive, by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = toml::from_str(lock).context("Cargo.lock is not TOML")?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock has no packages")?;
    let entry = |package: &toml::Value| {
        let text = |key: &str| Some(package.get(key)?.as_str()?.to_owned());
        Some(((text("name")?, text("version")?), text("checksum")?))
    };
    Ok(packages.iter().filter_map(entry).collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Value {
        let package = |name: &str, source: Value, license: &str| json!({"id": name, "name": name, "version": "1.0.0+a", "source": source, "license": license});
        let node = |name: &str, deps: &[(&str, Value)]| {
            let deps: Vec<Value> =
                deps.iter().map(|(pkg, kind)| json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]})).collect();
            json!({"id": name, "deps": deps})
        };
        let registry = json!("registry");
        let own = ["lakegate-transform", "lakegate-inspect", "lakegate-tests"];
        let own: BTreeSet<&str> = own.into_iter().chain([COMMAND, LAMBDA]).collect();
        let mut packages: Vec<Value> =
            own.iter().map(|name| package(name, Value::Null, "Apache-2.0")).collect();
        packages.extend(
            ["linked", "builds", "tests-only"]
                .map(|name| package(name, registry.clone(), "MIT / Apache-2.0")),
        );
        let mut nodes: Vec<Value> =
            own.iter().filter(|name| **name != COMMAND).map(|name| node(name, &[])).collect();
        nodes.push(node(
            COMMAND,
            &[("linked", Value::Null), ("builds", json!("build")), ("tests-only", json!("dev"))],
        ));
        nodes.push(node("linked", &[("builds", Value::Null)]));
        json!({"packages": packages, "resolve": {"nodes": nodes}})
    }

    #[test]
    fn what_is_linked_is_listed_and_what_only_tests_is_not() {
        let checksums = [(("linked".to_owned(), "1.0.0+a".to_owned()), "ab12".to_owned())].into();
        let page = json!({"packages": {
            "": {"name": "page"},
            "node_modules/@duckdb/wasm": {"version": "2.0.0", "license": "MIT"},
            "node_modules/vite": {"version": "8.0.0", "dev": true},
            "node_modules/@bytecodealliance/jco-transpile":
                {"version": "0.1.0", "dev": true, "dependencies": {"acorn": "1", "gone": "1"}},
            "node_modules/@bytecodealliance/jco-transpile/node_modules/acorn": {"version": "1.2.3", "dev": true},
            "node_modules/acorn": {"version": "9.0.0", "dev": true},
        }});
        let bill = bill("0.1.0", &metadata(), &checksums, &page).unwrap();
        let names: Vec<&str> = list(&bill["components"]).iter().map(|one| text(one, "name")).collect();
        for name in ["linked", "builds", "lakegate-transform", "@duckdb/wasm", "acorn"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for name in ["tests-only", "lakegate-tests", "vite"] {
            assert!(!names.contains(&name), "{name}: {names:?}");
        }
        let linked = list(&bill["components"]).iter().find(|one| one["name"] == "linked").unwrap();
        assert_eq!(linked["purl"], "pkg:cargo/linked@1.0.0%2Ba");
        assert_eq!(linked["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(linked["hashes"][0], json!({"alg": "SHA-256", "content": "ab12"}));
        let edge = list(&bill["dependencies"]).iter().find(|one| one["ref"] == linked["bom-ref"]).unwrap();
        assert_eq!(edge["dependsOn"], json!(["pkg:cargo/builds@1.0.0%2Ba"]));
    }

    #[test]
    fn every_reference_is_to_something_that_is_there_once() {
        let bill = bill("1.0.0+a", &metadata(), &BTreeMap::new(), &json!({})).unwrap();
        let components = list(&bill["components"]).iter().map(|one| text(one, "bom-ref").to_owned());
        let there: BTreeSet<String> = components.clone().collect();
        assert_eq!(there.len(), components.count());
        for edge in list(&bill["dependencies"]).iter().skip(1) {
            for to in list(&edge["dependsOn"]).iter().chain([&edge["ref"]]) {
                assert!(there.contains(to.as_str().unwrap()), "{to}");
            }
        }
    }

    /// The bill of this very workspace: what is in it and in no made-up one.
    #[test]
    fn the_workspace_itself_has_a_bill() {
        let bytes = sbom(&Workspace::find().unwrap(), "0.1.0").unwrap();
        let bill: Value = serde_json::from_slice(&bytes).unwrap();
        let component = |name: &str| list(&bill["components"]).iter().find(|one| one["name"] == name);
        for name in ["wasmtime", "parquet", "aws-sdk-s3", "apache-arrow", "@bytecodealliance/jco-transpile"] {
            assert!(component(name).is_some_and(|one| one["licenses"].is_array()), "{name}");
        }
        for name in ["proptest", "s3s", "xtask", "typescript", "playwright-core"] {
            assert!(component(name).is_none(), "{name}");
        }
        let unhashed = list(&bill["components"])
            .iter()
            .filter(|one| text(one, "purl").starts_with("pkg:cargo/") && one["hashes"].is_null());
        assert!(unhashed.into_iter().all(|one| text(one, "name").starts_with("lakegate-")));
    }

    #[test]
    fn checksums_come_from_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"cd\"\n\
                    [[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        let read = checksums(lock).unwrap();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), [(("a".into(), "1.0.0".into()), "cd".into())]);
        assert!(checksums("nothing").is_err());
    }
}
