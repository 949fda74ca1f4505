//! The objects of a source as an S3 Inventory lists them, for sources that are too large to be listed.
//!
//! Not for how an object stands: that is asked now, since an inventory is a day old. Decisions to know:
//!
//! * Only CSV is read, which is the form that an inventory has where nobody chose another one.
//! * Keys of one file of the inventory are held at a time: a million of them are about a hundred MiB.
//!
//! The form is AWS's "Amazon S3 Inventory list", manifest version 2016-11-30: fields in quotes, keys encoded as in URLs.

use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::client::Aws;
use crate::s3::{S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::storage::Storage;

/// An inventory, and the keys of the file of it that was looked into last.
pub struct Inventory {
    storage: S3Storage,
    manifest: Manifest,
    open: Option<(usize, Vec<String>)>,
}

/// What an inventory consists of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    key: String,
}

/// Where the next page of an inventory begins: file and row.
pub(super) type Place = (usize, usize);

impl Inventory {
    /// Reads a manifest.
    ///
    /// # Errors
    /// `inventory_unreadable`: it is none, or of a form that is not read; the storage's.
    pub fn open(aws: &Aws, bucket: &str, key: &str) -> Result<Self> {
        let storage = S3Storage::new(aws.clone(), bucket, "", S3Options::default());
        let uri = format!("s3://{bucket}/{key}");
        let found = storage.get(key)?;
        let found = found.ok_or_else(|| Error::new(Code::ObjectMissing, format!("{uri} is not there")))?;
        let manifest = read_manifest(&found.bytes).map_err(|error| error.in_file(uri))?;
        Ok(Self { storage, manifest, open: None })
    }

    /// The bucket that it lists.
    pub fn source_bucket(&self) -> &str {
        &self.manifest.source_bucket
    }

    /// Keys from a place on that begin with a prefix, and where the next ones are; `None` behind the last.
    pub(super) fn page(
        &mut self,
        (file, row): Place,
        prefix: &str,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Place>)> {
        let Some(named) = self.manifest.files.get(file) else { return Ok((Vec::new(), None)) };
        if self.open.as_ref().is_none_or(|(open, _)| *open != file) {
            let key = &named.key;
            let found = self.storage.get(key)?;
            let found = found.ok_or_else(|| {
                Error::new(Code::ObjectMissing, format!("{key} of the inventory is not there"))
            })?;
            let keys = keys(&found.bytes[..], &self.manifest.file_schema)
                .map_err(|error| error.in_file(key.clone()))?;
            self.open = Some((file, keys));
        }
        let keys = self.open.as_ref().map_or(&[][..], |(_, keys)| keys);
        let end = row.saturating_add(limit).min(keys.len());
        let page = keys.get(row..end).unwrap_or_default();
        let page = page.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        let next = if end < keys.len() { (file, end) } else { (file + 1, 0) };
        Ok((page, (next.0 < self.manifest.files.len()).then_some(next)))
    }
}

fn unreadable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::InventoryUnreadable, format!("{what}"))
        .with_hint("name the manifest.json of an S3 Inventory whose format is CSV")
}

fn read_manifest(bytes: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(unreadable)?;
    if manifest.file_format != "CSV" {
        return Err(unreadable(format!("the inventory is {}, and CSV is read", manifest.file_format)));
    }
    Ok(manifest)
}

/// The keys of what is there now in a file of an inventory.
fn keys(gzip: &[u8], schema: &str) -> Result<Vec<String>> {
    let columns: Vec<&str> = schema.split(',').map(str::trim).collect();
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let key = column("Key").ok_or_else(|| unreadable("the inventory has no column Key"))?;
    let (latest, marker) = (column("IsLatest"), column("IsDeleteMarker"));
    let mut found = Vec::new();
    for line in BufReader::new(MultiGzDecoder::new(gzip)).lines() {
        let line = line.map_err(unreadable)?;
        if line.is_empty() {
            continue;
        }
        // Encoded keys have no quotes and no commas, and no other field has any.
        let fields: Vec<&str> = line.split(',').map(|field| field.trim_matches('"')).collect();
        let says = |column: Option<usize>, word: &str| column.and_then(|at| fields.get(at)) == Some(&word);
        if says(latest, "false") || says(marker, "true") {
            continue;
        }
        let text = fields.get(key).ok_or_else(|| unreadable("a line of the inventory lacks its key"))?;
        found.push(decoded(text)?);
    }
    Ok(found)
}

/// A blank may be written as `+`: a plus is always written as `%2B`.
fn decoded(text: &str) -> Result<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().map(Into::into).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size";

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn keys_of_what_is_there_are_decoded() {
        let text = "\"raw\",\"in/a%2Bb+c%20d%C3%A4.json\",\"v2\",\"true\",\"false\",\"10\"\n\
                    \"raw\",\"in/old.json\",\"v1\",\"false\",\"false\",\"10\"\n\
                    \"raw\",\"in/gone.json\",\"v3\",\"true\",\"true\",\"\"\n\n\
                    \"raw\",\"in/b.json\",\"v1\",\"true\",\"false\",\"10\"\n";
        assert_eq!(keys(&gzip(text), SCHEMA).unwrap(), ["in/a+b c dä.json", "in/b.json"]);
        assert_eq!(keys(&gzip("\"raw\",\"x\"\n"), "Bucket, Key").unwrap(), ["x"]);
    }

    #[test]
    fn what_is_no_inventory_is_refused() {
        assert!(keys(&gzip("\"raw\"\n"), SCHEMA).is_err());
        assert!(keys(&gzip("\"raw\",\"x\"\n"), "Bucket, Name").is_err());
        assert!(keys(b"no gzip", SCHEMA).is_err());
        assert!(keys(&gzip("\"raw\",\"%FF\"\n"), "Bucket, Key").is_err());
        let orc = br#"{"sourceBucket": "raw", "fileFormat": "ORC", "fileSchema": "x", "files": []}"#;
        for wrong in [&b"{}"[..], b"[", orc] {
            assert_eq!(read_manifest(wrong).unwrap_err().code(), Code::InventoryUnreadable);
        }
    }
}
