//! `lakegate.toml` and the specs that it names, as files of the zip.
//!
//! Not for judging it: `lakegate config check` does. The decision to know: a spec keeps its path relative to
//! the configuration, because that is how the function looks for it; so it must lie beside or below.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};

use super::zip::Entry;

/// The configuration as `lakegate.toml`, and its local specs.
pub fn files(path: &Path) -> Result<Vec<Entry>> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut entries = Vec::new();
    for spec in specs(text).with_context(|| format!("{} is no configuration", path.display()))? {
        let below = Path::new(&spec);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !below.components().all(plain) {
            bail!(
                "{}: the spec {spec} is not beside or below the configuration, so it cannot come along\n  \
                 hint: move it there, or name it by an s3:// URI",
                path.display()
            );
        }
        let name = spec.strip_prefix("./").unwrap_or(&spec).to_owned();
        entries.push(Entry::file(name, read(&folder.join(below))?));
    }
    entries.push(Entry::file("lakegate.toml", bytes));
    Ok(entries)
}

/// The specs that stand in files, each once: of pipelines, and of what pipelines have in common.
fn specs(text: &str) -> Result<BTreeSet<String>> {
    let config: toml::Table = toml::from_str(text)?;
    let pipelines = config.get("pipeline").and_then(toml::Value::as_table);
    let sections = pipelines.into_iter().flat_map(toml::Table::values).chain(config.get("defaults"));
    let specs = sections.filter_map(|section| section.get("spec")?.as_str());
    Ok(specs.filter(|spec| !spec.starts_with("s3://")).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::specs;

    #[test]
    fn only_local_specs_come_along_and_each_once() {
        let text = "[defaults]\nspec = \"a.toml\"\n[pipeline.x]\nspec = \"specs/b.toml\"\n\
                    [pipeline.y]\nspec = \"a.toml\"\n[pipeline.z]\nspec = \"s3://b/c.toml\"\n";
        let found: Vec<String> = specs(text).unwrap().into_iter().collect();
        assert_eq!(found, ["a.toml", "specs/b.toml"]);
    }
}
