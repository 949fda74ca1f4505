//! `lakegate init`: a spec proposed from samples.
//!
//! For: reading samples and printing the transform's proposal. Not for: writing a lake, or deciding what the
//! spec says (the transform does, the same in every home). The decision to know: standard output holds
//! the spec and nothing else, so that `> transform.toml` is the way to keep it.

mod fix;

use crate::args::inputs::{Input, Named, by_argument};
use crate::args::plans::read_spec;
use crate::args::sample::{self, Sampled};
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::render::{Tone, count, number, size, visible};
use clap::Args;
use fix::Fixed;
use lakegate_base::Error;
use lakegate_lake::run::{Progress, Proposal, propose};
use lakegate_lake::source::default_table;
use serde_json::{Value, json};

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate init orders.json > orders.toml             from one sample
  lakegate init orders.json more/ > orders.toml       from several: types are joined over all of them
  lakegate init s3://raw/orders/ > orders.toml        newest, oldest and some by chance, where there are many
  lakegate init a.csv b.csv --table sales > sales.toml
  lakegate init export.json --fix > orders.toml       changed as its warnings say, where there is one way
  lakegate init new.csv --spec sales.toml --fix       the same of a spec that is there; its comments stay
  lakegate run orders.json --spec orders.toml         with a spec, one pass over the input is enough")]
pub struct InitArgs {
    /// Samples: files, folders (walked; hidden files and those that start with `_` are skipped), s3:// objects and
    /// prefixes, or `-`
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<Place>,
    /// Name of the table [default: the name of the folder, the stem of the first file]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// A spec to begin from
    #[arg(long, value_name = "FILE")]
    spec: Option<Place>,
    /// Change the spec as the warnings say, where there is one way only
    #[arg(long)]
    fix: bool,
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
    let given = read_spec(args.spec.as_ref())?;
    let transform = args.transform.load()?;
    let bar = Bar::new(context.err, inputs.iter().map(Input::bytes).sum(), inputs.len());
    let mut sources = Vec::with_capacity(inputs.len());
    for input in &inputs {
        sources.push(input.open(args.table.as_deref())?);
    }
    let stem = folder.or_else(|| sources.first().map(|source| default_table(source.stem())));
    let table = args.table.as_deref().or(stem.as_deref());
    let proposed = |spec: &str| {
        let mut current = 0;
        let mut before: Option<(String, u64)> = None;
        propose(&transform, &sources, spec, table, &mut |progress| {
            if matches!(progress, Progress::Pass { .. }) {
                if let Some((name, bytes)) = before.take() {
                    bar.done(&name, bytes);
                }
                current += 1;
            }
            if let Some(input) = inputs.get(current.max(1) - 1) {
                before = Some((input.name(), input.bytes()));
                bar.update(&input.name(), &progress);
            }
        })
        .map_err(|error| {
            let input = inputs.get(current.max(1) - 1).map(Input::name).unwrap_or_default();
            problem::in_input_or_spec(error, &input, args.spec.as_ref().map(Place::shown).as_deref())
        })
    };
    let fixed = if args.fix {
        fix::fix(&given, proposed)?
    } else {
        let proposal = proposed(&given)?;
        Fixed { spec: proposal.spec.clone(), proposal, made: Vec::new(), choices: Vec::new() }
    };
    bar.finish();
    bar.say(&note(&fixed, &sampled, inputs.len(), context));
    Ok(Answer { json: json(&fixed, &sampled, inputs.len()), text: fixed.spec, ..Answer::default() })
}

/// What is said beside the spec.
fn note(fixed: &Fixed, sampled: &[Sampled], samples: usize, context: &Context) -> String {
    let Fixed { proposal, made, choices, .. } = fixed;
    let records: u64 = proposal.reports.iter().map(|report| report.records).sum();
    let rejected: u64 = proposal.reports.iter().map(|report| report.rejected).sum();
    let mut note: String = sampled.iter().map(|sampled| sampled.text(size) + "\n").collect();
    note.push_str(&format!(
        "read {} of {}",
        count(records, "record", "records"),
        count(samples as u64, "sample", "samples")
    ));
    if rejected > 0 {
        note.push_str(&format!(", {} of them would be rejected", number(rejected)));
    }
    note.push('\n');
    for fix in made {
        note.push_str(&format!("{} {}\n", context.err.paint(Tone::Good, "+"), visible(&fix.label())));
    }
    for warning in warnings(proposal) {
        note.push_str(&format!("{} {warning}\n", context.err.paint(Tone::Warn, "!")));
    }
    for fixes in choices {
        let ways: Vec<String> = fixes.iter().map(|fix| visible(&fix.label())).collect();
        note.push_str(&format!("  to choose from: {}\n", ways.join(" | ")));
    }
    note.push_str(DEPLOYED);
    note
}

/// Each warning once.
fn warnings(proposal: &Proposal) -> Vec<&str> {
    let warnings = proposal.reports.iter().flat_map(|report| &report.warnings);
    let mut warnings: Vec<&str> = warnings.map(|warning| warning.message.as_str()).collect();
    warnings.sort_unstable();
    warnings.dedup();
    warnings
}

fn json(fixed: &Fixed, sampled: &[Sampled], samples: usize) -> Value {
    let Fixed { spec, proposal, made, choices } = fixed;
    let tables = proposal.contracts.iter().map(|contract| {
        let plan: Value = serde_json::from_str(&contract.text).unwrap_or_default();
        json!({ "table": contract.table, "contract": plan })
    });
    json!({
        "spec": spec,
        "tables": tables.collect::<Vec<_>>(),
        "sampled": sampled.iter().map(Sampled::json).collect::<Vec<_>>(),
        "samples": samples,
        "records": proposal.reports.iter().map(|report| report.records).sum::<u64>(),
        "rejected": proposal.reports.iter().map(|report| report.rejected).sum::<u64>(),
        "warnings": warnings(proposal),
        "fixes": made,
        "choices": choices,
    })
}
