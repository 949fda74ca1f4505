//! The whole transform, native: one file in, part files out, for `cargo xtask bench`.
//!
//! Not a micro-benchmark and not the host: no commit, no lake, no sandbox. The one decision to know: it
//! does what the host does with the bytes (1 MiB chunks, two passes when the contract is new, part files
//! written to disk), so that what the sandbox costs is the only difference to `benches/sandbox.rs`.
//!
//! `whole --spec FILE --table NAME --input FILE --out FOLDER` prints one JSON line.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use lakegate_transform::{Job, Options, Step, TableContract};

/// What the host hands over at once.
const CHUNK_BYTES: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let given: BTreeMap<String, String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect::<Vec<_>>()
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())))
        .collect();
    let argument = |name: &str| given.get(name).ok_or(format!("missing {name}"));
    let spec = std::fs::read_to_string(argument("--spec")?)?;
    let (input, out) = (PathBuf::from(argument("--input")?), PathBuf::from(argument("--out")?));
    let table = argument("--table")?;

    let begun = Instant::now();
    let mut contracts = Vec::new();
    let mut passes = 0;
    loop {
        passes += 1;
        let options = Options {
            spec: spec.clone(),
            table: Some(table.clone()),
            contracts: contracts.clone(),
            final_pass: passes > 1,
            ..Options::default()
        };
        match pass(options, &input, &out)? {
            Some(widened) if passes < 3 => contracts = widened,
            Some(_) => return Err("the contract widened on the final pass".into()),
            None => break,
        }
    }
    println!(r#"{{"seconds":{},"passes":{passes}}}"#, begun.elapsed().as_secs_f64());
    Ok(())
}

/// Reads the input once; the contracts to come back with, or nothing when it is done.
fn pass(options: Options, input: &Path, out: &Path) -> Result<Option<Vec<TableContract>>, Box<dyn Error>> {
    let mut job = Job::open(options).map_err(|failure| format!("{failure:?}"))?;
    let mut source = File::open(input)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut parts: BTreeMap<u32, File> = BTreeMap::new();
    loop {
        match job.step().map_err(|failure| format!("{failure:?}"))? {
            Step::NeedInput => match source.read(&mut chunk)? {
                0 => job.end(),
                read => job.push(&chunk[..read]),
            },
            Step::Working | Step::Quarantine(_) => {}
            Step::PartOpened { id, .. } => {
                parts.insert(id, File::create(out.join(format!("{id}.parquet")))?);
            }
            Step::PartBytes { id, bytes } => {
                parts.get_mut(&id).ok_or("bytes of a part that is not open")?.write_all(&bytes)?;
            }
            Step::PartClosed { id, .. } => drop(parts.remove(&id)),
            Step::Widen(widened) => return Ok(Some(widened.contracts)),
            Step::Done(_) => return Ok(None),
        }
    }
}
