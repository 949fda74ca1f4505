//! The shipped component in the shipped sandbox, without a lake, for `cargo xtask bench`.
//!
//! Not `lakegate run`, which is measured as the process it is. The one decision to know: it does with the
//! bytes what `benches/whole.rs` of the transform does natively, so that the ratio of the two is the
//! price of the sandbox and of nothing else.
//!
//! `sandbox --spec FILE --table NAME --input FILE --out FOLDER` prints one JSON line; `sandbox` alone
//! measures loading and opening, in milliseconds. With `--fuel` before the rest, nothing is timed: the guest's
//! work is counted, in an engine of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lakegate_base::Code;
use lakegate_lake::storage::LocalFolder;
use lakegate_release::{
    Channel, CodeKey, Draft, Follow, Follower, Loader, Pinned, Promotion, Registry, SigningKey, publish,
};
use lakegate_sandbox::{
    CHUNK_BYTES, JobOptions, Limits, Sandbox, SourceFacts, Step, TableContract, Transform, native_target,
};

/// Odd, so that the median is one of them.
const ROUNDS: usize = 51;
/// Odd too; each takes about the second that lies between two looks at a channel.
const SWAPS: usize = 5;
/// Of the small object whose time is taken.
const SMALL: &str = r#"
[[table]]
name = "bench"
mode = "freeze"
[[table.column]]
name = "id"
type = "bigint"
[[table.column]]
name = "text"
type = "string"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let given: BTreeMap<String, String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench" && word != "--fuel")
        .collect::<Vec<_>>()
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())))
        .collect();
    let counting = std::env::args().any(|word| word == "--fuel");
    let sandbox = if counting {
        Sandbox::counting_fuel(Limits::default())
    } else {
        Sandbox::new(Limits::default())?.trusting_ours()
    }?;
    if given.is_empty() {
        return starts(&sandbox);
    }
    let argument = |name: &str| given.get(name).ok_or(format!("missing {name}"));
    // Another one, to compare with.
    let transform = match given.get("--component") {
        Some(path) => Transform::from_file(&sandbox, Path::new(path))?,
        None => Transform::shipped(&sandbox)?,
    };
    let spec = std::fs::read_to_string(argument("--spec")?)?;
    let (input, out) = (PathBuf::from(argument("--input")?), PathBuf::from(argument("--out")?));
    let table = argument("--table")?;
    let begun = Instant::now();
    let (mut contracts, mut passes, mut fuel) = (Vec::new(), 0, 0);
    loop {
        passes += 1;
        let options = JobOptions {
            spec: spec.clone(),
            table: Some(table.clone()),
            contracts,
            final_pass: passes > 1,
            source: SourceFacts { bytes: Some(std::fs::metadata(&input)?.len()), ..SourceFacts::default() },
            ..JobOptions::default()
        };
        let (widened, used) = pass(&transform, options, &input, &out)?;
        fuel += used;
        match widened {
            Some(widened) if passes < 3 => contracts = widened,
            Some(_) => return Err("the contract widened on the final pass".into()),
            None => break,
        }
    }
    match counting {
        true => println!(r#"{{"fuel":{fuel},"passes":{passes}}}"#),
        false => println!(r#"{{"seconds":{},"passes":{passes}}}"#, begun.elapsed().as_secs_f64()),
    }
    Ok(())
}

/// Contracts to come back with, if any, and the fuel that the pass took.
type Passed = (Option<Vec<TableContract>>, u64);

/// Reads the input once; the contracts to come back with, or nothing when it is done, and the fuel it took.
fn pass(
    transform: &Transform,
    options: JobOptions,
    input: &Path,
    out: &Path,
) -> Result<Passed, Box<dyn Error>> {
    let mut session = transform.open(options)?;
    let source = File::open(input)?;
    let mut parts: BTreeMap<u32, File> = BTreeMap::new();
    loop {
        match session.step()? {
            Step::NeedInput => {
                let pushed = session.push_from(|piece| {
                    piece.clear();
                    piece.reserve_exact(CHUNK_BYTES);
                    let read = (&source).take(CHUNK_BYTES as u64).read_to_end(piece);
                    read.map(drop).map_err(|error| lakegate_base::Error::new(Code::Io, error.to_string()))
                })?;
                if pushed == 0 {
                    session.end()?;
                }
            }
            Step::Working | Step::Quarantine(_) => {}
            Step::PartOpened { id, .. } => {
                parts.insert(id, File::create(out.join(format!("{id}.parquet")))?);
            }
            Step::PartBytes { id, bytes } => {
                parts.get_mut(&id).ok_or("bytes of a part that is not open")?.write_all(&bytes)?;
            }
            Step::PartClosed { id, .. } => drop(parts.remove(&id)),
            Step::Widen(widened) => return Ok((Some(widened.contracts), session.fuel().unwrap_or(0))),
            Step::Done(_) => return Ok((None, session.fuel().unwrap_or(0))),
        }
    }
}

/// Medians of loading compiled code, of a new sandbox with an open job, and of the engine before both.
fn starts(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let transform = Transform::shipped(sandbox)?; // fills the cache of compiled code
    let engine = median(|| Sandbox::new(Limits::default()).map(drop).map_err(Into::into))?;
    let load = median(|| Transform::shipped(sandbox).map(drop).map_err(Into::into))?;
    let open = median(|| {
        let options = JobOptions { table: Some("bench".to_string()), ..JobOptions::default() };
        transform.open(options).map(drop).map_err(Into::into)
    })?;
    let (object, after_crash) = after_crashes(&transform)?;
    let (release, swap) = releases(sandbox)?;
    println!(
        "{}",
        serde_json::json!({
            "new engine": engine, "loading cached compiled code": load, "new sandbox, job opened": open,
            "an object of 20 KB, right after one of 8 MB": object,
            "the same, right after one of 8 MB that crashed its guest": after_crash,
            "loading a precompiled release": release, "from promotion to the next release in use": swap,
        })
    );
    Ok(())
}

/// Medians of a small object's time right after a large one, and after the same whose guest hit its memory limit: by turns.
fn after_crashes(transform: &Transform) -> Result<(f64, f64), Box<dyn Error>> {
    let small: String =
        (0..400).map(|id| format!("{{\"id\":{id},\"text\":\"a text that is long enough\"}}\n")).collect();
    let narrow = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let (large, tight) = (small.repeat(400), transform.clone().limited(narrow));
    let contracts = agreed(transform)?;
    let (mut usual, mut next) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // What a large object costs the next one by itself: caches, memory given back.
        drive(transform, &contracts, &large)?;
        usual.push(timed(|| drive(transform, &contracts, &small))?);
        match drive(&tight, &contracts, &large) {
            Err(error) if error.to_string().contains("memory_bytes") => {}
            other => return Err(format!("a guest of 8 MiB, given 8 MB: {other:?}").into()),
        }
        next.push(timed(|| drive(transform, &contracts, &small))?);
    }
    Ok((middle(usual), middle(next)))
}

