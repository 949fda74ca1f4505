//! `lakegate stack init`: a folder to begin with.
//!
//! Not for rendering it. The decision to know: what it writes are the project's own examples, which the tests deploy,
//! so that a beginner's first stack is one that was tried.

use crate::context::Context;
use crate::scaffold::{is_free, write};
use crate::show::output::{Answer, Outcome};
use crate::show::render::Tone;
use clap::{Args, ValueEnum};
use lakegate_base::{Code, Error, Result};
use ring::rand::SecureRandom;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `stack init`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate stack init my-lake                              orders: JSON in, one row a product, tables in Glue
  lakegate stack init my-lake --like sales                 CSV through a state machine and a crawler
  lakegate stack init my-lake --raw acme-raw --lake acme-lake
  cd my-lake && lakegate stack render")]
pub(super) struct InitArgs {
    /// Name of the stack and of the folder: lower-case letters, digits and `-`, a letter first
    name: String,
    /// The example to begin with
    #[arg(long, value_name = "EXAMPLE", default_value = "orders")]
    like: Like,
    /// Folder to make [default: the name]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Bucket of raw files [default: NAME-raw- and six random characters]
    #[arg(long, value_name = "BUCKET")]
    raw: Option<String>,
    /// Bucket of the tables [default: NAME-lake- and the same characters]
    #[arg(long, value_name = "BUCKET")]
    lake: Option<String>,
}

/// The five pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Like {
    /// Nested orders, one row a product; tables in Glue
    Orders,
    /// The same into eleven columns; the bucket calls the function, a crawler makes the table
    OrdersStaged,
    /// Without a spec; part files that arrive start the crawler
    CrawlerOnArrival,
    /// Declared types, two tables, checks, quarantine, lineage, an alarm when nothing comes
    OrdersContract,
    /// CSV by day through a state machine, partitioned by day; success is told when it can be queried
    Sales,
}

/// Texts of an example: name below the folder and text.
type Files = Vec<(&'static str, String)>;

macro_rules! example {
    ($path:literal) => {
        include_str!(concat!("../../../../../tests/examples/", $path))
    };
}

impl Like {
    /// The configuration's template.
    fn configuration(self) -> &'static str {
        match self {
            Self::Orders => include_str!("like/orders.toml"),
            Self::OrdersStaged => include_str!("like/orders-staged.toml"),
            Self::CrawlerOnArrival => include_str!("like/crawler-on-arrival.toml"),
            Self::OrdersContract => include_str!("like/orders-contract.toml"),
            Self::Sales => include_str!("like/sales.toml"),
        }
    }

    /// Spec and questions.
    fn files(self) -> Files {
        let plain = |name, text: &str| (name, text.to_owned());
        match self {
            Self::Orders => {
                vec![
                    plain("orders.toml", example!("orders/transform.toml")),
                    plain("orders.sql", example!("orders/queries.sql")),
                ]
            }
            Self::OrdersStaged => vec![
                plain("orders.toml", example!("orders-staged/transform.toml")),
                plain("orders.sql", example!("orders-staged/queries.sql")),
            ],
            Self::CrawlerOnArrival => vec![plain("orders.sql", example!("orders-auto/queries.sql"))],
            Self::OrdersContract => vec![
                plain("orders.toml", example!("orders-contract/transform.toml")),
                plain("orders.sql", example!("orders-contract/queries.sql")),
            ],
            Self::Sales => {
                // The table has the name that the pipeline it is like gives it.
                let spec = example!("sales/transform.toml")
                    .replace("name = \"sales\"", "name = \"processed_orders\"");
                let questions = example!("sales/queries.sql").replace("FROM sales", "FROM processed_orders");
                vec![("sales.toml", spec), ("sales.sql", questions)]
            }
        }
    }

    /// A sample, and its key below the source.
    fn sample(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Orders => (
                "orders_ETL.json",
                "orders_json_incoming/orders_ETL.json",
                example!("orders/orders_ETL.json"),
            ),
            Self::OrdersStaged => (
                "orders-1.json",
                "raw_orders_data/orders-1.json",
                example!("orders-staged/raw_orders_data/orders-1.json"),
            ),
            Self::CrawlerOnArrival => {
                ("orders.json", "orders/orders.json", example!("orders-auto/orders.json"))
            }
            Self::OrdersContract => {
                ("orders.ndjson", "orders/orders.ndjson", example!("orders-contract/orders.ndjson"))
            }
            Self::Sales => (
                "sales_orders.csv",
                "sales/orders/ingest_date=2025-01-05/sales_orders.csv",
                example!("sales/sales/orders/ingest_date=2025-01-05/sales_orders.csv"),
            ),
        }
    }
}

/// Runs `stack init`.
pub(super) fn run(args: &InitArgs, context: &Context) -> Outcome {
    let folder = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let shown = folder.display().to_string();
    is_free(&folder)?;
    let end = random()?;
    let raw = args.raw.clone().unwrap_or_else(|| format!("{}-raw-{end}", args.name));
    let lake = args.lake.clone().unwrap_or_else(|| format!("{}-lake-{end}", args.name));
    let (sample, key, text) = args.like.sample();
    let filled = |text: &str| {
        text.replace("{name}", &args.name)
            .replace("{raw}", &raw)
            .replace("{lake}", &lake)
            .replace("{sample}", sample)
            .replace("{key}", key)
            .replace("{database}", &args.name.replace('-', "_"))
    };
    let configuration = filled(args.like.configuration());
    judge(&configuration, &folder)?;
    let mut files = args.like.files();
    files.push(("lakegate.toml", configuration));
    files.push((sample, text.to_owned()));
    files.push(("README.md", filled(include_str!("like/README.md"))));
    files.push((".gitignore", "/stack/lakegate.zip\n/lake\n".to_owned()));
    for (name, text) in &files {
        write(&folder.join(name), text.as_bytes())?;
    }
    let name = context.out.paint(Tone::Name, &args.name);
    let text = format!(
        "made {name} in {shown}\n\n  cd {shown}\n  lakegate preview {sample}{} --lake here\n  lakegate stack render\n\n\
         README.md there has the next commands.\n",
        if args.like == Like::CrawlerOnArrival { String::new() } else { format!(" --spec {}", files[0].0) }
    );
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let json = json!({"name": args.name, "path": shown, "raw": raw, "lake": lake, "files": names});
    Ok(Answer { text, json, ..Answer::default() })
}

/// A name or bucket that makes no configuration is said before anything is written.
fn judge(configuration: &str, folder: &Path) -> Result<()> {
    let origin = lakegate_config::Origin::File(folder.join(lakegate_config::FILE_NAME));
    let Err(mistakes) = lakegate_config::Config::parse(configuration, &origin) else { return Ok(()) };
    let Some(first) = mistakes.into_iter().next() else { return Ok(()) };
    let error = Error::usage(first.message);
    Err(match first.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}

/// Names of buckets are the whole world's: six characters that nobody has.
fn random() -> Result<String> {
    let mut bytes = [0; 3];
    let failed = |_| Error::new(Code::NoRandomNumbers, "this machine gives no random numbers");
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    Ok(hex::encode(bytes))
}
