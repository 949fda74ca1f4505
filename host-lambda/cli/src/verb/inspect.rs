//! `lakegate inspect`: what is in Parquet files, without reading their rows.
//!
//! For: schema, row groups, sizes, statistics and lineage of one file or of a folder of them. Not for:
//! what happened to a source object (`status`), or raw JSON and CSV (`preview`). The decision to know:
//! only footers are read, so a folder of many gigabytes takes as long as its number of files.

use crate::args::files;
use crate::args::inputs::{below, is_prefix, no_object};
use crate::cloud;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::footer::{Column, Footer};
use crate::show::output::{Answer, Outcome};
use crate::show::remote::RemoteFile;
use crate::show::render::{
    Cell, Grid, Holds, Screen, Tone, bar, count, number, short, size, truncate, visible,
};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::storage::Facts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Cells of the bar that shows a column's share, on a wide screen and on a narrow one.
const BAR: [usize; 2] = [24, 8];
/// From how many cells on a screen is wide.
const WIDE: usize = 120;
/// Cells for a minimum or maximum; long texts are cut there.
const VALUE: usize = 28;

/// Arguments of `inspect`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate inspect lake/orders                     the whole table: columns, files, partitions
  lakegate inspect lake/orders --files 100         with up to a hundred files listed
  lakegate inspect lake/orders/orders-….parquet    one file: row groups, statistics, lineage
  lakegate inspect s3://acme-lake/sales/orders/    a table in a bucket
  lakegate inspect lake/orders --json | jq .columns")]
pub struct InspectArgs {
    /// Parquet file, or folder of them (hidden files and those that start with `_` are skipped), here or at s3://
    #[arg(value_name = "PATH | S3 URI")]
    path: Place,
    /// How many files of a folder to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    files: usize,
}

/// One file of the folder that is looked at.
struct Seen {
    path: PathBuf,
    stored: u64,
    footer: Footer,
}

/// A column over all files.
struct Merged {
    column: Column,
    types: BTreeSet<String>,
    files: usize,
}

/// Runs `inspect`.
pub fn run(args: &InspectArgs, context: &Context) -> Outcome {
    let (seen, alone) = match &args.path {
        Place::Local(path) => (local(path)?, path.is_file()),
        Place::S3(uri) => remote(uri)?,
    };
    let root = args.path.shown();
    if seen.is_empty() {
        return Err(Error::new(Code::NoParquet, "there is no Parquet file in this folder")
            .with_hint("part files end in .parquet; hidden files and those that start with `_` are skipped")
            .in_file(root.display().to_string()));
    }
    let columns = merge(&seen);
    let partitions = partitions(&root, &seen);
    let text = match seen.as_slice() {
        [one] if alone => one_file(one, &columns, context.out),
        _ => folder(&root, args.files, &seen, &columns, &partitions, context.out),
    };
    Ok(Answer { text, json: to_json(&root, &seen, &columns, &partitions), ..Answer::default() })
}

fn is_parquet(name: &Path) -> bool {
    name.extension().is_some_and(|extension| extension == "parquet")
}

/// The footers of a file, or of those in a folder.
fn local(path: &Path) -> Result<Vec<Seen>, Error> {
    let look = |path: PathBuf| {
        let name = path.display().to_string();
        let file = File::open(&path).map_err(|error| Error::io(&name, error))?;
        let stored = file.metadata().map_err(|error| Error::io(&name, error))?.len();
        Ok(Seen { footer: Footer::read(&file, &name)?, stored, path })
    };
    files::walk(path, &is_parquet)?.into_iter().map(look).collect()
}

