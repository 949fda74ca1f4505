//! `lakegate preview`: what `run` would make, in the terminal.
//!
//! For: looking before anything is written. Not for: Parquet that exists already (`inspect`). The decision to
//! know: the whole input goes through the same transform as in `run`, into temporary files, so what
//! is shown (rows, digests, rejects) is what would be written and not an estimate from a sample.

use crate::args::inputs::{inputs, is_prefix};
use crate::args::lake::{LakeArg, NamedLake};
use crate::args::plans::Plans;
use crate::args::transform::{Pick, TransformArg};
use crate::cloud;
use crate::context::Context;
use crate::place::{Place, bucket_and_key};
use crate::show::contract_view::ContractView;
use crate::show::flow::{Flow, exploded};
use crate::show::made::lake_flag;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::progress::Bar;
use crate::show::reasons::Reasons;
use crate::show::render::{Cell, Grid, Screen, Tone, count, number, size, visible};
use crate::show::rows::Rows;
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::record::ReleaseRecord;
use lakegate_lake::run;
use lakegate_lake::run::{Plan, Preview};
use lakegate_lake::source::Source;
use lakegate_sandbox::Transform;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::path::PathBuf;

/// Part files and rejects listed before a list is cut.
const LISTED: usize = 10;

/// Arguments of `preview`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate preview orders.json                         with the spec that `init` would propose
  lakegate preview orders.json --spec orders.toml      with a spec
  lakegate preview orders.json --rows 50
  lakegate preview s3://raw/orders/x.json --lake s3://acme-lake/sales/
  lakegate preview orders.json --json | jq .receipt    digests of what `run` would write")]
pub struct PreviewArgs {
    /// File, s3:// object, or `-` for standard input
    #[arg(value_name = "INPUT")]
    input: Place,
    /// Spec to follow (transform.toml)
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    /// Table to show, when the spec names none [default: the file's stem]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// How many rows of each table to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
    #[command(flatten)]
    lake: LakeArg,
    #[command(flatten)]
    transform: TransformArg,
}

/// One table of the preview.
struct Table {
    name: String,
    view: ContractView,
    rows: Rows,
}

/// Runs `preview`.
pub fn run(args: &PreviewArgs, context: &Context) -> Outcome {
    let many = match &args.input {
        Place::Local(path) => path.is_dir().then_some("folder"),
        Place::S3(uri) => is_prefix(bucket_and_key(uri)?.1).then_some("prefix"),
    };
    if let Some(many) = many {
        return Err(Error::usage(format!("a preview is of one file, and this is a {many}"))
            .with_hint(format!("name one of its files; `lakegate init {}` looks at all of them", args.input))
            .in_file(args.input.to_string()));
    }
    let found = inputs(std::slice::from_ref(&args.input), None)?;
    let Some(input) = found.first() else { return Err(Error::usage("there is no input")) };
    // A lake that exists has contracts that `run` would keep to; none is made for a preview.
    let name = input.name();
    let bar = Bar::new(context.err, input.bytes(), 1);
    let source = input.open(args.table.as_deref())?;
    let (transform, plan, lake) = told(args, &source)?;
    let preview = run::preview(&transform, &source, &plan, lake.as_deref(), &mut |progress| {
        bar.update(&name, &progress)
    })
    .map_err(|error| {
        problem::in_input_or_spec(error, &name, args.spec.as_ref().map(Place::shown).as_deref())
    });
    bar.finish();
    let preview = preview.map_err(|problem| {
        if problem.code() != Code::TooManyRejected {
            return problem;
        }
        let flag = lake.as_ref().map(|lake| lake_flag(&lake.shown)).unwrap_or_default();
        let advice = problem.rejected().and_then(|rejected| Reasons::of(rejected).advice(&flag));
        problem.with_hint(
            advice.unwrap_or("if so many are expected, raise max_rejected in [output] of the spec".into()),
        )
    })?;
    let tables = tables(&preview, args.rows)?;
    let flag = lake.as_ref().map(|lake| lake_flag(&lake.shown)).unwrap_or_default();
    let exit = if preview.report.rejected > 0 { Exit::Rejected } else { Exit::Done };
    let text = text(
        &name,
        &preview,
        &tables,
        (&note(plan.release.as_ref(), lake.as_ref().map(|lake| &lake.shown)), &flag),
        context.out,
    );
    Ok(Answer { text, json: to_json(&preview, &tables, plan.release.as_ref(), &flag), exit })
}

