//! `lakegate.toml`, and the specs and public keys that it names, as files of the zip.
//!
//! Not for judging it: `lakegate config check` does. Decisions to know: a file keeps its path relative to the
//! configuration, because that is how the function looks for it; so it must lie beside or below, which the check
//! says of pipelines that a function runs in the same words (`host-lambda/aws/src/config/location.rs`,
//! `comes_along`). The private `key` of the commands that sign never comes along.

use std::collections::BTreeSet;
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
    for file in named(text).with_context(|| format!("{} is no configuration", path.display()))? {
        let below = Path::new(&file);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !below.components().all(plain) {
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

/// The files, each once: of pipelines, and of what pipelines have in common.
fn named(text: &str) -> Result<BTreeSet<String>> {
    let config: toml::Table = toml::from_str(text)?;
    let pipelines = config.get("pipeline").and_then(toml::Value::as_table);
    let sections = pipelines.into_iter().flat_map(toml::Table::values).chain(config.get("defaults"));
    let mut files = BTreeSet::new();
    for section in sections {
        let spec = section.get("spec").into_iter();
        // One key or a list of them.
        let trust = section.get("trust").into_iter().flat_map(|trust| match trust {
            toml::Value::Array(keys) => keys.iter().collect(),
            key => vec![key],
        });
        files.extend(
            spec.chain(trust).filter_map(toml::Value::as_str).filter(|text| is_file(text)).map(str::to_owned),
        );
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
        let text = "[defaults]\nspec = \"a.toml\"\n[pipeline.x]\nspec = \"specs/b.toml\"\n\
                    [pipeline.y]\nspec = \"a.toml\"\n[pipeline.z]\nspec = \"s3://b/c.toml\"\n";
        let found = |text: &str| named(text).unwrap().into_iter().collect::<Vec<String>>();
        assert_eq!(found(text), ["a.toml", "specs/b.toml"]);
        let text = "[pipeline.x]\ntrust = [\"release.key.pub\", \"MCowBQYDK2VwAyEA\", \"s3://b/k\"]\nkey = \"release.key\"\n";
        assert_eq!(found(text), ["release.key.pub"]);
        assert_eq!(found("[defaults]\ntrust = \"one.pub\"\n"), ["one.pub"]);
    }
}
