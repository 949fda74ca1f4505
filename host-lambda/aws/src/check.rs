//! `lakegate config check`: what is wrong with a configuration and with what it names, all of it in one go.
//!
//! For: the mistakes in the text, and those in the specs, keys and channels of every pipeline that is whole, each at
//! its line. Not for the rules themselves: those of the text are [`config`](mod@lakegate_config)'s, those of a start
//! [`deployed`](mod@crate::deployed)'s, and a spec is judged by the transform, which opens a job with it and reads
//! nothing. The decision to know: what a start refuses is refused here by the same functions, so that what is
//! accepted here starts.

mod catalogs;
mod channel;
mod live;

use std::cell::OnceCell;

use serde::Serialize;

use crate::client::Aws;
use crate::deployed::{check_keys, check_plan, read_address};
use lakegate_base::{Code, Error, Fault, Kind, Result};
use lakegate_config::{Address, Config, Location, Origin, Pipeline, Reading, Told};
use lakegate_lake::run::Plan;
use lakegate_sandbox::{JobOptions, Step, Transform};

/// Something to mend. Findings are in the order of files and lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The configuration, or a spec that it names.
    pub file: String,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column in characters, from 1.
    pub column: Option<u64>,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The pipelines that are whole.
    pub config: Config,
    /// All there is to mend.
    pub findings: Vec<Finding>,
    /// What was not looked into.
    pub notes: Vec<String>,
}

/// Checks the text of a configuration, and what it names as far as that can be read: in folders, and where `aws` is
/// given also in S3, whose buckets, databases, crawlers and topics are then asked for. `load` gives the transform, and
/// is called only where there is a spec to be judged.
///
/// # Errors
/// Something cannot be judged: there is no transform, or AWS does not answer. Where there are findings already, that is
/// one of the notes.
pub fn check(
    text: &str,
    origin: &Origin,
    load: &dyn Fn() -> Result<Transform>,
    aws: Option<&Aws>,
) -> Result<Checked> {
    let Reading { config, mistakes } = Config::read(text, origin);
    let mut judge = Judge {
        file: origin.name(),
        load,
        transform: OnceCell::new(),
        aws,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    for mistake in mistakes {
        judge.findings.push(Finding {
            file: judge.file.clone(),
            line: Some(mistake.line),
            column: Some(mistake.column),
            message: mistake.message,
            hint: mistake.hint,
        });
    }
    if let Err(error) = judge.all(&config) {
        // What was found is told all the same.
        if judge.findings.is_empty() {
            return Err(error);
        }
        judge.notes.push(format!("not all was looked into: {error}"));
    }
    let Judge { mut findings, mut notes, .. } = judge;
    if aws.is_none() {
        notes.extend(elsewhere(&config));
    }
    findings.sort();
    findings.dedup();
    Ok(Checked { config, findings, notes })
}

/// Which pipelines are told what to do by something in S3.
fn elsewhere(config: &Config) -> Option<String> {
    let in_s3 = |pipeline: &&Pipeline| {
        let (spec, registry) = match &pipeline.told {
            Told::Spec { address } => (matches!(address, Address::S3 { .. }), false),
            Told::Channel { registry, .. } => (false, matches!(registry, Location::S3 { .. })),
            Told::Nothing => (false, false),
        };
        spec || registry
    };
    let names: Vec<&str> =
        config.pipelines.values().filter(in_s3).map(|pipeline| pipeline.name.as_str()).collect();
    let note =
        format!("not looked into, since it is in S3: the spec or the releases of {}", names.join(", "));
    (!names.is_empty()).then_some(note)
}

/// What is found as it is found.
struct Judge<'c> {
    /// Name of the configuration.
    file: String,
    load: &'c dyn Fn() -> Result<Transform>,
    transform: OnceCell<Transform>,
    aws: Option<&'c Aws>,
    findings: Vec<Finding>,
    notes: Vec<String>,
}