/// What `run` would do with it, and the lake that it would go to: as its pipeline says, where nothing else does.
fn told(args: &PreviewArgs, source: &Source) -> Result<(Transform, Plan, Option<NamedLake>), Error> {
    let told = args.spec.is_some() || args.table.is_some() || args.transform.is_set();
    if told && args.lake.through.pipeline.is_some() {
        return Err(Error::usage("a pipeline says itself what to do with an object")
            .with_hint("leave --pipeline away, or --spec, --table, --transform and --registry"));
    }
    let by_hand = told || args.lake.lake.is_some();
    if !by_hand
        && source.uri().starts_with("s3://")
        && let Some((transform, plan, lake)) = cloud::planned(
            source.uri(),
            args.lake.through.pipeline.as_deref(),
            args.lake.through.config.as_deref(),
        )?
    {
        let through = args.lake.through.clone();
        return Ok((transform, plan, LakeArg { lake: Some(lake), through }.if_there()?));
    }
    let lake = args.lake.if_there()?;
    let chosen = args.transform.choose(None, None)?;
    chosen.check_alone(args.spec.as_ref(), args.table.as_deref())?;
    let Pick { transform, plan, .. } = chosen.of(source, false)?;
    let plan = match plan {
        Some(plan) => plan,
        None => Plans::new(args.spec.as_ref(), args.table.as_deref(), false)?.of(source)?,
    };
    Ok((transform, plan, lake))
}

fn tables(preview: &Preview, limit: usize) -> Result<Vec<Table>, Error> {
    let mut tables = Vec::new();
    for contract in &preview.contracts {
        let mut rows = Rows::default();
        for part in preview.parts.iter().filter(|part| part.table == contract.table) {
            if rows.len() >= limit {
                break;
            }
            let name = part.file.display().to_string();
            let file = File::open(&part.file).map_err(|error| Error::io(&name, error))?;
            rows.add(file, &part.partition, limit)?;
        }
        let view = ContractView::parse(&contract.text)?;
        tables.push(Table { name: contract.table.clone(), view, rows });
    }
    Ok(tables)
}

/// What would make it where.
fn note(release: Option<&ReleaseRecord>, lake: Option<&PathBuf>) -> String {
    let by = release.map(|release| format!("by {}; ", release.shown())).unwrap_or_default();
    let lake = lake.map(|lake| format!("as `run` would make it in the lake {}; ", lake.display()));
    format!("{by}{}nothing was written", lake.unwrap_or_default())
}

fn text(
    name: &str,
    preview: &Preview,
    tables: &[Table],
    (note, flag): (&str, &str),
    screen: Screen,
) -> String {
    let report = &preview.report;
    let flow = Flow::of(report).line(screen);
    let mut text = format!("{}: {flow}\n", screen.paint(Tone::Name, &visible(name)));
    text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, note)));
    for table in tables {
        text.push_str(&table_text(table, preview, screen));
    }
    let reasons = Reasons::of(&preview.rejected);
    text.push_str(&reasons.table("Rejected records", false, screen));
    text.push_str(&reasons.drift(flag, screen));
    if !report.warnings.is_empty() {
        text.push_str(&format!("\n{}\n", screen.paint(Tone::Bold, "Worth knowing")));
        for warning in &report.warnings {
            text.push_str(&format!("  {} {}\n", screen.paint(Tone::Warn, "!"), visible(&warning.message)));
        }
    }
    text
}

