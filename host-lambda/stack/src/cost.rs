//! What a configuration costs a month, from measured work and the prices of the repository.
//!
//! Not a bill: no free tier, no discount, one region, no reader's queries. Decisions to know:
//!
//! * Each line is a quantity times a price, both shown, so that whoever doubts one can put another in its place.
//! * What was not measured or not looked up is marked in the line that uses it.

use serde::Serialize;

use lakegate_base::Result;
use lakegate_config::{Catalog, Config, ContractWish, Pipeline, Stack, Told, Trigger};

use crate::prices::Prices;
use crate::triggers::BATCH;
use crate::work::{GIB, Measured, Pace};
use crate::{Surroundings, render, values};

/// The line of crawlers.
pub const CRAWLERS: &str = "runs of crawlers";
/// A part of an upload, and a range of a read.
const PART: f64 = 8.0 * 1_048_576.0;
/// Runs of a crawler that one after the other fit into a month, at ten minutes.
const MOST_RUNS: f64 = 30.0 * 24.0 * 6.0;
/// Metrics that an object of every pipeline brings, those that a comparison with the source does, and those of a channel.
/// Failures have metrics of their own, which cost nothing in the hours without one.
const METRICS: f64 = 9.0;
const COMPARED_METRICS: f64 = 2.0;
const CHANNEL_METRICS: f64 = 2.0;
const MONTH_SECONDS: f64 = 30.0 * 24.0 * 3_600.0;
/// State transitions of an execution that registers at once, and of one that waits for a crawler.
const TRANSITIONS: f64 = 4.0;
const CRAWL_TRANSITIONS: f64 = 16.0;

/// What comes in a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// GiB of raw bytes.
    pub gib: f64,
    /// Objects.
    pub objects: f64,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What for.
    pub what: String,
    /// How many units.
    pub quantity: f64,
    /// The unit.
    pub unit: String,
    /// Dollars for one.
    pub price: f64,
    /// Dollars in all.
    pub dollars: f64,
    /// Whether the price was looked up.
    pub looked_up: bool,
}

/// What a month costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Where the prices hold.
    pub region: String,
    /// All that costs.
    pub lines: Vec<Line>,
    /// All of it.
    pub dollars: f64,
    /// Figures that nobody measured.
    pub assumed: Vec<String>,
}

/// What a month costs in which so much comes, divided evenly among the pipelines.
///
/// # Errors
/// There is no `[stack]`.
pub fn cost(config: &Config, load: Load) -> Result<Cost> {
    let stack = config.stack.as_ref().ok_or_else(crate::no_stack)?;
    let (prices, measured) = (Prices::read()?, Measured::read()?);
    let count = config.pipelines.len().max(1) as f64;
    let share = Load { gib: load.gib / count, objects: load.objects / count };
    let mut bill = Bill { prices: &prices, lines: Vec::new() };
    for pipeline in config.pipelines.values() {
        of_pipeline(&mut bill, &measured, stack, pipeline, share)?;
    }
    for pipeline in config.pipelines.values() {
        bill.add("metrics", "cloudwatch_metric_month", metrics(stack, pipeline))?;
    }
    bill.add("alarms", "cloudwatch_alarm_month", alarms(config)?)?;
    let logs = load.objects * measured.of("log_bytes_per_object")? / GIB;
    bill.add("logs", "cloudwatch_log_gib", logs)?;
    let stored = load.gib * (1.0 + measured.of("parquet_bytes_per_raw_byte")?);
    bill.add("raw files and tables, of this month", "s3_gib_month", stored)?;
    let dollars = bill.lines.iter().map(|line| line.dollars).sum();
    Ok(Cost { region: prices.region.clone(), lines: bill.lines, dollars, assumed: measured.assumed() })
}

/// Alarms of the template.
fn alarms(config: &Config) -> Result<f64> {
    let rendered = render(config, &Surroundings::default())?;
    let template = rendered.files.get("template.yaml").map_or("", String::as_str);
    let alarms = values(template)?.values().filter(|one| one["Type"] == "AWS::CloudWatch::Alarm").count();
    Ok(alarms as f64)
}

/// Metrics that a pipeline writes in every hour in which something comes.
fn metrics(stack: &Stack, pipeline: &Pipeline) -> f64 {
    let compared = if stack.reconcile_seconds.is_some() { COMPARED_METRICS } else { 0.0 };
    let channel = if matches!(pipeline.told, Told::Channel { .. }) { CHANNEL_METRICS } else { 0.0 };
    METRICS + compared + channel
}

/// Objects of an invocation where so many come in a month, evenly: those of a queue are collected for as long as the
/// pipeline says.
fn batch(pipeline: &Pipeline, objects: f64) -> f64 {
    let collected = objects / MONTH_SECONDS * f64::from(pipeline.batch_seconds.unwrap_or(0));
    if pipeline.trigger.has_queue() { (1.0 + collected).min(f64::from(BATCH)) } else { 1.0 }
}

struct Bill<'p> {
    prices: &'p Prices,
    lines: Vec<Line>,
}

impl Bill<'_> {
    /// Adds a quantity; to the line of that name, if there is one.
    fn add(&mut self, what: &str, price: &str, quantity: f64) -> Result<()> {
        let price = self.prices.of(price)?;
        let dollars = quantity * price.dollars;
        if let Some(line) = self.lines.iter_mut().find(|line| line.what == what) {
            line.quantity += quantity;
            line.dollars += dollars;
            return Ok(());
        }
        self.lines.push(Line {
            what: what.to_owned(),
            quantity,
            unit: price.unit.clone(),
            price: price.dollars,
            dollars,
            looked_up: price.source.is_some(),
        });
        Ok(())
    }
}

