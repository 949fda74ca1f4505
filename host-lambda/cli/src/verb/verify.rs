//! `lakegate verify`: runs a receipt's inputs again and compares every byte.
//!
//! For: receipts of `preview --json`, and commit records. Not for looking into part files
//! (`inspect`). The decision to know: a receipt only holds digests; whatever is used to run again (input, component,
//! spec, contracts) is taken only if it has the digest that the receipt names, so that equality proves itself.

use crate::args::inputs::inputs;
use crate::args::lake::{NamedLake, existing_lake};
use crate::args::plans::read as read_file;
use crate::args::registry::registry_named;
use crate::cloud::Connection;
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone, count, number, short};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::keys::COMMITS;
use lakegate_lake::lake::sha256;
use lakegate_lake::record::{CommitRecord, Output, Receipt};
use lakegate_lake::run::commit::source_of;
use lakegate_lake::run::{Plan, Preview, preview, remake};
use lakegate_lake::source::Source;
use lakegate_release::{Blob, Registry};
use lakegate_sandbox::{Limits, Sandbox, TableContract, Transform};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `verify`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate preview orders.json --spec orders.toml --json > promise.json
  lakegate verify promise.json --input orders.json --spec orders.toml
  lakegate verify lake/_lakegate/commits/orders/1f0c…/000001.json
  lakegate verify s3://acme-lake/sales/_lakegate/commits/orders/1f0c…/000001.json

