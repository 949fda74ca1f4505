//! `lakegate.toml`, and the specs and public keys that it names, as files of the zip.
//!
//! Not for judging it: `lakegate config check` does. Decisions to know: a file keeps its path relative to the
//! configuration, because that is how the function looks for it; so it must lie beside or below, which the check
//! says of pipelines that a function runs in the same words (`host-lambda/config/src/location.rs`,
//! `comes_along`). The private `key` of the commands that sign never comes along.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};

use super::zip::Entry;

/// The configuration as `lakegate.toml`, its local specs and its public keys.
pub fn files(path: &Path) -> Result<Vec<Entry>> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut entries = Vec::new();
    for (file, needed) in named(text).with_context(|| format!("{} is no configuration", path.display()))? {
        let below = Path::new(&file);
        let there = comes_along(below) && folder.join(below).is_file();
        if !needed && !there {
            continue;
        }
        if !comes_along(below) {
            bail!(
                "{}: {file} is not beside or below the configuration, so it cannot come along\n  \
                 hint: move it there, or name it by an s3:// URI",
                path.display()
            );
        }
        let name = file.strip_prefix("./").unwrap_or(&file).to_owned();
        entries.push(Entry::file(name, read(&folder.join(below))?));
    }
    entries.push(Entry::file("lakegate.toml", bytes));
    Ok(entries)
}

/// Whether the function of a configuration's stack runs on Graviton; `None` where it has no stack.
pub fn stack(path: &Path) -> Result<Option<bool>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: toml::Table =
        toml::from_str(&text).with_context(|| format!("{} is no configuration", path.display()))?;
    let architecture =
        |stack: &toml::Value| stack.get("architecture").and_then(toml::Value::as_str) != Some("x86_64");
    Ok(config.get("stack").map(architecture))
}

fn comes_along(file: &Path) -> bool {
    file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The files that pipelines read, each once, and whether a function needs them: it takes no objects of a folder. A
/// pipeline's own `spec` or `channel` takes the place of a default of the other.
fn named(text: &str) -> Result<BTreeMap<String, bool>> {
    let config: toml::Table = toml::from_str(text)?;
    let pipelines = config.get("pipeline").and_then(toml::Value::as_table);
    let defaults = config.get("defaults");
    let mut files = BTreeMap::new();
    for pipeline in pipelines.into_iter().flat_map(toml::Table::values) {
        let value = |key: &str| pipeline.get(key).or_else(|| defaults?.get(key));
        let told = |key: &str, rival: &str| pipeline.get(key).is_some() || pipeline.get(rival).is_none();
        let spec = value("spec").filter(|_| told("spec", "channel")).into_iter();
        // One key or a list of them.
        let keys = value("trust").filter(|_| value("channel").is_some() && told("channel", "spec"));
        let keys = keys.into_iter().flat_map(|keys| match keys {
            toml::Value::Array(keys) => keys.iter().collect(),
            key => vec![key],
        });
        let needed =
            value("source").and_then(toml::Value::as_str).is_some_and(|from| from.starts_with("s3://"));
        for file in spec.chain(keys).filter_map(toml::Value::as_str).filter(|text| is_file(text)) {
            *files.entry(file.to_owned()).or_default() |= needed;
        }
    }
    Ok(files)
}

/// Not an object in a bucket, nor a public key itself: those begin so (RFC 8410, section 4).
fn is_file(text: &str) -> bool {
    !text.starts_with("s3://") && !text.starts_with("MCowBQYDK2Vw")
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn only_local_files_come_along_and_each_once() {
        let found = |text: &str| named(text).unwrap().into_keys().collect::<Vec<String>>();
        let text = "[defaults]\nspec = \"a.toml\"\n[pipeline.x]\nspec = \"specs/b.toml\"\n\
                    [pipeline.y]\n[pipeline.z]\nspec = \"s3://b/c.toml\"\n";
        assert_eq!(found(text), ["a.toml", "specs/b.toml"]);
        let trust =
            "trust = [\"release.key.pub\", \"MCowBQYDK2VwAyEA\", \"s3://b/k\"]\nkey = \"release.key\"\n";
        let text = format!("[defaults]\nspec = \"no.toml\"\n[pipeline.x]\nchannel = \"x\"\n{trust}");
        assert_eq!(found(&text), ["release.key.pub"]);
        assert_eq!(found("[defaults]\ntrust = \"one.pub\"\n[pipeline.x]\nchannel = \"x\"\n"), ["one.pub"]);
    }

    #[test]
    fn a_file_is_needed_where_a_function_takes_the_source() {
        let text = "[pipeline.x]\nsource = \"s3://raw/\"\nspec = \"../a\"\n[pipeline.y]\nsource = \"raw/\"\nspec = \"../b\"\n";
        let found: Vec<(String, bool)> = named(text).unwrap().into_iter().collect();
        assert_eq!(found, [("../a".to_owned(), true), ("../b".to_owned(), false)]);
    }
}
