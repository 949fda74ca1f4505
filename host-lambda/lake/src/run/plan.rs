//! What the host needs of a spec: table names, `[output]` and nothing else.
//!
//! Not a validator: the transform refuses a wrong spec with line and column before any input is read.
//! The decision to know: reading here is lenient, so that a newer spec meets an older host.

use toml::{Table, Value};

use crate::lake::sha256;
use crate::record::ReleaseRecord;
use crate::source::default_table;
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::{JobOptions, Step, Transform};

/// Rejected records that an object may have: the design's default.
const MAX_REJECTED: MaxRejected = MaxRejected::Share(0.05);

/// When an object with rejected records fails as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaxRejected {
    /// More than this share of its records.
    Share(f64),
    /// More than so many.
    Records(u64),
}

impl MaxRejected {
    pub(crate) fn allows(self, rejected: u64, records: u64) -> bool {
        match self {
            // Counts beyond 2^53 do not happen; the product is exact far beyond what files hold.
            #[allow(clippy::cast_precision_loss)]
            Self::Share(share) => rejected as f64 <= share * records as f64,
            Self::Records(most) => rejected <= most,
        }
    }
}

impl std::fmt::Display for MaxRejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", share * 100.0),
            Self::Records(most) => write!(f, "{most}"),
        }
    }
}

/// What to do with a source object: the spec, and the table if the spec names none.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The spec's text; empty for none.
    pub spec: String,
    /// Name of the table when the spec names none.
    pub table: Option<String>,
    /// Make the next generation even when nothing changed.
    pub rerun: bool,
    /// A version of an object that is done is done, whatever spec and component took it.
    pub by_version: bool,
    /// The release that this plan comes from.
    pub release: Option<ReleaseRecord>,
    pub spec_digest: String,
    pub append: bool,
    pub(crate) max_rejected: MaxRejected,
    tables: Vec<String>,
    pipeline: String,
}

impl Plan {
    /// A plan from a spec (empty for none) and the table that was named beside it. A spec that is no TOML
    /// passes: the transform says what is wrong with it, and where.
    ///
    /// # Errors
    /// `table_ambiguous`: a table beside a spec that names another or several. `table_missing`: none at all.
    pub fn new(spec: impl Into<String>, table: Option<String>) -> Result<Self> {
        let spec = spec.into();
        let parsed: Table = spec.parse().unwrap_or_default();
        let entries = parsed.get("table").and_then(Value::as_array).cloned().unwrap_or_default();
        let named: Vec<String> =
            entries.iter().filter_map(|entry| entry.get("name")?.as_str()).map(str::to_string).collect();
        let table = match (&table, named.as_slice()) {
            (Some(table), [one]) if table == one => None,
            (Some(table), [_, ..]) => {
                return Err(Error::new(
                    Code::TableAmbiguous,
                    format!("the table {table} was named, but the spec names {} already", named.join(", ")),
                )
                .with_hint("leave --table away, or take the name out of the spec"));
            }
            _ => table,
        };
        let tables = match &table {
            _ if !named.is_empty() => named,
            Some(table) => vec![table.clone()],
            None => {
                return Err(
                    Error::new(Code::TableMissing, "no table is named").with_hint("give one with --table")
                );
            }
        };
        if let Some(hidden) = tables.iter().find(|table| table.starts_with('_')) {
            let what =
                format!("no table can be named `{hidden}`: readers of lakes skip what begins with `_`");
            return Err(Error::new(Code::TableName, what).with_hint("begin it with a letter or a digit"));
        }
        let output = parsed.get("output");
        let max_rejected =
            output.and_then(|output| output.get("max_rejected")).map_or(Ok(MAX_REJECTED), limit)?;
        let append = output
            .and_then(|output| output.get("on_reupload"))
            .and_then(Value::as_str)
            .is_some_and(|mode| mode == "append");
        let pipeline = tables.first().map_or_else(|| "records".into(), |table| default_table(table));
        let spec_digest = sha256(spec.as_bytes());
        Ok(Self {
            spec,
            table,
            rerun: false,
            by_version: false,
            release: None,
            spec_digest,
            append,
            max_rejected,
            tables,
            pipeline,
        })
    }