impl Judge<'_> {
    /// Judges what the pipelines name.
    fn all(&mut self, config: &Config) -> Result<()> {
        let mut tables = Vec::new();
        for pipeline in config.pipelines.values() {
            tables.push((pipeline, self.told(pipeline)?));
        }
        catalogs::compare(self, &tables);
        self.aws.map_or(Ok(()), |aws| live::ask(self, aws, config))
    }

    /// Finds something at a key of a pipeline.
    fn at(&mut self, pipeline: &Pipeline, key: &str, message: impl Into<String>, hint: Option<String>) {
        let at = pipeline.place(key);
        let (line, column) = (Some(at.line), Some(at.column));
        self.findings.push(Finding { file: self.file.clone(), line, column, message: message.into(), hint });
    }

    /// The same for an error; one that says nothing about the configuration ends the check.
    fn error(&mut self, pipeline: &Pipeline, key: &str, error: &Error) -> Result<()> {
        if error.kind() == Kind::Passing || error.code() == Code::CredentialsMissing {
            return Err(error.clone());
        }
        self.at(pipeline, key, error.message().to_owned(), error.hint().map(str::to_owned));
        Ok(())
    }

    fn transform(&self) -> Result<&Transform> {
        if let Some(transform) = self.transform.get() {
            return Ok(transform);
        }
        let transform = (self.load)()?;
        Ok(self.transform.get_or_init(|| transform))
    }

    /// Judges what a pipeline is told; the tables that it writes, as far as they are known.
    fn told(&mut self, pipeline: &Pipeline) -> Result<Vec<String>> {
        match &pipeline.told {
            Told::Spec { address } => match self.spec(pipeline, address)? {
                Some(text) => self.plan(pipeline, text, &address.uri()),
                None => Ok(Vec::new()),
            },
            Told::Channel { .. } => channel::judge(self, pipeline),
            Told::Nothing => self.plan(pipeline, String::new(), ""),
        }
    }

    /// The text of a spec, where it can be read and holds something.
    fn spec(&mut self, pipeline: &Pipeline, address: &Address) -> Result<Option<String>> {
        let text = match (address, self.aws) {
            (Address::S3 { .. }, None) => return Ok(None),
            (Address::S3 { .. }, Some(aws)) => read_address(aws, address),
            (Address::Local(path), _) => {
                std::fs::read_to_string(path).map_err(|error| Error::io(&path.display().to_string(), error))
            }
        };
        match text {
            Ok(text) if text.trim().is_empty() => {
                let hint = "`lakegate init INPUT > transform.toml` proposes one".to_owned();
                self.at(pipeline, "spec", format!("the spec {} is empty", address.uri()), Some(hint));
                Ok(None)
            }
            Ok(text) => Ok(Some(text)),
            Err(error) => self.error(pipeline, "spec", &error).map(|()| None),
        }
    }

    /// Judges a plan as a start does, and its expressions; the tables that it is for.
    fn plan(&mut self, pipeline: &Pipeline, spec: String, file: &str) -> Result<Vec<String>> {
        let plan = match Plan::new(spec, pipeline.table.clone()) {
            Ok(plan) => plan,
            Err(error) => return self.refused(pipeline, file, error).map(|()| Vec::new()),
        };
        let judged = match &pipeline.told {
            // There is no spec to judge: that types are learned then is said in the configuration or is missing there.
            Told::Nothing => check_keys(pipeline, &plan),
            _ => {
                let transform = self.transform()?;
                open(transform, &plan).and_then(|()| check_plan(pipeline, &plan, transform))
            }
        };
        if let Err(error) = judged {
            self.refused(pipeline, file, error)?;
        }
        Ok(plan.tables().to_vec())
    }

    /// Says of what is wrong with a plan where it is to be mended.
    fn refused(&mut self, pipeline: &Pipeline, file: &str, error: Error) -> Result<()> {
        let name = &pipeline.name;
        // These two are about the configuration and the spec together; their own hints speak of `--table`.
        let (key, hint) = match error.code() {
            Code::TableMissing => {
                ("spec", format!("add table = \"NAME\" to [pipeline.{name}], or a name to the spec's table"))
            }
            Code::TableAmbiguous => {
                ("spec", format!("take `table` out of [pipeline.{name}]: the spec names its tables"))
            }
            Code::StorageKey => ("lake", error.hint().unwrap_or_default().to_owned()),
            Code::TypesOpen => ("spec", error.hint().unwrap_or_default().to_owned()),
            _ if file.is_empty() => return self.error(pipeline, "table", &error),
            _ if error.fault() != Fault::Spec => return Err(error.in_file(file)),
            _ => {
                let place = error.place().cloned().unwrap_or_default();
                let (message, hint) = (error.message().to_owned(), error.hint().map(str::to_owned));
                let file = file.to_owned();
                self.findings.push(Finding { file, line: place.line, column: place.column, message, hint });
                return Ok(());
            }
        };
        let message = match error.code() {
            Code::TypesOpen => format!("the spec of `{name}` leaves types to be learned"),
            _ => error.message().to_owned(),
        };
        self.at(pipeline, key, message, Some(hint));
        Ok(())
    }
}

/// Opens a job and reads nothing. A spec that declares everything agrees at once; only then can its
/// expressions be judged, for they may name columns that are still to be learned.
fn open(transform: &Transform, plan: &Plan) -> Result<()> {
    let options = JobOptions { spec: plan.spec.clone(), table: plan.table.clone(), ..JobOptions::default() };
    let mut session = transform.open(options.clone())?;
    loop {
        match session.step()? {
            Step::Working => {}
            Step::Widen(widened) => {
                let options = JobOptions { contracts: widened.contracts, final_pass: true, ..options };
                return transform.open(options).map(drop);
            }
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "check/law_tests.rs"]
mod tests;