/// The footers of an object, or of those below a prefix; whether it was an object.
fn remote(uri: &str) -> Result<(Vec<Seen>, bool), Error> {
    let (bucket, key) = bucket_and_key(uri)?;
    let storage = cloud::bucket_of(uri)?;
    let object = if is_prefix(key) { None } else { storage.stat(key)? };
    let alone = object.is_some();
    let folder = if is_prefix(key) { key.to_owned() } else { format!("{key}/") };
    let mut found = match object {
        Some(facts) => vec![facts],
        None => below(&*storage, &folder)?,
    };
    if found.is_empty() && !is_prefix(key) {
        return Err(no_object(&*storage, key, uri));
    }
    found.retain(|facts| alone || is_parquet(Path::new(&facts.key)));
    let look = |facts: Facts| {
        let path = PathBuf::from(format!("s3://{bucket}/{}", facts.key));
        let stored = facts.bytes;
        let file = RemoteFile::open(storage.clone(), facts)?;
        Ok(Seen { footer: Footer::read(&file, &path.display().to_string())?, stored, path })
    };
    let seen: Result<Vec<Seen>, Error> = found.into_iter().map(look).collect();
    Ok((seen?, alone))
}

fn merge(seen: &[Seen]) -> Vec<Merged> {
    let mut all: Vec<Merged> = Vec::new();
    // Positions by name: a folder of thousands of wide files must not be searched through.
    let mut positions: BTreeMap<String, usize> = BTreeMap::new();
    for column in seen.iter().flat_map(|file| &file.footer.columns) {
        match positions.get(&column.name).and_then(|&position| all.get_mut(position)) {
            Some(merged) => {
                merged.column.merge(column);
                merged.types.insert(column.parquet.clone());
                merged.files += 1;
            }
            None => {
                positions.insert(column.name.clone(), all.len());
                let types = BTreeSet::from([column.parquet.clone()]);
                all.push(Merged { column: column.clone(), types, files: 1 });
            }
        }
    }
    all
}

/// Partition columns in path order, each with its values (escaped as in the path).
fn partitions(root: &Path, seen: &[Seen]) -> Vec<(String, BTreeSet<String>)> {
    let mut all: Vec<(String, BTreeSet<String>)> = Vec::new();
    for file in seen {
        let folders = file.path.strip_prefix(root).ok().and_then(Path::parent);
        for folder in folders.into_iter().flat_map(Path::iter).filter_map(|folder| folder.to_str()) {
            let Some((name, value)) = folder.split_once('=') else { continue };
            let position = all.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                all.push((name.to_owned(), BTreeSet::new()));
                all.len() - 1
            });
            all[position].1.insert(value.to_owned());
        }
    }
    all
}

fn one_file(file: &Seen, columns: &[Merged], screen: Screen) -> String {
    let footer = &file.footer;
    let mut text = format!("{}\n", screen.paint(Tone::Name, &file.path.display().to_string()));
    text.push_str(&format!(
        "  {} in {} · {} ({}) · written by {}\n",
        count(footer.rows, "row", "rows"),
        count(footer.groups.len() as u64, "row group", "row groups"),
        size(file.stored),
        ratio(footer.raw(), footer.groups.iter().map(|group| group.stored).sum()),
        footer.created_by,
    ));
    text.push_str(&schema(columns, 1, &[], screen));
    text.push_str(&sizes(columns, screen));
    text.push_str(&heading("Row groups", screen));
    let mut grid = Grid::new(&[">#", ">rows", ">stored", ">raw", "ratio"]);
    for (index, group) in footer.groups.iter().enumerate() {
        let factor = factor(group.raw, group.stored);
        grid.row(vec![
            index.to_string().into(),
            number(group.rows).into(),
            size(group.stored).into(),
            size(group.raw).into(),
            factor.into(),
        ]);
    }
    text.push_str(&grid.render(screen));
    text.push_str(&lineage(footer, screen));
    text
}

