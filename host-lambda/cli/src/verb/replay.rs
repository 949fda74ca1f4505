//! `lakegate replay`: history again, with a release that is named.

use crate::args::lake::{existing_lake, open_lake};
use crate::args::registry::{KeyArg, LakesArg, Opened, RegistryArg, check_name, open, parse_version};
use crate::context::Context;
use crate::place::Place;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::problem;
use crate::show::progress::Steps;
use crate::show::render::{Screen, Tone, count, number, visible};
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::lake::Lake;
use lakegate_release::{Release, Wanted, replay, seed, wanted};
use serde_json::json;

/// Arguments of `replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate replay orders --from s3://raw/orders/2025/ --release 1.3.0               in place
  lakegate replay orders --release 1.2.0 --into check --lake lake                   beside, to compare
  lakegate replay orders --written-by 1.3.0 --release 1.2.0 --dry-run

Each source object is read in exactly the version that its commit record names, and becomes its next generation; in place, the files of the generation before then go. Under the release that made it, an object comes out with the same bytes, which is checked and said.")]
pub struct ReplayArgs {
    /// Name of the releases
    #[arg(value_name = "NAME")]
    name: String,
    /// Version that makes it again
    #[arg(long, value_name = "VERSION")]
    release: String,
    /// Only source objects below this place: s3://BUCKET/PREFIX, a folder or a file [default: all]
    #[arg(long, value_name = "PLACE")]
    from: Option<Place>,
    /// Only what this version wrote
    #[arg(long, value_name = "VERSION")]
    written_by: Option<String>,
    /// A lake beside, in a folder or at an S3 URI, instead of in place
    #[arg(long, value_name = "DIR | S3 URI")]
    into: Option<Place>,
    /// Say what would be made again; make nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArg,
    #[command(flatten)]
    key: KeyArg,
    #[command(flatten)]
    lakes: LakesArg,
}

/// Runs `replay`.
pub fn run(args: &ReplayArgs, context: &Context) -> Outcome {
    check_name(&args.name)?;
    let version = parse_version(&args.release)?;
    let written_by = args.written_by.as_deref().map(parse_version).transpose()?;
    let opened = open(&args.name, &args.registry, &args.key, &args.lakes)?;
    let release = opened.loader()?.load(&args.name, &version)?;
    let lakes = lakes(&opened, &args.lakes)?;
    if lakes.is_empty() {
        return Err(Error::usage(format!(
            "no pipeline follows the channel {}, and no lake is named",
            args.name
        ))
        .with_hint("name the lake with --lake DIR or S3 URI, or the configuration with --config FILE"));
    }
    let into = match &args.into {
        Some(place) => Some(open_lake(place, args.lakes.config.as_deref())?.writable()?),
        None => None,
    };
    if let Some(lake) = into.as_deref().and_then(|into| lakes.iter().find(|(_, lake)| is_same(lake, into))) {
        return Err(Error::usage(format!("--into names the lake {} itself", lake.1.root()))
            .with_hint("leave --into away to make it again in place, or name another folder"));
    }
    let from = args.from.as_ref().map(canonical).unwrap_or_default();
    let mut total = Total::default();
    let mut text = String::new();
    for (pipeline, lake) in &lakes {
        let which = Wanted { from: from.clone(), written_by: written_by.clone(), pipeline: pipeline.clone() };
        let states = wanted(lake, &which, &release, into.is_none())?;
        if args.dry_run {
            total.objects += states.len() as u64;
            for state in &states {
                text.push_str(&format!("  {}\n", visible(&state.record.source.uri)));
            }
            continue;
        }
        if let Some(into) = &into {
            seed(lake, into)?;
        }
        let steps = Steps::new(context.err);
        for (done, state) in states.iter().enumerate() {
            steps.update(&state.record.source.uri, done as u64, states.len() as u64);
            let replayed = replay(lake, into.as_deref(), &release, state);
            total.objects += 1;
            match &replayed.result {
                Ok(outcome) => {
                    total.rows += outcome.report.tables.iter().map(|table| table.rows_out).sum::<u64>();
                    total.rejected += outcome.report.rejected;
                    total.same += u64::from(replayed.same_bytes);
                }
                Err(error) => {
                    total.failed += 1;
                    let shown = problem::render(&error.clone().in_file(&*replayed.source), context.out);
                    text.push_str(&shown);
                }
            }
        }
        steps.finish();
    }
    Ok(total.answer(&release, args, &text, context.out))
}

#[derive(Default)]
struct Total {
    objects: u64,
    rows: u64,
    rejected: u64,
    failed: u64,
    same: u64,
}

impl Total {
    fn answer(&self, release: &Release, args: &ReplayArgs, more: &str, screen: Screen) -> Answer {
        let id = screen.paint(Tone::Name, &release.id());
        let objects = count(self.objects, "object", "objects");
        let place = args.into.as_ref().map_or_else(|| "in place".to_owned(), |into| format!("into {into}"));
        let text = if args.dry_run {
            format!("{id} would make {objects} again, {place}\n{more}")
        } else {
            let made = self.objects - self.failed;
            format!(
                "{id} made {} again, {place}: {}, {} rejected; {} of them with the bytes they had before\n{more}",
                count(made, "object", "objects"),
                count(self.rows, "row", "rows"),
                number(self.rejected),
                number(self.same)
            )
        };
        let exit = match (self.failed, self.rejected) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Rejected,
            _ => Exit::Failed,
        };
        let json = json!({
            "release": release.id(), "into": args.into.as_ref().map(Place::to_string), "dry_run": args.dry_run, "objects": self.objects,
            "rows": self.rows, "rejected": self.rejected, "failed": self.failed, "same_bytes": self.same,
        });
        Answer { text, json, exit }
    }
}

/// The pipelines' lakes, connected to their catalogs and sources, and the one that is named.
fn lakes(opened: &Opened, named: &LakesArg) -> Result<Vec<(Option<String>, Lake)>, Error> {
    let connected = opened.followers.connected_lakes(&opened.connection, || opened.loader())?;
    let mut lakes: Vec<_> = connected.into_iter().map(|(name, lake)| (Some(name), lake)).collect();
    if let Some(place) = &named.lake {
        lakes.push((None, existing_lake(place, named.config.as_deref())?.lake()));
    }
    Ok(lakes)
}

/// Whether two lakes are one, whatever links lead there.
fn is_same(one: &Lake, other: &Lake) -> bool {
    let place = |lake: &Lake| {
        let root = lake.root().trim_end_matches('/').to_owned();
        std::fs::canonicalize(&root).map_or(root, |path| path.display().to_string())
    };
    place(one) == place(other)
}

/// A local place as commit records have it.
fn canonical(place: &Place) -> String {
    let path = match place {
        Place::S3(uri) => return uri.clone(),
        Place::Local(path) => path,
    };
    match std::fs::canonicalize(path) {
        // `raw` must not take `raw_old/` too.
        Ok(path) if path.is_dir() => format!("{}/", path.display()),
        Ok(path) => path.display().to_string(),
        Err(_) => place.to_string(),
    }
}
