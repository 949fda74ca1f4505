//! What the host needs of a spec: table names, `[output]` and nothing else.
//!
//! Not a validator: the transform refuses a wrong spec with line and column before any input is read. Keys that
//! a host does not know pass, so that a newer spec meets an older host.

use lakegate_model::MaxRejected;
use lakegate_model::output::{self, Head, OnReupload};

use crate::lake::sha256;
use crate::record::{CommitRecord, ReleaseRecord};
use crate::source::default_table;
use lakegate_base::{Code, Error, Result};
use lakegate_model::report::Report;
use lakegate_sandbox::{JobOptions, Step, Transform};

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
    /// `spec_invalid`, with line and column: `[output]` says what it cannot mean.
    pub fn new(spec: impl Into<String>, table: Option<String>) -> Result<Self> {
        let spec = spec.into();
        let head = head(&spec)?;
        let named: Vec<String> = head.tables.into_iter().filter_map(|table| table.name).collect();
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
                return Err(Error::new(Code::TableMissing, "no table is named")
                    .with_hint("name it in the spec, as `lakegate init` does, or give one with --table"));
            }
        };
        if let Some(hidden) = tables.iter().find(|table| table.starts_with('_')) {
            let what =
                format!("no table can be named `{hidden}`: readers of lakes skip what begins with `_`");
            return Err(Error::new(Code::TableName, what).with_hint("begin it with a letter or a digit"));
        }
        let pipeline = tables.first().map_or_else(|| "records".into(), |table| default_table(table));
        let spec_digest = sha256(spec.as_bytes());
        Ok(Self {
            spec,
            table,
            rerun: false,
            by_version: false,
            release: None,
            spec_digest,
            append: head.output.on_reupload == OnReupload::Append,
            max_rejected: head.output.max_rejected,
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

    /// The plan in the pipeline of a commit, if it is for tables of that: generations of one object never change their
    /// pipeline, whatever a deployed one is called.
    ///
    /// # Errors
    /// `pipeline_differs`.
    pub fn in_pipeline_of(self, record: &CommitRecord) -> Result<Self> {
        if self.tables.iter().any(|table| record.contracts.contains_key(table)) {
            return Ok(Self { pipeline: record.pipeline.clone(), ..self });
        }
        let had: Vec<&str> = record.contracts.keys().map(String::as_str).collect();
        let what = format!(
            "the spec is for {}, but what it is to replace belongs to {}",
            self.tables.join(", "),
            had.join(", ")
        );
        Err(Error::new(Code::PipelineDiffers, what).with_hint("name the tables of the spec as they were"))
    }

    /// Whether what a job reports may stand: the rule of the spec, for transforms that do not know it too.
    ///
    /// # Errors
    /// `too_many_rejected`.
    pub(crate) fn check_rejected(&self, report: &Report) -> Result<()> {
        Ok(self.max_rejected.check(report.misfits(), report.records)?)
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

/// What the host needs of a spec; nothing where it is no TOML at all.
fn head(spec: &str) -> Result<Head> {
    if spec.parse::<toml::Table>().is_err() {
        return Ok(Head::default());
    }
    Ok(output::parse(spec)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Fault;

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
        assert!(allowed("'5%'", 50, 1000) && !allowed("'5%'", 51, 1000));
        assert!(allowed("'100'", 100, 100) && !allowed("7", 8, 1000));
        assert!(allowed("'0%'", 0, 0) && !allowed("'0%'", 1, 1_000_000));
        assert!(plan("'many'").is_err() && plan("-1").is_err() && plan("'101%'").is_err());
        let error = plan("'1.00001%'").unwrap_err();
        assert_eq!((error.code(), error.place().unwrap().line), (Code::SpecInvalid, Some(2)));
        let report = |rejected, records| Report { rejected, records, ..Report::default() };
        assert!(plan("'5%'").unwrap().check_rejected(&report(1, 3)).is_ok());
        let error = plan("{ floor = 0 }").unwrap().check_rejected(&report(1, 3)).unwrap_err();
        assert_eq!((error.code(), error.fault()), (Code::TooManyRejected, Fault::Input));
        assert!(error.message().contains("max_rejected = { share = \"5%\", floor = 0 }"), "{error}");
    }
}