    /// The plan of a deployed pipeline, by its name: what is done is keyed by object version alone.
    #[must_use]
    pub fn deployed(self, pipeline: &str) -> Self {
        Self { pipeline: pipeline.into(), by_version: true, ..self }
    }

    /// The plan of a release: commits name it.
    #[must_use]
    pub fn by_release(self, release: ReleaseRecord) -> Self {
        Self { release: Some(release), ..self }
    }

    /// Whether the spec settles its contract: the transform then agrees it before it asks for any input. A
    /// wrong spec fails here, with line and column.
    ///
    /// # Errors
    /// The transform refuses the spec.
    pub fn is_declared(&self, transform: &Transform) -> Result<bool> {
        let options =
            JobOptions { spec: self.spec.clone(), table: self.table.clone(), ..JobOptions::default() };
        Ok(matches!(transform.open(options)?.step()?, Step::Widen(_)))
    }

    /// The plan itself, if it is for this pipeline: generations of one object never change theirs.
    pub fn of_pipeline(self, pipeline: &str) -> Result<Self> {
        if self.pipeline == pipeline {
            return Ok(self);
        }
        let what =
            format!("the spec is for {}, but what it is to replace belongs to {pipeline}", self.pipeline);
        Err(Error::new(Code::PipelineDiffers, what).with_hint("name the tables of the spec as they were"))
    }

    /// Name of the pipeline: its first table.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Tables that the spec names, or the one named beside it.
    pub fn tables(&self) -> &[String] {
        &self.tables
    }
}

fn limit(value: &Value) -> Result<MaxRejected> {
    let wrong = || {
        Error::new(Code::SpecMaxRejected, "output.max_rejected is neither a share nor a number of records")
            .with_hint("write \"5%\" or \"100\"")
    };
    let text = match value {
        Value::Integer(records) => {
            return u64::try_from(*records).map(MaxRejected::Records).map_err(|_| wrong());
        }
        Value::String(text) => text.trim(),
        _ => return Err(wrong()),
    };
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
            if (0.0..=100.0).contains(&percent) {
                Ok(MaxRejected::Share(percent / 100.0))
            } else {
                Err(wrong())
            }
        }
        None => text.parse().map(MaxRejected::Records).map_err(|_| wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_from_the_spec_or_from_beside_it() {
        let two = "[[table]]\nname='a'\n[[table]]\nname='b'";
        assert_eq!(Plan::new(two, None).unwrap().tables(), ["a", "b"]);
        assert_eq!(Plan::new(two, Some("a".into())).unwrap_err().name(), "table_ambiguous");
        assert_eq!(Plan::new("[[table]]\nname='a'", Some("a".into())).unwrap().table, None);
        assert_eq!(Plan::new("", Some("feed".into())).unwrap().pipeline(), "feed");
        assert_eq!(Plan::new("", None).unwrap_err().name(), "table_missing");
        assert_eq!(Plan::new("", Some("_lakegate".into())).unwrap_err().name(), "table_name");
        assert_eq!(Plan::new("[[table]]\nname='_a'", None).unwrap_err().name(), "table_name");
    }

    #[test]
    fn rejected_records_have_a_limit() {
        let plan = |text: &str| Plan::new(format!("[output]\nmax_rejected = {text}"), Some("t".into()));
        let allowed =
            |text: &str, rejected, records| plan(text).unwrap().max_rejected.allows(rejected, records);
        assert!(allowed("'5%'", 5, 100) && !allowed("'5%'", 6, 100));
        assert!(allowed("'100'", 100, 100) && !allowed("7", 8, 1000));
        assert!(allowed("'0%'", 0, 0) && !allowed("'0%'", 1, 1_000_000));
        assert!(plan("'many'").is_err() && plan("-1").is_err() && plan("'101%'").is_err());
    }
}
