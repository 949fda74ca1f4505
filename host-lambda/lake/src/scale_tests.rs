//! What things cost in a folder of many commits.

use std::sync::Arc;

use super::{PAGE, costs, fill};
use crate::lake::Lake;
use crate::storage::{LocalFolder, counting::Counting};

fn in_a_folder(commits: usize) -> Vec<(&'static str, Vec<u64>)> {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), commits);
    let storage = Arc::new(Counting::new(LocalFolder::new(folder.path()).unwrap()));
    costs(&|| Lake::over(storage.clone()), &|| storage.counted().to_vec())
}

/// With `LAKEGATE_SCALE_COMMITS=100000` and `--nocapture` it takes minutes and shows the counts.
#[test]
fn a_folder_of_many_commits_costs_what_one_of_few_does() {
    let asked = std::env::var("LAKEGATE_SCALE_COMMITS").ok().and_then(|text| text.parse().ok());
    let (few, many) = (in_a_folder(100), in_a_folder(asked.unwrap_or(2000)));
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name:<28} calls {:>5} {:>5}   names listed {:>5} {:>5}", few[0], many[0], few[1], many[1]);
    }
    // Which page and which quarantine file is first differs, and with it how many of them were submitted again.
    let calls = |costs: &[(&'static str, Vec<u64>)]| costs.to_vec();
    for (few, many) in calls(&few).iter().zip(calls(&many)) {
        let name = few.0;
        match name {
            "a page of the quarantine" | "the second page" => {
                let most = few.1[0].max(many.1[0]);
                assert!(most < 5 * PAGE as u64, "{name}: {few:?} {many:?}");
            }
            _ => assert_eq!(*few, many, "{name}"),
        }
    }
}