Exit codes: 0 every byte is the same, 1 something differs or cannot be had.")]
pub struct VerifyArgs {
    /// A receipt, what `preview --json` printed, or a commit record
    #[arg(value_name = "RECEIPT")]
    receipt: Place,
    /// The input [default: the source object that a commit record names]
    #[arg(long, value_name = "FILE | S3 URI")]
    input: Option<Place>,
    /// The spec [default: from the lake or the registry, by digest]
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    /// The component [default: the shipped one, or from the registry, by digest]
    #[arg(long, value_name = "FILE.wasm")]
    transform: Option<PathBuf>,
    /// Lake that has specs and contracts by digest [default: the one that a commit record lies in]
    #[arg(long, value_name = "DIR | S3 URI")]
    lake: Option<Place>,
    /// Registry that has components and specs by digest
    #[arg(long, value_name = "DIR | S3 URI")]
    registry: Option<Place>,
    /// Table, where the spec names none
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

/// What is to be proven.
struct Promise {
    receipt: Receipt,
    record: Option<CommitRecord>,
    table: Option<String>,
}

/// Where the pieces come from.
struct Pieces {
    lake: Option<NamedLake>,
    registry: Option<Registry>,
}

/// Runs `verify`.
pub fn run(args: &VerifyArgs, context: &Context) -> Outcome {
    let promise = read(args)?;
    let mut pieces = Pieces { lake: None, registry: None };
    if let Some(place) = args.lake.clone().or_else(|| lake_around(&args.receipt)) {
        pieces.lake = Some(existing_lake(&place, None)?);
    }
    if let Some(place) = &args.registry {
        pieces.registry = Some(registry_named(place, &Connection::open()?)?);
    }
    let source = source(args, &promise, &pieces)?;
    if source.digest() != promise.receipt.input {
        return Err(differs("input", source.digest(), &promise.receipt.input));
    }
    let transform = transform(args, &promise.receipt, &pieces)?;
    let spec = spec(args, &promise.receipt, &pieces)?;
    let plan = Plan::new(spec, promise.table.clone())?;
    let made = match contracts(&promise.receipt, &pieces)? {
        Some(contracts) => remake(&transform, &source, &plan, contracts, &mut |_| {}),
        None => preview(&transform, &source, &plan, None, &mut |_| {}),
    };
    let made = made.map_err(|error| error.in_file(source.uri()))?;
    Ok(answer(&promise, &made, context))
}

fn answer(promise: &Promise, made: &Preview, context: &Context) -> Answer {
    let (wanted, screen) = (&promise.receipt, context.out);
    let found = &made.receipt;
    let key = |output: &Output| (output.table.clone(), output.partition.clone());
    let mut grid = Grid::new(&["", "table", "partition", ">rows", "promised", "made"]).of(Holds::Names);
    let mut differing = Vec::new();
    let most = wanted.outputs.len().max(found.outputs.len());
    for index in 0..most {
        let (one, other) = (wanted.outputs.get(index), found.outputs.get(index));
        if one == other {
            continue;
        }
        let named = one.or(other).map(key).unwrap_or_default();
        let digest =
            |output: Option<&Output>| output.map_or("none", |output| short(&output.digest)).to_string();
        grid.row(vec![
            Cell::new(Tone::Bad, "differs"),
            Cell::new(Tone::Name, named.0.clone()),
            named.1.clone().into(),
            one.or(other).map_or(0, |output| output.rows).to_string().into(),
            digest(one).into(),
            digest(other).into(),
        ]);
        differing.push(json!({"table": named.0, "partition": named.1, "promised": one, "made": other}));
    }
    let contracts = wanted.contracts == found.contracts;
    let same = differing.is_empty() && contracts;
    let files = count(wanted.outputs.len() as u64, "part file", "part files");
    let mut text = if same {
        format!("{}: {files}, the same to the byte\n", screen.paint(Tone::Good, "proven"))
    } else {
        let many = number(differing.len() as u64);
        format!("{}: {many} of {files} differ\n", screen.paint(Tone::Bad, "not proven"))
    };
    if !contracts {
        text.push_str("  it was made under other contracts; name its lake with --lake\n");
    }
    if !wanted.comparable && promise.record.is_none() {
        let note = "its outputs hold where or when the input came from: they differ wherever that differs";
        text.push_str(&format!("  {}\n", screen.paint(Tone::Warn, note)));
    }
    if !grid.is_empty() {
        text.push_str(&grid.render(screen));
    }
    let exit = if same { Exit::Done } else { Exit::Failed };
    let json = json!({
        "same": same, "files": wanted.outputs.len(), "differ": differing, "contracts_same": contracts,
        "comparable": wanted.comparable,
    });
    Answer { text, json, exit }
}

/// A receipt by itself, inside of a command's JSON, or that of a commit record.
fn read(args: &VerifyArgs) -> Result<Promise, Error> {
    let name = args.receipt.to_string();
    let bytes = read_file(&args.receipt)?;
    let wrong = |why: String| {
        Error::new(Code::NoReceipt, format!("this is no receipt: {why}"))
            .with_hint("a receipt is in the JSON of `lakegate preview --json`, and a commit record holds one")
            .in_file(&*name)
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let table = args.table.clone();
    if value["parts"].is_array() && value["source"].is_object() {
        let record: CommitRecord = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        let table = table.or_else(|| record.table.clone());
        return Ok(Promise { receipt: record.receipt(), record: Some(record), table });
    }
    let inner = if value["receipt"].is_object() { value["receipt"].clone() } else { value };
    let receipt = serde_json::from_value(inner).map_err(|error| wrong(error.to_string()))?;
    Ok(Promise { receipt, record: None, table })
}

/// The lake that a commit record lies in.
fn lake_around(receipt: &Place) -> Option<Place> {
    let whole = receipt.to_string();
    let (lake, _) = whole.split_once(COMMITS)?;
    let lake = if lake.is_empty() { "." } else { lake };
    Some(match receipt {
        Place::Local(_) => lake.into(),
        Place::S3(_) => Place::S3(lake.to_owned()),
    })
}

fn source(args: &VerifyArgs, promise: &Promise, pieces: &Pieces) -> Result<Source, Error> {
    match (&args.input, &promise.record) {
        (Some(place), _) => {
            match &inputs(std::slice::from_ref(place), None)?[..] {
                [input] => Ok(input.open(None)?.digested()?),
                _ => Err(Error::usage("a receipt is of one input, and this is a folder")
                    .in_file(place.to_string())),
            }
        }
        (None, Some(record)) => match &pieces.lake {
            Some(lake) => Ok(source_of(lake, record)?.digested()?),
            None => Source::file(Path::new(&record.source.uri)),
        },
        (None, None) => Err(Error::usage("the receipt does not say where its input is")
            .with_hint("name it with --input FILE")),
    }
}

fn transform(args: &VerifyArgs, receipt: &Receipt, pieces: &Pieces) -> Result<Transform, Error> {
    let sandbox = Sandbox::new(Limits::default())?;
    let digest = receipt.component.as_str();
    if let Some(path) = &args.transform {
        let transform = Transform::from_file(&sandbox, path)?;
        return if transform.digest() == digest {
            Ok(transform)
        } else {
            Err(differs("component", transform.digest(), digest))
        };
    }
    if Transform::shipped_digest() == Some(digest) {
        return Transform::shipped(&sandbox);
    }
    let Some(registry) = &pieces.registry else {
        return Err(missing("component", digest, "--transform FILE or --registry DIR"));
    };
    let blob = Blob { digest: digest.into(), bytes: 0 };
    let bytes = registry.blob(&blob, "the component")?;
    Transform::from_bytes(&sandbox, digest, &bytes)
}

fn spec(args: &VerifyArgs, receipt: &Receipt, pieces: &Pieces) -> Result<String, Error> {
    let digest = receipt.spec.as_str();
    if let Some(path) = &args.spec {
        let bytes = read_file(path)?;
        let text = String::from_utf8(bytes).map_err(|_| differs("spec", "no text", digest))?;
        let found = sha256(text.as_bytes());
        return if found == digest { Ok(text) } else { Err(differs("spec", &found, digest)) };
    }
    if digest == sha256(b"") {
        return Ok(String::new());
    }
    if let Some(lake) = &pieces.lake
        && let Some(text) = lake.spec_text(digest)?
    {
        return Ok(text);
    }
    if let Some(registry) = &pieces.registry {
        let blob = Blob { digest: digest.into(), bytes: 0 };
        let bytes = registry.blob(&blob, "the spec")?;
        return String::from_utf8(bytes).map_err(|_| differs("spec", "no text", digest));
    }
    Err(missing("spec", digest, "--spec FILE, --lake DIR or --registry DIR"))
}

/// The contracts by digest; `None` where they are not to be had, and so are learned again.
fn contracts(receipt: &Receipt, pieces: &Pieces) -> Result<Option<Vec<TableContract>>, Error> {
    let Some(lake) = &pieces.lake else { return Ok(None) };
    let mut contracts = Vec::new();
    for (table, digest) in &receipt.contracts {
        let Some(text) = lake.contract_text(digest)? else {
            return Ok(None);
        };
        contracts.push(TableContract { table: table.clone(), text });
    }
    Ok(Some(contracts))
}

fn missing(what: &str, digest: &str, how: &str) -> Error {
    Error::new(Code::PieceMissing, format!("the {what} {digest} is not to be had here"))
        .with_hint(format!("name it with {how}"))
}

fn differs(what: &str, found: &str, wanted: &str) -> Error {
    Error::new(Code::PieceDiffers, format!("this {what} has the digest {found}, the receipt names {wanted}"))
        .with_hint(format!("name the {what} that the receipt was made from"))
}
