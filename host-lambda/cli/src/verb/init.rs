//! `lakegate init`: a spec proposed from samples.
//!
//! For: reading samples and printing the transform's proposal. Not for: writing a lake, or deciding what the
//! spec says (the transform does, the same in every home). The decision to know: standard output holds
//! the spec and nothing else, so that `> transform.toml` is the way to keep it.

use crate::args::inputs::{Input, Named, by_argument};
use crate::args::sample::{self, Sampled};
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::render::{Tone, count, number, size};
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::run::{Progress, propose};
use lakegate_lake::source::default_table;
use serde_json::{Value, json};

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate init orders.json > orders.toml             from one sample
  lakegate init orders.json more/ > orders.toml       from several: types are joined over all of them
  lakegate init s3://raw/orders/ > orders.toml        newest, oldest and some by chance, where there are many
  lakegate init a.csv b.csv --table sales > sales.toml
  lakegate run orders.json --spec orders.toml         with a spec, one pass over the input is enough")]
pub struct InitArgs {
    /// Samples: files, folders (walked; hidden files and those that start with `_` are skipped), s3:// objects and
    /// prefixes, or `-`
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<Place>,
    /// Name of the table [default: the name of the folder, the stem of the first file]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    transform: TransformArg,
}

/// What a spec that takes in new paths lacks in a pipeline of `lakegate.toml`, whose default it is not.
const DEPLOYED: &str = "deployed, its pipeline says contract = \"learn\"; or each table here says mode = \"freeze\" or \"discard\"\n";

/// What a spec is proposed from.
struct Samples {
    inputs: Vec<Input>,
    /// What was chosen of prefixes with many objects.
    sampled: Vec<Sampled>,
    /// The table of the one folder that was named, as `run` would call it.
    folder: Option<String>,
}

/// The samples; of a prefix with many objects, some of these.
fn samples(args: &InitArgs) -> Result<Samples, Error> {
    let (mut inputs, mut sampled) = (Vec::new(), Vec::new());
    let named = by_argument(&args.inputs, None)?;
    let folder = match &named[..] {
        [Named { folder: Some(folder), .. }] => Some(default_table(folder)),
        _ => None,
    };
    for (place, named) in args.inputs.iter().zip(named) {
        match place {
            Place::S3(uri) if named.folder.is_some() => {
                let (some, chosen) = sample::of(uri, named.inputs);
                inputs.extend(some);
                sampled.extend(chosen);
            }
            _ => inputs.extend(named.inputs),
        }
    }
    Ok(Samples { inputs, sampled, folder })
}

/// Runs `init`.
pub fn run(args: &InitArgs, context: &Context) -> Outcome {
    let Samples { inputs, sampled, folder } = samples(args)?;
    let transform = args.transform.load()?;
    let mut bar = Bar::new(context.err, inputs.iter().map(Input::bytes).sum(), inputs.len());
    let mut sources = Vec::with_capacity(inputs.len());
    for input in &inputs {
        sources.push(input.open(args.table.as_deref())?);
    }
    let stem = folder.or_else(|| sources.first().map(|source| default_table(source.stem())));
    let table = args.table.as_deref().or(stem.as_deref());
    let mut current = 0;
    let mut before = 0;
    let proposal = propose(&transform, &sources, "", table, &mut |progress| {
        if matches!(progress, Progress::Pass { .. }) {
            bar.done(std::mem::take(&mut before));
            current += 1;
        }
        if let Some(input) = inputs.get(current.max(1) - 1) {
            before = input.bytes();
            bar.update(&input.name(), &progress);
        }
    })
    .map_err(|error| {
        problem::in_input_or_spec(
            error,
            &inputs.get(current.max(1) - 1).map(Input::name).unwrap_or_default(),
            None,
        )
    });
    bar.finish();
    let proposal = proposal?;
    let records: u64 = proposal.reports.iter().map(|report| report.records).sum();
    let rejected: u64 = proposal.reports.iter().map(|report| report.rejected).sum();
    let warnings = proposal.reports.iter().flat_map(|report| &report.warnings);
    let mut warnings: Vec<&str> = warnings.map(|warning| warning.message.as_str()).collect();
    warnings.sort_unstable();
    warnings.dedup();
    let mut note: String = sampled.iter().map(|sampled| sampled.text(size) + "\n").collect();
    note.push_str(&format!(
        "read {} of {}",
        count(records, "record", "records"),
        count(inputs.len() as u64, "sample", "samples")
    ));
    if rejected > 0 {
        note.push_str(&format!(", {} of them would be rejected", number(rejected)));
    }
    note.push('\n');
    for warning in &warnings {
        note.push_str(&format!("{} {warning}\n", context.err.paint(Tone::Warn, "!")));
    }
    note.push_str(DEPLOYED);
    bar.say(&note);
    let json = json!({
        "spec": proposal.spec,
        "tables": proposal.contracts.iter().map(|contract| {
            let plan: Value = serde_json::from_str(&contract.text).unwrap_or_default();
            json!({ "table": contract.table, "contract": plan })
        }).collect::<Vec<_>>(),
        "sampled": sampled.iter().map(Sampled::json).collect::<Vec<_>>(), "samples": inputs.len(), "records": records, "rejected": rejected, "warnings": warnings,
    });
    Ok(Answer { text: proposal.spec, json, ..Answer::default() })
}
