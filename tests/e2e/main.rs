//! The one end-to-end test binary, so that wasmtime links once.
//!
//! What belongs where:
//! * `aws`          the packaged function on a local stand-in for AWS
//! * `cli`          exit codes, `--json`, colours: what a script or a person sees of the command
//! * `codes`        the page of failures, made of their list
//! * `concurrent`   two runs at once into one table
//! * `corpus`       every golden case, both ways, several chunk sizes
//! * `crash`        killed at each step, run again: the rows are the same
//! * `csv_spectrum` a public CSV collection, where it lies beside the checkout
//! * `differential` generated records through the transform and the plain reference
//! * `drift`        fifty files with drifting shapes, in any order
//! * `errors`       the exact text of the likeliest errors
//! * `json_suite`   what the grammar allows is accepted, what it forbids is refused
//! * `laws`         properties: chunks, joins, names, partition paths
//! * `model`        the deployed flow against a model of a few lines
//! * `names`        tables that are called like something of the lake's own
//! * `own`          a transform of one's own: the example, and a crate as `lakegate new` makes it
//! * `releases`     keys, publishing, promotion, rollback, replay, proof: the commands one after the other
//! * `serve`        uploads over HTTP, what the page is told, what is refused at the port
//! * `shared_cases` small tricky files, where they lie beside the checkout
//! * `swap`         a steady load of objects under a hundred promotions and rollbacks
//! * `tidy`         the style limits
//! * `walls`        layers of crates, circles of modules, what a function carries
#![allow(clippy::unwrap_used)]

mod aws;
mod cli;
mod codes;
mod concurrent;
mod corpus;
mod crash;
mod csv_spectrum;
mod differential;
mod drift;
mod errors;
mod json_suite;
mod laws;
mod model;
mod names;
mod own;
mod releases;
mod serve;
mod shared_cases;
mod swap;
mod tidy;
mod walls;

use std::path::PathBuf;

/// The checkout.
fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the checkout").to_owned()
}

/// A folder of public test data beside the checkout; none where it is not there, which is said.
fn shared(name: &str) -> Option<PathBuf> {
    let path = checkout().join("../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not here", path.display());
    }
    path.exists().then_some(path)
}