fn folder(
    root: &Path,
    listed: usize,
    seen: &[Seen],
    columns: &[Merged],
    partitions: &[(String, BTreeSet<String>)],
    screen: Screen,
) -> String {
    let rows: u64 = seen.iter().map(|file| file.footer.rows).sum();
    let groups: usize = seen.iter().map(|file| file.footer.groups.len()).sum();
    let stored: u64 = seen.iter().map(|file| file.stored).sum();
    let raw: u64 = seen.iter().map(|file| file.footer.raw()).sum();
    let mut text = format!("{}\n", screen.paint(Tone::Name, &root.display().to_string()));
    text.push_str(&format!(
        "  {} in {}, {} · {} ({})\n",
        count(rows, "row", "rows"),
        count(seen.len() as u64, "file", "files"),
        count(groups as u64, "row group", "row groups"),
        size(stored),
        ratio(raw, columns.iter().map(|merged| merged.column.stored).sum()),
    ));
    text.push_str(&schema(columns, seen.len(), partitions, screen));
    text.push_str(&sizes(columns, screen));
    text.push_str(&heading("Files", screen));
    let mut grid = Grid::new(&["file", ">rows", ">groups", ">stored", "contract"]);
    for file in seen.iter().take(listed) {
        let name = file.path.strip_prefix(root).unwrap_or(&file.path).display().to_string();
        grid.row(vec![
            name.into(),
            number(file.footer.rows).into(),
            file.footer.groups.len().to_string().into(),
            size(file.stored).into(),
            Cell::new(Tone::Dim, short(fact(&file.footer, "lakegate.contract"))),
        ]);
    }
    text.push_str(&grid.render(screen));
    if seen.len() > listed {
        let more = count((seen.len() - listed) as u64, "more file", "more files");
        text.push_str(&format!(
            "  {}\n",
            screen.paint(Tone::Dim, &format!("… and {more} (--files N lists them)"))
        ));
    }
    text
}

fn schema(
    columns: &[Merged],
    files: usize,
    partitions: &[(String, BTreeSet<String>)],
    screen: Screen,
) -> String {
    let mut text = heading("Columns", screen);
    let mut grid = Grid::new(&["column", "athena", "parquet", ">nulls", "min", "max", "from", ""]);
    for Merged { column, types, files: within } in columns {
        let value = |value: Option<String>| match value {
            Some(value) => Cell::from(truncate(&visible(&value), VALUE).into_owned()),
            None => Cell::new(Tone::Dim, "-"),
        };
        let note = match (types.len(), *within) {
            (2.., _) => Cell::new(Tone::Bad, format!("types differ: {}", join(types))),
            (_, within) if within < files => Cell::new(Tone::Warn, format!("in {within} of {files} files")),
            _ => Cell::default(),
        };
        grid.row(vec![
            Cell::new(Tone::Name, visible(&column.name)),
            column.athena.clone().into(),
            Cell::new(Tone::Dim, column.parquet.clone()),
            column.nulls.map_or_else(|| Cell::new(Tone::Dim, "?"), |nulls| number(nulls).into()),
            value(column.min()),
            value(column.max()),
            Cell::new(Tone::Dim, column.from.as_deref().map(visible).unwrap_or_default()),
            note,
        ]);
    }
    for (name, values) in partitions {
        let value = |value: Option<&String>| {
            Cell::from(value.map(|value| truncate(value, VALUE).into_owned()).unwrap_or_default())
        };
        grid.row(vec![
            Cell::new(Tone::Name, name.clone()),
            "(partition)".into(),
            Cell::new(Tone::Dim, "in the path"),
            Cell::default(),
            value(values.first()),
            value(values.last()),
            Cell::default(),
            Cell::new(Tone::Dim, count(values.len() as u64, "value", "values")),
        ]);
    }
    text.push_str(&grid.render(screen));
    text
}