/// The contracts of the small objects: declared types are agreed before any input.
fn agreed(transform: &Transform) -> Result<Vec<TableContract>, Box<dyn Error>> {
    let mut session = transform.open(JobOptions { spec: SMALL.into(), ..JobOptions::default() })?;
    loop {
        match session.step()? {
            Step::Widen(widened) => return Ok(widened.contracts),
            Step::Working => {}
            _ => return Err("declared types are not agreed before any input".into()),
        }
    }
}

/// One pass over an object in memory, whose parts are dropped.
fn drive(transform: &Transform, contracts: &[TableContract], object: &str) -> Result<(), Box<dyn Error>> {
    let contracts = contracts.to_vec();
    let options = JobOptions { spec: SMALL.into(), contracts, final_pass: true, ..JobOptions::default() };
    let mut session = transform.open(options)?;
    let mut chunks = object.as_bytes().chunks(CHUNK_BYTES);
    loop {
        match session.step()? {
            Step::NeedInput => match chunks.next() {
                Some(chunk) => session.push(chunk)?,
                None => session.end()?,
            },
            Step::Done(_) => return Ok(()),
            Step::Widen(_) => return Err("declared types were not final".into()),
            _ => {}
        }
    }
}

/// Median of loading a signed release with its signed compiled code out of a folder, digests and signatures
/// checked; and of the time from a promotion until a warm host takes an object under it.
fn releases(sandbox: &Sandbox) -> Result<(f64, f64), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let registry = Registry::over(Arc::new(LocalFolder::new(folder.path())?));
    let key = SigningKey::parse(&SigningKey::generate()?.0)?;
    let publish = |version: &str, targets: Vec<String>| {
        let draft = Draft {
            name: "bench".into(),
            version: version.parse()?,
            component: Transform::shipped_bytes()?.to_vec(),
            spec: format!(
                "[[table]]\nname = \"bench\"\nmode = \"freeze\"\n[[table.column]]\nname = \"id\"\ntype = \
                 \"bigint\"\n[[table.derive]]\nname = \"made_by\"\nsql = \"'{version}'\"\n"
            ),
            samples: vec![("sample.ndjson".into(), b"{\"id\":1}\n".to_vec())],
            targets,
        };
        Ok::<_, Box<dyn Error>>(publish(&registry, sandbox, &draft, &key)?)
    };
    let published = publish("1.0.0", vec![native_target()])?;
    let trust = key.trust();
    let code_key = CodeKey::of_target(None);
    let load = median(|| {
        let (manifest, _) = registry.manifest("bench", &published.pinned.version, &trust)?;
        let component = registry.blob(&manifest.component.blob, "component")?;
        let spec = registry.blob(&manifest.spec, "spec")?;
        let code = registry.code(&manifest, &code_key, &trust)?.ok_or("there is no code")?;
        // SAFETY: made a moment ago by this process, by `publish`.
        let transform = unsafe {
            Transform::from_code(sandbox, "bench", &component, &manifest.component.blob.digest, &code)
        }?;
        drop((spec, transform));
        Ok(())
    })?;
    let promote = |pinned: &Pinned| {
        registry.change_channel("bench", &key, &trust, |before| {
            let next = Channel::promote(before, "bench", pinned.clone(), Promotion::Stable, "now")?;
            Ok((next, ()))
        })
    };
    promote(&published.pinned)?;
    let loader = Loader {
        registry: registry.clone(),
        trust: trust.clone(),
        sandbox: sandbox.clone(),
        declared: true,
        lake: None,
    };
    let follower = Follower::start(loader, Follow { name: "bench".into(), ..Follow::default() })?;
    let mut times = Vec::new();
    for minor in 1..=SWAPS {
        let next = publish(&format!("1.{minor}.0"), Vec::new())?;
        promote(&next.pinned)?;
        let begun = Instant::now();
        // A busy host: an object every few milliseconds.
        while follower.serving().stable.pinned != next.pinned {
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok((load, middle(times)))
}

/// Median milliseconds of some work.
fn median(mut work: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    Ok(middle((0..ROUNDS).map(|_| timed(&mut work)).collect::<Result<_, _>>()?))
}

/// Milliseconds of some work.
fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

/// The median of an odd number of times.
fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