fn of_pipeline(
    bill: &mut Bill<'_>,
    measured: &Measured,
    stack: &Stack,
    pipeline: &Pipeline,
    load: Load,
) -> Result<()> {
    let learned = pipeline.contract == ContractWish::Learn;
    let batches = load.objects / batch(pipeline, load.objects);
    let seconds = Pace::of(stack, measured, learned)?.seconds(load.objects, batches, load.gib * GIB);
    let second = format!("lambda_gib_second_{}", stack.architecture.name());
    bill.add("the function's time", &second, seconds * f64::from(stack.memory_mib) / 1_024.0)?;
    bill.add("invocations", "lambda_request", batches)?;
    let writes = measured.of("s3_writes_per_object")?;
    let parts = load.gib * measured.of("parquet_bytes_per_raw_byte")? * GIB / PART;
    bill.add("writes to S3", "s3_write", load.objects * writes + parts)?;
    let reads = measured.of("s3_reads_per_object")?;
    let passes = if learned { 2.0 } else { 1.0 };
    bill.add("reads from S3", "s3_read", load.objects * reads + passes * load.gib * GIB / PART)?;
    match pipeline.trigger {
        Trigger::S3 => {}
        Trigger::Sqs => bill.add("queues", "sqs_request", load.objects + 2.0 * batches)?,
        Trigger::EventBridge => {
            bill.add("queues", "sqs_request", load.objects + 2.0 * batches)?;
            bill.add("events", "eventbridge_event", load.objects)?;
        }
        Trigger::StepFunctions => {
            let crawls = matches!(pipeline.catalog, Catalog::Crawler { .. });
            let transitions = if crawls { CRAWL_TRANSITIONS } else { TRANSITIONS };
            bill.add("events", "eventbridge_event", load.objects)?;
            bill.add("state transitions", "step_functions_transition", transitions * load.objects)?;
        }
    }
    match pipeline.catalog {
        Catalog::Crawler { .. } => bill.add(CRAWLERS, "glue_crawler_run", load.objects.min(MOST_RUNS))?,
        Catalog::Glue { .. } => bill.add("calls of the catalog", "glue_request", load.objects)?,
        Catalog::None => {}
    }
    if crate::policy::topics(pipeline).next().is_some() {
        bill.add("notices", "sns_publish", load.objects)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_config::Origin;

    fn config(more: &str) -> Config {
        let text = format!(
            "[stack]\nname = \"a\"\n{more}[pipeline.x]\nsource = \"s3://raw/\"\ntable = \"x\"\nlake = \"s3://lake/\"\ncontract = \"learn\"\n"
        );
        Config::parse(&text, &Origin::File("lakegate.toml".into())).unwrap()
    }

    #[test]
    fn a_bill_is_the_sum_of_its_lines_and_grows_with_the_load() {
        let of = |gib, objects| cost(&config(""), Load { gib, objects }).unwrap();
        let bill = of(100.0, 10_000.0);
        let sum: f64 = bill.lines.iter().map(|line| line.quantity * line.price).sum();
        assert!((sum - bill.dollars).abs() < 1e-9);
        assert!(of(200.0, 10_000.0).dollars > bill.dollars && of(100.0, 20_000.0).dollars > bill.dollars);
        assert!(
            bill.lines.iter().any(|line| line.looked_up) && bill.lines.iter().any(|line| !line.looked_up)
        );
        assert_eq!(bill.assumed, ["seconds_a_request_waits"]);
    }

    #[test]
    fn objects_that_a_queue_collects_share_invocations_and_wait_together() {
        let of = |more: &str, objects: f64| {
            let pipeline = format!(
                "[stack]\nname = \"a\"\n[pipeline.x]\nsource = \"s3://raw/\"\ntable = \"x\"\nlake = \"s3://lake/\"\ncontract = \"learn\"\n{more}"
            );
            let config = Config::parse(&pipeline, &Origin::File("lakegate.toml".into())).unwrap();
            let bill = cost(&config, Load { gib: 1.0, objects }).unwrap();
            let quantity = |what: &str| bill.lines.iter().find(|line| line.what == what).unwrap().quantity;
            (quantity("invocations"), quantity("the function's time"))
        };
        let queue = "trigger = \"sqs\"\n";
        let (alone, waiting) = of(queue, 1e6);
        let (collected, together) = of(&format!("{queue}batch_seconds = 60\n"), 1e6);
        assert!((alone - 1e6).abs() < 1.0 && (collected - 1e5).abs() < 1.0, "{alone} {collected}");
        assert!(together < waiting / 2.0, "{together} {waiting}");
        // Few come: hardly two of them within the minute.
        let (few, _) = of(&format!("{queue}batch_seconds = 60\n"), 1_000.0);
        assert!(few > 970.0, "{few}");
    }

    #[test]
    fn memory_beyond_a_processor_costs_and_brings_nothing() {
        let dollars = |memory: u32| {
            let config = config(&format!("memory_mib = {memory}\n"));
            let bill = cost(&config, Load { gib: 100.0, objects: 1.0 }).unwrap();
            bill.lines.iter().find(|line| line.what.contains("time")).unwrap().dollars
        };
        assert!((dollars(512) / dollars(1_024) - 1.0).abs() < 0.01);
        assert!(dollars(3_538) > 1.9 * dollars(1_769));
    }
}
