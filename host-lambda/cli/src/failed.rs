//! What failed in a lake, to be taken again: `run --failed`, and a change of a type that lets it pass.
//!
//! Not for what pipelines of a configuration take: they know themselves how. The decision to know: an object is taken by
//! the spec and into the table that it failed under, unless whoever calls says another.

use crate::args::inputs::{Input, inputs};
use crate::args::plans::Plans;
use crate::place::Place;
use lakegate_base::{Code, Error};
use lakegate_lake::Lake;
use lakegate_lake::lake::sha256;
use lakegate_lake::record::FailedRecord;
use lakegate_lake::run::Plan;

/// Those of `failures` that are there still. What came from standard input cannot come again by itself.
///
/// # Errors
/// The storage's.
pub fn there(failures: Vec<FailedRecord>) -> Result<Vec<(Input, FailedRecord)>, Error> {
    let mut found = Vec::new();
    for failed in failures {
        let uri = &failed.source.uri;
        let place =
            if uri.starts_with("s3://") { Place::S3(uri.clone()) } else { Place::Local(uri.clone().into()) };
        match inputs(&[place], None) {
            Ok(inputs) => found.extend(inputs.into_iter().map(|input| (input, failed.clone()))),
            Err(error) if matches!(error.code(), Code::NotFound | Code::NoInput) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The spec that an object failed under, and its table where that spec names none; or `spec` in its place.
///
/// # Errors
/// `spec_unknown`: the lake has not kept it.
pub fn plans_of(lake: &Lake, failed: &FailedRecord, spec: Option<&str>, again: bool) -> Result<Plans, Error> {
    let kept = match spec {
        Some(spec) => Some(spec.to_owned()),
        None => lake.spec_text(&failed.spec)?,
    };
    let spec = match kept {
        Some(spec) => spec,
        None if failed.spec == sha256(b"") => String::new(),
        None => {
            let what = format!("the lake has not kept the spec {} that it failed under", failed.spec);
            return Err(Error::new(Code::SpecUnknown, what)
                .with_hint("name it: --spec FILE")
                .in_file(&*failed.source.uri));
        }
    };
    let nameless = matches!(Plan::new(&*spec, None), Err(error) if error.code() == Code::TableMissing);
    let table = nameless.then_some(failed.pipeline.as_str());
    Plans::of_text(spec, None, table, again)
}
