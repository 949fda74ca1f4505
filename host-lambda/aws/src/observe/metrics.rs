//! Metrics in CloudWatch's embedded metric format: one JSON line, no API call, no agent.
//!
//! Not for what happened to one object (`stage`): a metric is a number a pipeline. The decision to know:
//! the pipeline is the only dimension. Each further one, such as the key, would be a metric of its own to
//! pay for; who looks for one object has the log.
//!
//! The form is AWS's "Specification: Embedded metric format". Lambda hands lines of standard output to
//! CloudWatch Logs, which takes the numbers out.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use lakegate_base::Kind;

/// Namespace of all metrics.
pub const NAMESPACE: &str = "Lakegate";

/// The one dimension.
pub const DIMENSION: &str = "pipeline";

/// Numbers of one pipeline, from one invocation or one object. What is `None` is not written at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Source objects that were processed, duplicates not among them.
    pub objects: Option<u64>,
    /// Rows in all tables.
    pub rows: Option<u64>,
    /// Bytes of source objects.
    pub bytes_in: Option<u64>,
    /// Bytes of part files.
    pub bytes_out: Option<u64>,
    /// Source records that were read, rejected ones among them.
    pub records: Option<u64>,
    /// Records in quarantine, and accepted ones with values that stay beside their rows.
    pub rejected: Option<u64>,
    /// Objects that were done already.
    pub duplicates: Option<u64>,
    /// Objects that failed for bad input.
    pub failures_input: Option<u64>,
    /// Objects that failed for passing trouble, and are tried again.
    pub failures_passing: Option<u64>,
    /// Objects that failed for our own fault.
    pub failures_own: Option<u64>,
    /// Time inside of calls into the transform, of objects that failed too: no reading, staging or publishing.
    pub transform_ms: Option<u64>,
    /// From the event's time to queryable.
    pub queue_to_queryable_ms: Option<u64>,
    /// Most memory that the process ever had, see [`memory_high_water`].
    pub memory_high_water_bytes: Option<u64>,
    /// Releases that took over in this process.
    pub swap_count: Option<u64>,
    /// 1 for each object while the newest document of the channel cannot be used.
    pub swap_failures: Option<u64>,
    /// Generations that were committed and are lost.
    pub lost_generations: Option<u64>,
    /// Objects that the shadow release would have made otherwise.
    pub shadow_differences: Option<u64>,
    /// Runs whose lineage could not be written.
    pub lineage_failures: Option<u64>,
    /// Source objects that are done and could not be tagged.
    pub tag_failures: Option<u64>,
    /// Objects of the source that are not in the tables, of those that a check looked at.
    pub missing_objects: Option<u64>,
    /// Objects in the tables that are not in the source, of those that a check looked at.
    pub gone_objects: Option<u64>,
    /// How long ago the newest load was done.
    pub seconds_since_last_load: Option<u64>,
}

impl Metrics {
    /// One object failed.
    pub fn failed(kind: Kind) -> Self {
        let mut metrics = Self::default();
        match kind {
            Kind::Input => metrics.failures_input = Some(1),
            Kind::Passing => metrics.failures_passing = Some(1),
            Kind::Own => metrics.failures_own = Some(1),
        }
        metrics
    }

    /// Name, unit and number of each.
    fn all(&self) -> [(&'static str, &'static str, Option<u64>); 22] {
        [
            ("objects", "Count", self.objects),
            ("rows", "Count", self.rows),
            ("bytesIn", "Bytes", self.bytes_in),
            ("bytesOut", "Bytes", self.bytes_out),
            ("records", "Count", self.records),
            ("rejected", "Count", self.rejected),
            ("duplicates", "Count", self.duplicates),
            ("failuresInput", "Count", self.failures_input),
            ("failuresPassing", "Count", self.failures_passing),
            ("failuresOwn", "Count", self.failures_own),
            ("transformMs", "Milliseconds", self.transform_ms),
            ("queueToQueryableMs", "Milliseconds", self.queue_to_queryable_ms),
            ("memoryHighWaterBytes", "Bytes", self.memory_high_water_bytes),
            ("swapCount", "Count", self.swap_count),
            ("swapFailures", "Count", self.swap_failures),
            ("lostGenerations", "Count", self.lost_generations),
            ("shadowDifferences", "Count", self.shadow_differences),
            ("lineageFailures", "Count", self.lineage_failures),
            ("tagFailures", "Count", self.tag_failures),
            ("missingObjects", "Count", self.missing_objects),
            ("goneObjects", "Count", self.gone_objects),
            ("secondsSinceLastLoad", "Seconds", self.seconds_since_last_load),
        ]
    }

    /// The line without its end; `None` if there is nothing to tell. `at_ms` is when it was measured: CloudWatch
    /// takes two weeks of the past and two hours of the future.
    pub fn line(&self, pipeline: &str, at_ms: i64) -> Option<String> {
        let told = || self.all().into_iter().filter_map(|(name, unit, value)| Some((name, unit, value?)));
        let definitions: Vec<Value> =
            told().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        if definitions.is_empty() {
            return None;
        }
        let mut line = Map::new();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions});
        line.insert("_aws".into(), json!({"Timestamp": at_ms, "CloudWatchMetrics": [directive]}));
        line.insert(DIMENSION.into(), pipeline.into());
        line.extend(told().map(|(name, _, value)| (name.to_owned(), value.into())));
        Some(Value::Object(line).to_string())
    }

    /// Writes the line, in one call, so that it never mixes with another.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn Write, pipeline: &str, at_ms: i64) -> io::Result<()> {
        let Some(mut line) = self.line(pipeline, at_ms) else { return Ok(()) };
        line.push('\n');
        out.write_all(line.as_bytes())?;
        out.flush()
    }
}

/// Most bytes of memory that this process ever had at once (`VmHWM`); `None` where the system does not tell.
/// A warm function keeps the highest of all its objects: that is what its memory size must hold.
pub fn memory_high_water() -> Option<u64> {
    high_water(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
