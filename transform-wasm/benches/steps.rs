//! How quick each step is by itself, native, on an NDJSON or JSON file, for `cargo xtask bench`.
//!
//! Not the whole (`whole.rs`). The one decision to know: each step includes those before it, because
//! that is how the code is built (nothing is tokenised twice): the price of a step is the difference.
//!
//! `steps --spec FILE --input FILE` prints one JSON line, step to seconds, the best of three.

use std::error::Error;
use std::time::Instant;

use lakegate_transform::bench::{
    Care, Contract, Cursor, DocumentReader, Limits, Next, Plan, Shredder, Skipper, Spec, Usual,
};
use lakegate_transform::{Job, Options, Step, TableContract};

/// Records after which the shredder's batch is emptied.
const BATCH_RECORDS: u32 = 8192;
const ROUNDS: usize = 3;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().collect();
    let argument = |name: &str| -> Outcome<&String> {
        let at = words.iter().position(|word| word == name).ok_or(format!("missing {name}"))?;
        words.get(at + 1).ok_or_else(|| format!("{name} has no value").into())
    };
    let spec_text = std::fs::read_to_string(argument("--spec")?)?;
    let input = std::fs::read(argument("--input")?)?;
    let contract = agree(&spec_text)?;
    let frame = best(|| {
        std::hint::black_box(lines(&input));
        Ok(())
    })?;
    let tokenise = best(|| records(&input, Take::Skip(Skipper::default())))?;
    let shred = best(|| records(&input, Take::Shred(Box::new(shredder(&spec_text, &contract)?))))?;
    let whole = best(|| whole(&spec_text, &contract, &input))?;
    let told = [
        ("frame: find the lines", frame),
        ("+ tokenise: the grammar, duplicate keys", tokenise),
        ("instead of it, shred: into typed columns", shred),
        ("+ rows and encode: Parquet in memory", whole),
    ];
    let told: Vec<String> = told.iter().map(|(name, seconds)| format!("\"{name}\":{seconds}")).collect();
    println!("{{{}}}", told.join(","));
    Ok(())
}

/// The contract that follows from the spec alone, before any input.
fn agree(spec: &str) -> Outcome<String> {
    let options = Options { spec: spec.to_string(), ..Options::default() };
    match Job::open(options).and_then(|mut job| job.step()) {
        Ok(Step::Widen(widened)) => Ok(widened.contracts.first().ok_or("no contract")?.text.clone()),
        other => Err(format!("the spec must declare every column, got {other:?}").into()),
    }
}

fn shredder(spec: &str, contract: &str) -> Outcome<Shredder> {
    let spec = Spec::parse(spec).map_err(|failure| format!("{failure:?}"))?;
    let contract = Contract::parse(contract).map_err(|failure| format!("{failure:?}"))?;
    let limits = Limits::default();
    let plan = Plan::new(&spec.tables, &[contract], Usual { tz_offset_ms: 0, decimal: '.' })
        .map_err(|failure| format!("{failure:?}"))?;
    Ok(Shredder::new(plan, limits.depth, true))
}

/// Where each line ends.
fn lines(input: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', input).count()
}

/// What is done with each record.
enum Take {
    Skip(Skipper),
    Shred(Box<Shredder>),
}

fn records(input: &[u8], mut take: Take) -> Outcome<()> {
    let cursor = Cursor { input, complete: true };
    let depth = Limits::default().depth;
    let mut reader = DocumentReader::new(Vec::new(), depth);
    let mut at = 0;
    while let Next::Record(start) = reader.next(&cursor, &mut at).map_err(|stop| format!("{stop:?}"))? {
        let end = match &mut take {
            Take::Skip(skipper) => skipper.skip(&cursor, start, depth, Care::All),
            Take::Shred(shredder) => {
                shredder.begin();
                let end = shredder.walk(&cursor, start);
                shredder.commit();
                if shredder.batch.records >= BATCH_RECORDS {
                    shredder.batch.clear();
                }
                end
            }
        };
        at = end.map_err(|stop| format!("{stop:?}"))?;
        reader.done();
    }
    Ok(())
}

fn whole(spec: &str, contract: &str, input: &[u8]) -> Outcome<()> {
    let contracts = vec![TableContract { table: "bench".into(), text: contract.into() }];
    let options = Options { spec: spec.into(), contracts, final_pass: true, ..Options::default() };
    let mut job = Job::open(options).map_err(|failure| format!("{failure:?}"))?;
    let mut chunks = input.chunks(1 << 20);
    loop {
        match job.step().map_err(|failure| format!("{failure:?}"))? {
            Step::NeedInput => match chunks.next() {
                Some(chunk) => job.push(chunk),
                None => job.end(),
            },
            Step::Done(_) => return Ok(()),
            Step::Widen(_) => return Err("the contract widened on the final pass".into()),
            other => drop(std::hint::black_box(other)),
        }
    }
}

/// Seconds of the quickest round.
fn best(mut work: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work()?;
        least = least.min(begun.elapsed().as_secs_f64());
    }
    Ok(least)
}