fn sizes(columns: &[Merged], screen: Screen) -> String {
    let whole: u64 = columns.iter().map(|merged| merged.column.stored).sum();
    let largest = columns.iter().map(|merged| merged.column.stored).max().unwrap_or(0);
    let bar_width = if screen.width.is_none_or(|width| width >= WIDE) { BAR[0] } else { BAR[1] };
    let mut text = heading("Bytes by column", screen);
    let mut grid =
        Grid::new(&["column", ">stored", ">raw", "ratio", "compression", "encodings", ">share", ""]);
    let mut order: Vec<&Merged> = columns.iter().collect();
    order.sort_by_key(|merged| std::cmp::Reverse(merged.column.stored));
    for Merged { column, .. } in order {
        grid.row(vec![
            Cell::new(Tone::Name, visible(&column.name)),
            size(column.stored).into(),
            size(column.raw).into(),
            factor(column.raw, column.stored).into(),
            Cell::new(Tone::Dim, join(&column.compression).to_lowercase()),
            Cell::new(
                Tone::Dim,
                join(&column.encodings).replace("RLE_DICTIONARY", "dictionary").to_lowercase(),
            ),
            percent(column.stored, whole).into(),
            Cell::new(Tone::Good, bar(column.stored, largest, bar_width)),
        ]);
    }
    text.push_str(&grid.render(screen));
    text
}

fn lineage(footer: &Footer, screen: Screen) -> String {
    if footer.lineage.is_empty() {
        return String::new();
    }
    let mut text = heading("Lineage", screen);
    let mut grid = Grid::new(&["", ""]).of(Holds::Names);
    for (key, value) in &footer.lineage {
        let key = key.strip_prefix("lakegate.").unwrap_or(key);
        grid.row(vec![Cell::new(Tone::Dim, visible(key)), visible(value).into()]);
    }
    text.push_str(&grid.render(screen));
    text
}

fn heading(title: &str, screen: Screen) -> String {
    format!("\n{}\n", screen.paint(Tone::Bold, title))
}

fn fact<'a>(footer: &'a Footer, key: &str) -> &'a str {
    footer.lineage.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
}

fn join(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.0}%", part as f64 * 100.0 / whole as f64) }
}

fn factor(raw: u64, stored: u64) -> String {
    if stored == 0 { String::new() } else { format!("{:.1}x", raw as f64 / stored as f64) }
}

fn ratio(raw: u64, stored: u64) -> String {
    match factor(raw, stored) {
        factor if factor.is_empty() => format!("{} raw", size(raw)),
        factor => format!("{} raw, {factor}", size(raw)),
    }
}

fn to_json(
    path: &Path,
    seen: &[Seen],
    columns: &[Merged],
    partitions: &[(String, BTreeSet<String>)],
) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|Merged { column, types, files }| {
            json!({
                "name": column.name, "athena": column.athena, "parquet": types, "from": column.from,
                "nulls": column.nulls, "min": column.min(), "max": column.max(),
                "stored_bytes": column.stored, "raw_bytes": column.raw, "compression": column.compression,
                "encodings": column.encodings, "page_index": column.page_index, "files": files,
            })
        })
        .collect();
    let files: Vec<Value> = seen
        .iter()
        .map(|file| {
            let groups: Vec<Value> = file
                .footer
                .groups
                .iter()
                .map(
                    |group| json!({"rows": group.rows, "stored_bytes": group.stored, "raw_bytes": group.raw}),
                )
                .collect();
            let lineage: serde_json::Map<String, Value> = file
                .footer
                .lineage
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
                .collect();
            json!({
                "path": file.path.display().to_string(), "rows": file.footer.rows, "bytes": file.stored,
                "created_by": file.footer.created_by, "row_groups": groups, "lineage": lineage,
            })
        })
        .collect();
    json!({
        "path": path.display().to_string(),
        "rows": seen.iter().map(|file| file.footer.rows).sum::<u64>(),
        "bytes": seen.iter().map(|file| file.stored).sum::<u64>(),
        "columns": columns,
        "partitions": partitions.iter().map(|(name, values)| json!({"name": name, "values": values})).collect::<Vec<_>>(),
        "files": files,
    })
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
