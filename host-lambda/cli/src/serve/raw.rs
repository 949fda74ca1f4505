//! Raw files of a lake, under the names that people gave them: in its folder, or in its bucket.
//!
//! Not for uploads that wait (`queue`). The decision to know: in a folder the bytes get their name by a link, and in a
//! bucket by a copy, since S3 renames nothing.

use crate::args::inputs::inputs;
use crate::place::Place;
use crate::serve::queue::Waiting;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::Lake;
use lakegate_lake::keys::{raw_key, upload_bytes_key};
use lakegate_lake::source::Source;
use lakegate_lake::storage::{Chunks, Stage, Staged};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// Where a key of the lake is.
pub fn place_of(lake: &Lake, key: &str) -> Place {
    let root = lake.root().trim_end_matches('/');
    if root.starts_with("s3://") {
        Place::S3(format!("{root}/{key}"))
    } else {
        Place::Local(Path::new(root).join(key))
    }
}

/// The raw file of an upload whose turn it is, with its digest known.
///
/// # Errors
/// It cannot be read, or is another one.
pub fn source_of(lake: &Lake, waiting: &Waiting) -> Result<Source> {
    let place = place_of(lake, &raw_key(&waiting.name));
    let source = match &place {
        Place::Local(path) => Source::file(path)?,
        Place::S3(_) => {
            let found = inputs(std::slice::from_ref(&place), None)?;
            let input =
                found.first().ok_or_else(|| Error::new(Code::UploadGone, format!("{place} is gone")))?;
            input.open(None)?.digested()?
        }
    };
    if source.digest() == waiting.digest {
        return Ok(source);
    }
    Err(Error::new(Code::RawChanged, "somebody else wrote this raw file")
        .with_hint("upload it again; one server at a time takes uploads into a lake"))
}

/// Whether the raw file of its name is this upload: its turn came, and was cut short.
pub fn is_in_place(lake: &Lake, waiting: &Waiting) -> bool {
    let there = lake.storage().stat(&raw_key(&waiting.name));
    there.ok().flatten().is_some_and(|raw| raw.bytes == waiting.bytes) && source_of(lake, waiting).is_ok()
}

/// Gives the bytes of an upload their raw name, beside their own.
///
/// # Errors
/// They are gone; the storage's.
pub fn place(lake: &Lake, waiting: &Waiting) -> Result<()> {
    let (key, own) = (raw_key(&waiting.name), upload_bytes_key(&waiting.id));
    let storage = lake.storage();
    let Some(facts) = storage.stat(&own)? else {
        if is_in_place(lake, waiting) {
            return Ok(());
        }
        return Err(Error::new(Code::UploadGone, format!("{own} is gone")).with_hint("upload the file again"));
    };
    match place_of(lake, "") {
        Place::Local(root) => link(&root, &own, &key)?,
        Place::S3(_) => {
            let mut stage = storage.stage(&key)?;
            read(&mut *storage.open(&facts)?, |bytes| Ok(stage.write(bytes)?))?;
            let staged = stage.finish()?;
            storage.settle(std::slice::from_ref(&staged))?;
            storage.publish(&staged)?;
        }
    }
    Ok(storage.seal(&[key, own])?)
}

/// The bytes of one name under another one as well, whatever was there.
fn link(root: &Path, own: &str, key: &str) -> Result<()> {
    let io = |error| Error::io(key, error);
    let (raw, beside) = (root.join(key), root.join(format!("{own}.link")));
    fs::create_dir_all(raw.parent().unwrap_or(&raw)).map_err(io)?;
    // One that a killed server left is the same file.
    let _old = fs::remove_file(&beside);
    fs::hard_link(root.join(own), &beside).map_err(io)?;
    fs::rename(&beside, &raw).map_err(io)?;
    // Where both are one file already, the rename has done nothing.
    let _same = fs::remove_file(&beside);
    Ok(())
}

/// Stages the raw file of a source once more, as if it had been uploaded; with its digest. `None` where the source is not
/// a raw file of this lake.
///
/// # Errors
/// It cannot be read or staged.
pub fn stage_again(lake: &Lake, uri: &str, name: &str) -> Result<Option<(Staged, String)>> {
    let key = raw_key(name);
    let storage = lake.storage();
    if place_of(lake, &key).to_string() != uri {
        return Ok(None);
    }
    let Some(facts) = storage.stat(&key)? else { return Ok(None) };
    let mut stage: Box<dyn Stage> = storage.stage(&key)?;
    let mut hash = Sha256::new();
    read(&mut *storage.open(&facts)?, |bytes| {
        hash.update(bytes);
        Ok(stage.write(bytes)?)
    })?;
    Ok(Some((stage.finish()?, hex::encode(hash.finalize()))))
}

/// Reads to the end.
fn read(chunks: &mut dyn Chunks, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    loop {
        let chunk = chunks.next()?;
        if chunk.is_empty() {
            return Ok(());
        }
        take(chunk)?;
    }
}