fn table_text(table: &Table, preview: &Preview, screen: Screen) -> String {
    let report = preview.report.tables.iter().find(|report| report.table == table.name);
    let (made, out, filtered) =
        report.map_or((0, 0, 0), |report| (report.rows_made, report.rows_out, report.filtered));
    let told = match &table.view.rows {
        Some(array) => visible(&exploded(preview.report.accepted, made, out, array)),
        None if filtered > 0 => {
            let rows = count(out, "row", "rows");
            format!("{rows} ({} made, {} filtered)", number(made), number(filtered))
        }
        None => count(out, "row", "rows"),
    };
    let (title, name) = (screen.paint(Tone::Bold, "Table"), screen.paint(Tone::Name, &table.name));
    let mut text = format!("\n{title} {name}: {told}\n");
    if table.rows.len() > 0 {
        text.push_str(&table.rows.render(screen));
        let shown = table.rows.len() as u64;
        if out > shown {
            let more = format!("… and {} (--rows N)", count(out - shown, "more row", "more rows"));
            text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &more)));
        }
    }
    text.push_str(&format!("\n{}\n{}", screen.paint(Tone::Bold, "Columns"), table.view.render(screen)));
    let parts: Vec<_> = preview.parts.iter().filter(|part| part.table == table.name).collect();
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    text.push_str(&format!(
        "\n{} {}, {}\n",
        screen.paint(Tone::Bold, "Part files:"),
        number(parts.len() as u64),
        size(bytes)
    ));
    let mut grid = Grid::new(&["partition", ">rows", ">bytes", "digest"]);
    for part in parts.iter().take(LISTED) {
        let partition = if part.partition.is_empty() { "(none)" } else { &part.partition };
        grid.row(vec![
            partition.into(),
            number(part.rows).into(),
            size(part.bytes).into(),
            Cell::new(Tone::Dim, crate::show::render::short(&part.digest)),
        ]);
    }
    if !grid.is_empty() {
        text.push_str(&grid.render(screen));
    }
    if parts.len() > LISTED {
        text.push_str(&format!(
            "  … and {}\n",
            count((parts.len() - LISTED) as u64, "more file", "more files")
        ));
    }
    text
}

fn to_json(preview: &Preview, tables: &[Table], release: Option<&ReleaseRecord>, flag: &str) -> Value {
    let reasons = Reasons::of(&preview.rejected);
    let report = &preview.report;
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            let counts = report.tables.iter().find(|counts| counts.table == table.name);
            let parts: Vec<Value> = preview
                .parts
                .iter()
                .filter(|part| part.table == table.name)
                .map(|part| {
                    json!({"partition": part.partition, "rows": part.rows, "bytes": part.bytes, "digest": part.digest})
                })
                .collect();
            let mut object = json!({
                "table": table.name, "columns": columns(&table.view.columns),
                "partition_by": columns(&table.view.partition_by), "rows_path": table.view.rows,
                "parts": parts, "rows": table.rows.json(),
            });
            if let (Some(object), Some(counts)) = (object.as_object_mut(), counts) {
                object.insert("rows_made".to_owned(), counts.rows_made.into());
                object.insert("rows_out".to_owned(), counts.rows_out.into());
                object.insert("filtered".to_owned(), counts.filtered.into());
            }
            object
        })
        .collect();
    json!({
        "records": report.records, "accepted": report.accepted, "rejected": report.rejected,
        "format": report.format, "compression": report.compression, "tables": tables,
        "rejects": report.rejects, "reasons": reasons.reasons_json(), "drift": reasons.drift_json(flag),
        "quarantine": preview.quarantine, "warnings": report.warnings,
        "checks": report.checks, "spec": preview.spec, "receipt": preview.receipt, "passes": preview.passes,
        "release": release.map(ReleaseRecord::id), "document": release.and_then(|release| release.sequence),
    })
}

fn columns(entries: &[crate::show::contract_view::Entry]) -> Value {
    let object = |entry: &crate::show::contract_view::Entry| {
        let pairs = [
            ("name", entry.name.clone()),
            ("athena", entry.athena()),
            ("parquet", entry.parquet()),
            ("from", entry.from().to_owned()),
        ];
        Value::Object(
            pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect::<Map<_, _>>(),
        )
    };
    entries.iter().map(object).collect()
}
