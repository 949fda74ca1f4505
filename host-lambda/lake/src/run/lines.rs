//! The lines of a quarantine as the lake keeps them: those of the transform, with what the host knows.
//!
//! Not for what a line says of its record. The decision to know: a line is written anew from what was read of it, so
//! that no transform can say whose it is; and all that the host adds follows from the commit record, so that lines that
//! are made again are the same. Only that the object failed is known too late: such lines, which nobody but an operator
//! reads, are written a second time.

use std::borrow::Cow;

use crate::record::{KeptLine, SourceRecord};
use crate::run_id::RunId;
use crate::storage::Storage;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_model::Rejections;

/// How a line ends, and how it does if the object failed.
const ENDS: (&[u8], &[u8]) = (b"\"failed\":false}", b"\"failed\":true}");

/// What the host says in each line of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) id: String,
    source: String,
    generation: u32,
    time: Option<String>,
}

impl Facts {
    pub(crate) fn new(pipeline: &str, source: &SourceRecord, generation: u32) -> Self {
        Self {
            id: RunId::of(pipeline, &source.uri, generation).to_string(),
            source: source.uri.clone(),
            generation,
            time: source.loaded_ms.map(rfc3339),
        }
    }
}

/// Puts lines together that come in pieces.
pub(crate) struct Lines {
    facts: Option<Facts>,
    half: Vec<u8>,
    rejections: Rejections,
}

impl Lines {
    /// Without facts lines stay as they come.
    pub(crate) fn new(facts: Option<Facts>) -> Self {
        Self { facts, half: Vec::new(), rejections: Rejections::default() }
    }

    /// What the lines told until now; of those with facts.
    pub(crate) fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    /// The whole lines that there are now.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        for line in piece.split_inclusive(|&byte| byte == b'\n') {
            self.half.extend_from_slice(line);
            if line.ends_with(b"\n") {
                match &self.facts {
                    Some(facts) => kept(&self.half, facts, &mut self.rejections, &mut whole)?,
                    None => whole.extend_from_slice(&self.half),
                }
                self.half.clear();
            }
        }
        Ok(whole)
    }
}

/// The sandbox has read the line already.
fn kept(line: &[u8], facts: &Facts, told: &mut Rejections, into: &mut Vec<u8>) -> Result<()> {
    let unreadable = |error: serde_json::Error| {
        Error::new(Code::QuarantineUnreadable, format!("a quarantine line: {error}"))
    };
    let line = KeptLine {
        line: serde_json::from_slice(line).map_err(unreadable)?,
        id: Cow::from(&facts.id),
        source: Cow::from(&facts.source),
        generation: facts.generation,
        time: facts.time.as_deref().map(Cow::from),
        failed: false,
    };
    told.add(&line.line);
    serde_json::to_writer(&mut *into, &line).map_err(unreadable)?;
    into.push(b'\n');
    Ok(())
}

/// Writes the lines of an object that failed to another key, where they say so.
pub(crate) fn of_failed(storage: &dyn Storage, from: &str, to: &str) -> Result<()> {
    let gone = || Error::new(Code::LakeDamaged, format!("{from} is missing"));
    let mut chunks = storage.open(&storage.stat(from)?.ok_or_else(gone)?)?;
    let (mut stage, mut lines) = (storage.stage(to)?, Lines::new(None));
    loop {
        let chunk = chunks.next()?;
        if chunk.is_empty() {
            break;
        }
        let mut said = Vec::with_capacity(chunk.len());
        for line in lines.take(chunk)?.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\n").and_then(|line| line.strip_suffix(ENDS.0)) {
                Some(line) => said.extend([line, ENDS.1, b"\n"].concat()),
                None => said.extend_from_slice(line),
            }
        }
        stage.write(&said)?;
    }
    let staged = stage.finish()?;
    storage.publish(&staged)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::LocalFolder;

    const LINE: &str = r#"{"record":3,"line":3,"offset":20,"length":5,"table":null,"path":"/a","code":"c","message":"m","raw":"[1,\"é\"]","truncated":false"#;

    fn facts() -> Facts {
        let source = SourceRecord {
            uri: "s3://raw/x.json".into(),
            loaded_ms: Some(1_735_732_799_999),
            ..SourceRecord::default()
        };
        Facts::new("orders", &source, 2)
    }

    fn said(failed: bool) -> String {
        let id = RunId::of("orders", "s3://raw/x.json", 2);
        format!(
            "{LINE},\"id\":\"{id}\",\"source\":\"s3://raw/x.json\",\"generation\":2,\"time\":\"2025-01-01T11:59:59.999Z\",\"failed\":{failed}}}\n"
        )
    }

    #[test]
    fn lines_say_whose_they_are_however_they_are_cut() {
        let text = format!("{LINE}}}\n").repeat(3);
        for size in [1, 7, 64, text.len()] {
            let mut lines = Lines::new(Some(facts()));
            let taken: Vec<Vec<u8>> =
                text.as_bytes().chunks(size).map(|piece| lines.take(piece).unwrap()).collect();
            assert_eq!(String::from_utf8(taken.concat()).unwrap(), said(false).repeat(3), "{size}");
        }
    }

    #[test]
    fn no_transform_says_whose_a_line_is() {
        let forged = format!("{LINE},\"source\":\"another\",\"failed\":true,\"more\":1 }} \n");
        let taken = Lines::new(Some(facts())).take(forged.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(taken).unwrap(), said(false));
    }

    #[test]
    fn a_line_made_again_from_an_old_record_is_as_it_was() {
        let text = format!("{LINE}}}\n");
        assert_eq!(Lines::new(None).take(text.as_bytes()).unwrap(), text.as_bytes());
    }

    #[test]
    fn lines_of_a_failed_object_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalFolder::new(folder.path()).unwrap();
        let strange = "{\"record\":1,\"raw\":\"\\\"failed\\\":false}\"}\n";
        let text = format!("{}{strange}", said(false).repeat(1_000));
        assert!(storage.put_if_absent("q/1", text.as_bytes()).unwrap());
        of_failed(&storage, "q/1", "q/2").unwrap();
        let found = storage.get("q/2").unwrap().unwrap().bytes;
        assert_eq!(String::from_utf8(found).unwrap(), format!("{}{strange}", said(true).repeat(1_000)));
        assert_eq!(of_failed(&storage, "q/0", "q/3").unwrap_err().name(), "lake_damaged");
    }
}
