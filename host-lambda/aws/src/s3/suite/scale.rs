//! What things cost in a bucket of many commits, in requests: as much as in one of few.

use std::sync::Arc;

use crate::client::Aws;
use crate::s3::S3Storage;
use crate::s3::suite::peers::{Peer, options, runtime};
use lakegate_lake::{Lake, scale};

fn in_a_bucket(commits: usize) -> Vec<(&'static str, Vec<u64>)> {
    let peer = Peer::s3s_fs();
    scale::fill(&peer.files().join("lake"), commits);
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let open = || Lake::over(Arc::new(S3Storage::new(aws.clone(), peer.bucket(), "lake", options())));
    scale::costs(&open, &|| vec![aws.calls().values().sum()])
}

#[test]
fn a_bucket_of_many_commits_costs_what_one_of_few_does() {
    for ((name, few), (_, many)) in in_a_bucket(100).into_iter().zip(in_a_bucket(1200)) {
        match name {
            "a page of the quarantine" | "the second page" => assert!(few[0].max(many[0]) < 250, "{name}"),
            _ => assert_eq!(few, many, "{name}"),
        }
    }
}
