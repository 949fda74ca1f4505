//! What Glue and SNS say no with, as errors that name the resource, the call and what to do.
//!
//! Not for deciding whether a no is one: callers look at the fault first. The decision to know: Glue checks a call
//! against the catalog, the database and the table at once, so a permission on the table alone does not help; the
//! hint names all three. What is missing or denied is our own set-up's fault, never the source object's.

use crate::client::{Aws, AwsError, Fault};
use lakegate_base::{Code, Error};
use lakegate_config::Pipeline;

/// With a hint of its own where there is one.
pub(crate) fn of(error: &AwsError, hint: Option<String>) -> Error {
    let made = Error::from(error.clone());
    match hint {
        Some(hint) => made.with_hint(hint),
        None => made,
    }
}

/// Of a call about a table or its partitions.
pub(super) fn of_table(aws: &Aws, error: &AwsError, database: &str, table: &str) -> Error {
    if error.fault != Fault::Denied {
        return of(error, None);
    }
    let call = error.call;
    if error.message.contains("Lake Formation") {
        let grants = format!(
            "Lake Formation guards database {database}: grant the function's role {call} there (CREATE_TABLE and DESCRIBE on the database, ALTER, INSERT and DESCRIBE on table {table})"
        );
        return of(error, Some(grants));
    }
    let region = aws.config().region().map_or("REGION", |region| region.as_ref());
    let arn = format!("arn:aws:glue:{region}:ACCOUNT");
    of(
        error,
        Some(format!(
            "allow {call} on {arn}:catalog, {arn}:database/{database} and {arn}:table/{database}/{table}"
        )),
    )
}

/// The database is not there.
pub(super) fn no_database(pipeline: &Pipeline, database: &str, error: &AwsError) -> Error {
    let message = format!("Glue has no database {database} ({} for pipeline {})", error.call, pipeline.name);
    Error::new(Code::DatabaseMissing, message).with_hint(format!(
        "create it (aws glue create-database --database-input Name={database}), or correct `database` in [pipeline.{}.catalog]",
        pipeline.name
    ))
}

/// Of a call about a crawler.
pub(super) fn of_crawler(aws: &Aws, error: &AwsError, crawler: &str) -> Error {
    match error.fault {
        Fault::Missing => {
            let message = format!("Glue has no crawler {crawler} ({})", error.call);
            Error::new(Code::CrawlerMissing, message)
                .with_hint("deploy it, or correct `crawler` in the pipeline's `catalog`")
        }
        Fault::Denied => {
            let region = aws.config().region().map_or("REGION", |region| region.as_ref());
            of(
                error,
                Some(format!("allow {} on arn:aws:glue:{region}:ACCOUNT:crawler/{crawler}", error.call)),
            )
        }
        _ => of(error, None),
    }
}
