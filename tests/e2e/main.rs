//! The one end-to-end test binary, so that wasmtime links once.
//!
//! What belongs where:
//! * `aws`          the packaged function on a local stand-in for AWS
//! * `bad_releases` releases and channels that are bad: whom they hurt, what mends them
//! * `cli`          exit codes, `--json`, colours: what a script or a person sees of the command
//! * `codes`        the page of failures, made of their list
//! * `concurrent`   two runs at once into one table
//! * `corpus`       every golden case, both ways, several chunk sizes
//! * `crash`        killed at each step, run again: the rows are the same
//! * `csv_fields`   quotes, line ends and empty fields of CSV, one case each
//! * `differential` generated records through the transform and the plain reference
//! * `docs`         the documents: commands, links, paths
//! * `drift`        fifty files with drifting shapes, in any order
//! * `errors`       the exact text of the likeliest errors
//! * `fuel`         the guest's work over inputs made to cost much: it grows as the input does
//! * `fuzz`         every fuzz target for two seconds, on mutants of its corpus
//! * `json_texts`   what the grammar allows is accepted, what it forbids is refused
//! * `laws`         properties: chunks, joins, names, partition paths
//! * `masks`        masked values are in nothing that a run leaves
//! * `model`        the deployed flow against a model of a few lines
//! * `names`        tables that are called like something of the lake's own
//! * `own`          a transform of one's own: the example, and a crate as `lakegate new` makes it
//! * `rejected`     how many rejected records are too many, as preview and run see it
//! * `registry`     damage in a registry: found, and mended by the command that is named
//! * `releases`     keys, publishing, promotion, rollback, replay, proof: the commands one after the other
//! * `serve`        uploads over HTTP, what the page is told, what is refused at the port
//! * `small_cases`  small tricky inputs, one thing each
//! * `stack`        rendered stacks, judged before they are deployed
//! * `swap`         a steady load of objects under a hundred promotions and rollbacks
//! * `tidy`         the style limits
//! * `told`         what a person is told of records, rows, reasons and types that no longer fit
//! * `together`     a folder learned as one, whatever the order of its files
//! * `torture`      every operation against every fault and every other one, in a simulated bucket
//! * `walls`        layers of crates, circles of modules, what a function carries

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod aws;
mod bad_releases;
mod cli;
mod cloudtrail;
mod codes;
mod concurrent;
mod corpus;
mod crash;
mod csv_fields;
mod differential;
mod docs;
mod drift;
mod errors;
mod fixes;
mod fuel;
mod fuzz;
mod json_texts;
mod laws;
mod masks;
mod model;
mod names;
mod own;
mod registry;
mod rejected;
mod releases;
mod retract;
mod serve;
mod small_cases;
mod stack;
mod swap;
mod tidy;
mod together;
mod told;
mod torture;
mod walls;

use std::path::PathBuf;

/// The checkout.
fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the checkout").to_owned()
}

/// A public collection below the folder that `LAKEGATE_COLLECTIONS` names; the test is skipped where it names
/// none, and fails where the collection is not in it.
fn collection(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("LAKEGATE_COLLECTIONS") else {
        lakegate_skipped::skipped(&format!("LAKEGATE_COLLECTIONS names no folder that holds {name}"));
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    assert!(path.is_dir(), "LAKEGATE_COLLECTIONS is set, but there is no {}", path.display());
    Some(path)
}
