//! What only S3 does: uploads in parts, spilling, lost replies, its errors, the calls it takes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::faults::Proxy;
use super::peers::{Peer, options, runtime};
use crate::client::Aws;
use crate::s3::{Checksum, Encryption, MIN_PART_BYTES, S3Options, S3Storage};
use lakegate_base::Kind;
use lakegate_lake::storage::laws::{LARGE, Peer as _, keys, noise, read, stage};
use lakegate_lake::storage::{self, Published, Stage, Staged, Storage};

on_s3!(
    spilling_changes_no_byte,
    the_spill_limit_fails_and_leaves_nothing,
    small_objects_take_one_request,
    what_is_left_over_is_found_and_aborted,
    what_a_killed_run_left_is_swept,
    a_run_whose_uploads_are_swept_can_begin_again,
    checksums_and_encryption_are_taken,
    a_lost_reply_of_an_own_write_is_a_win,
    a_lost_reply_of_a_completion_is_looked_up,
    a_body_that_breaks_off_is_asked_for_again,
    an_old_version_is_read_while_a_new_one_is_there,
    a_promise_comes_with_the_object,
    a_missing_bucket_is_named,
    only_documented_calls_are_made,
);

fn s3(peer: &Peer, options: S3Options) -> S3Storage {
    peer.s3(peer.endpoint_url(), options)
}

/// Writes several objects by turns, as a partitioned table does.
fn interleaved(storage: &S3Storage, inputs: &[Vec<u8>]) -> storage::Result<Vec<Staged>> {
    let mut stages = Vec::new();
    for n in 0..inputs.len() {
        stages.push(storage.stage(&format!("t/d={n}/a.parquet"))?);
    }
    for at in (0..inputs.iter().map(Vec::len).max().unwrap_or_default()).step_by(100_000) {
        for (stage, input) in stages.iter_mut().zip(inputs) {
            let end = (at + 100_000).min(input.len());
            stage.write(input.get(at..end).unwrap_or_default())?;
        }
    }
    stages.into_iter().map(Stage::finish).collect()
}

fn spilling_changes_no_byte(peer: &Peer) {
    let storage = s3(peer, S3Options { staging_bytes: 1 << 20, ..options() });
    let sizes = [LARGE, 3, 900_000, MIN_PART_BYTES, 0, 2 * MIN_PART_BYTES, 1_500_000];
    let inputs: Vec<_> = sizes.iter().enumerate().map(|(n, size)| noise(*size, n as u64 + 20)).collect();
    let staged = interleaved(&storage, &inputs).unwrap();
    assert_eq!(keys(&storage, ""), Vec::<String>::new());
    for (staged, input) in staged.iter().zip(&inputs) {
        assert_eq!(storage.publish(staged).unwrap(), Published::There);
        let facts = storage.stat(&staged.key).unwrap().unwrap();
        assert!(read(&storage, &facts).unwrap() == *input, "{}", staged.key);
    }
    peer.no_left_overs();
}

fn the_spill_limit_fails_and_leaves_nothing(peer: &Peer) {
    let storage = s3(peer, S3Options { staging_bytes: 1 << 20, spill_bytes: 3 << 20, ..options() });
    let inputs: Vec<_> = (0..8).map(|n| noise(1 << 20, n + 40)).collect();
    let error = interleaved(&storage, &inputs).unwrap_err();
    assert_eq!((error.code().name(), error.kind()), ("spill_limit", Kind::Input), "{error}");
    assert_eq!(keys(&storage, ""), Vec::<String>::new());
    peer.no_left_overs();
}

fn small_objects_take_one_request(peer: &Peer) {
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let storage = S3Storage::new(aws.clone(), peer.bucket(), "small", options());
    let staged = stage(&storage, "t/a", &noise(20_000, 50));
    assert_eq!(aws.calls(), std::collections::BTreeMap::new(), "nothing is asked before it is published");
    storage.publish(&staged).unwrap();
    assert_eq!(aws.calls(), [("s3:PutObject".to_string(), 1)].into());
}

fn what_is_left_over_is_found_and_aborted(peer: &Peer) {
    let storage = peer.storage();
    let staged = stage(&*storage, "t/a b.parquet", &noise(LARGE, 60));
    let other = s3(peer, options());
    let patient = s3(peer, S3Options { run_limit: Duration::from_secs(3600), ..options() });
    assert_eq!(patient.left_overs().unwrap(), [], "its run may still live");
    let found = other.left_overs().unwrap();
    assert_eq!(found.iter().map(|left| &left.token).collect::<Vec<_>>(), [&staged.token]);
    other.abort(&found[0].token).unwrap();
    assert_eq!(other.left_overs().unwrap(), []);
    assert_eq!(storage.publish(&staged).unwrap(), Published::Vanished);
}

/// Open uploads, whatever their age.
fn open_uploads(aws: &Aws, peer: &Peer) -> Vec<String> {
    let listed = aws.wait(aws.s3().list_multipart_uploads().bucket(peer.bucket()).send()).unwrap();
    listed.uploads().iter().map(|upload| upload.key().unwrap().to_string()).collect()
}

fn what_a_killed_run_left_is_swept(peer: &Peer) {
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let storage = |aws: &Aws| S3Storage::new(aws.clone(), peer.bucket(), "lake", options());
    let keys =
        ["t/d=1/x-1-aa-0.parquet", "t/d=2/x-1-aa-1.parquet", "_lakegate/quarantine/p/0-000001-k.jsonl"];
    // Killed: what it staged is forgotten, not dropped.
    for key in keys {
        stage(&storage(&aws), key, &noise(LARGE, 61));
    }
    // Another object, and the next generation of this one, are being staged at this moment.
    let others = ["lake/t/d=1/x-1-bb-0.parquet", "lake/t/d=1/y-1-cc-0.parquet"];
    for key in others {
        stage(&storage(&aws), key.trim_start_matches("lake/"), &noise(LARGE, 62));
    }
    let own = storage(&aws);
    let mut staged = Vec::new();
    for key in [keys[0], keys[1], "_lakegate/quarantine/p/0-000001-own.jsonl"] {
        staged.push(stage(&own, key, &noise(LARGE, 63)));
    }
    assert_eq!(own.publish(&staged[0]).unwrap(), Published::There);
    let before = aws.calls().get("s3:ListMultipartUploads").copied().unwrap_or_default();
    own.sweep(&staged).unwrap();
    assert_eq!(
        aws.calls()["s3:ListMultipartUploads"] - before,
        2,
        "one for the table, one for the quarantine"
    );
    let mut left = open_uploads(&aws, peer);
    left.sort();
    let named = [keys[1], "_lakegate/quarantine/p/0-000001-own.jsonl"].map(|key| format!("lake/{key}"));
    let mut expected: Vec<String> = others.into_iter().map(String::from).chain(named).collect();
    expected.sort();
    assert_eq!(left, expected);
    for staged in &staged[1..] {
        assert_eq!(own.publish(staged).unwrap(), Published::There, "what the record names is kept");
    }
}

fn a_run_whose_uploads_are_swept_can_begin_again(peer: &Peer) {
    let (winner, loser) = (s3(peer, options()), s3(peer, options()));
    let mut late = loser.stage("t/x-1-aa-0.parquet").unwrap();
    late.write(&noise(LARGE, 64)).unwrap();
    let staged = stage(&winner, "t/x-1-aa-0.parquet", &noise(LARGE, 64));
    winner.publish(&staged).unwrap();
    winner.sweep(&[staged]).unwrap();
    let error = late.write(&noise(4 * LARGE, 65)).and_then(|()| late.finish()).unwrap_err();
    assert_eq!((error.code().name(), error.kind()), ("upload_gone", Kind::Passing), "{error}");
}

fn checksums_and_encryption_are_taken(peer: &Peer) {
    for (checksum, encryption) in [(Checksum::Crc64, Encryption::S3), (Checksum::Sha256, Encryption::Bucket)]
    {
        let storage = s3(peer, S3Options { checksum, encryption, ..options() });
        for (key, bytes) in [("large", noise(LARGE, 70)), ("small", noise(5_000, 71))] {
            let key = format!("{checksum:?}/{key}");
            let staged = stage(&storage, &key, &bytes);
            assert_eq!(storage.publish(&staged).unwrap(), Published::There);
            assert!(storage.get(&key).unwrap().unwrap().bytes == bytes);
        }
    }
}

fn a_lost_reply_of_an_own_write_is_a_win(peer: &Peer) {
    let proxy = Proxy::before(peer.endpoint_url());
    let storage = peer.s3(&proxy.endpoint, options());
    proxy.inject("PUT /", 0);
    assert!(storage.put_if_absent("c/1", b"mine").unwrap(), "its own earlier attempt made the object");
    assert!(proxy.is_spent());
    let tag = storage.get("c/1").unwrap().unwrap().tag;
    proxy.inject("PUT /", 0);
    assert!(storage.replace_if_unchanged("c/1", b"mine again", Some(&tag)).unwrap());
    assert!(proxy.is_spent());
    assert_eq!(storage.get("c/1").unwrap().unwrap().bytes, b"mine again");
    assert!(!storage.put_if_absent("c/1", b"mine again").unwrap());
}

fn a_lost_reply_of_a_completion_is_looked_up(peer: &Peer) {
    let proxy = Proxy::before(peer.endpoint_url());
    let storage = peer.s3(&proxy.endpoint, options());
    let bytes = noise(LARGE, 80);
    let staged = stage(&storage, "t/a", &bytes);
    proxy.inject("POST /", 0);
    assert_eq!(storage.publish(&staged).unwrap(), Published::There);
    assert!(proxy.is_spent());
    assert!(storage.get("t/a").unwrap().unwrap().bytes == bytes);
}

fn a_body_that_breaks_off_is_asked_for_again(peer: &Peer) {
    let proxy = Proxy::before(peer.endpoint_url());
    let storage = peer.s3(&proxy.endpoint, options());
    let bytes = noise(LARGE, 90);
    storage.publish(&stage(&storage, "in", &bytes)).unwrap();
    let facts = storage.stat("in").unwrap().unwrap();
    proxy.inject("GET /", 3 << 20);
    assert!(read(&storage, &facts).unwrap() == bytes);
    assert!(proxy.is_spent());
}

fn an_old_version_is_read_while_a_new_one_is_there(peer: &Peer) {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = aws.s3().put_bucket_versioning().bucket(peer.bucket()).versioning_configuration(on);
    aws.wait(request.send()).unwrap();
    let storage = s3(peer, options());
    let (first, second) = (noise(LARGE, 30), noise(LARGE, 31));
    storage.publish(&stage(&storage, "in", &first)).unwrap();
    let pinned = storage.stat("in").unwrap().unwrap();
    storage.publish(&stage(&storage, "in", &second)).unwrap();
    let id = pinned.version.strip_prefix("v:").unwrap();
    assert_eq!(storage.stat_version("in", Some(id)).unwrap().as_ref(), Some(&pinned));
    storage.delete("in").unwrap();
    assert!(storage.stat("in").unwrap().is_none());
    assert!(read(&storage, &pinned).unwrap() == first, "whatever came after it");
    let request = aws.s3().delete_object().bucket(peer.bucket()).key("a lake/in").version_id(id);
    aws.wait(request.send()).unwrap();
    assert_eq!(read(&storage, &pinned).unwrap_err().code().name(), "source_changed");
    assert_eq!(storage.stat_version("in", Some(id)).unwrap(), None);
}

fn a_promise_comes_with_the_object(peer: &Peer) {
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let digest = "a1".repeat(32);
    for (key, said, promised) in [
        ("promised", Some(digest.clone()), Some(digest.clone())),
        ("plain", None, None),
        ("odd", Some("<script>".into()), None),
        ("shouted", Some(digest.to_uppercase()), None),
    ] {
        let request = aws.s3().put_object().bucket(peer.bucket()).key(format!("a lake/{key}"));
        let metadata = said.map(|said| [("lakegate-receipt".into(), said)].into());
        aws.wait(request.set_metadata(metadata).send()).unwrap();
        let facts = s3(peer, options()).stat(key).unwrap().unwrap();
        assert_eq!(facts.promised, promised, "{key}");
        let storage = std::sync::Arc::new(s3(peer, options()));
        let source = lakegate_lake::source::Source::object(storage, format!("s3://b/{key}"), facts);
        assert_eq!(source.record().promised, promised, "{key}");
    }
}

fn a_missing_bucket_is_named(peer: &Peer) {
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let storage = S3Storage::new(aws, "lakegate-no-such-bucket", "x", options());
    for error in [storage.list("").unwrap_err(), storage.put_if_absent("k", b"1").unwrap_err()] {
        assert_eq!((error.code().name(), error.kind()), ("bucket_missing", Kind::Own), "{error}");
        assert!(error.to_string().contains("s3://lakegate-no-such-bucket/x/"), "{error}");
        assert!(error.hint().unwrap().contains("lakegate-no-such-bucket"));
    }
}

fn only_documented_calls_are_made(peer: &Peer) {
    let aws = Aws::of_tests(runtime().handle().clone(), peer.endpoint_url());
    let storage = S3Storage::new(aws.clone(), peer.bucket(), "calls", options());
    drop(storage.stage("t/dropped").map(|mut stage| stage.write(&noise(LARGE, 99)).map(|()| stage)));
    storage.publish(&stage(&storage, "t/large", &noise(LARGE, 98))).unwrap();
    storage.publish(&stage(&storage, "t/small", b"x")).unwrap();
    storage.put_if_absent("t/small", b"y").unwrap();
    read(&storage, &storage.stat("t/large").unwrap().unwrap()).unwrap();
    storage.list("").unwrap();
    storage.delete("t/small").unwrap();
    let made: BTreeSet<String> = aws.calls().into_keys().collect();
    let documented = [
        "s3:AbortMultipartUpload",
        "s3:CompleteMultipartUpload",
        "s3:CreateMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:HeadObject",
        "s3:ListObjectsV2",
        "s3:PutObject",
        "s3:UploadPart",
    ];
    assert_eq!(made, documented.map(str::to_string).into());
}

#[test]
fn what_does_not_answer_is_passing_trouble() {
    let aws = Aws::of_tests(runtime().handle().clone(), "http://127.0.0.1:1");
    let storage = S3Storage::new(aws, "lake", "", options());
    let error = storage.get("k").unwrap_err();
    assert_eq!((error.code().name(), error.kind()), ("unreachable", Kind::Passing), "{error}");
    assert!(error.to_string().starts_with("s3:GetObject on s3://lake/k "), "{error}");
}

#[test]
fn the_deadline_ends_calls_before_it() {
    let aws = Aws::of_tests(runtime().handle().clone(), "http://127.0.0.1:1");
    let late = aws.with_deadline(Instant::now() + crate::client::CLEAN_UP);
    let storage = S3Storage::new(late.clone(), "lake", "", options());
    let began = Instant::now();
    let error = storage.get("k").unwrap_err();
    assert_eq!((error.code().name(), error.kind()), ("deadline", Kind::Passing), "{error}");
    assert!(began.elapsed() < Duration::from_secs(1));
    let left = late.cleaning_up().time_left().unwrap();
    assert!(left > Duration::from_secs(8), "cleaning up still has its time: {left:?}");
}

#[test]
fn keys_that_s3_does_not_take_are_refused() {
    let aws = Aws::of_tests(runtime().handle().clone(), "http://127.0.0.1:1");
    let storage = S3Storage::new(aws, "lake", "p", options());
    for key in ["", &"k".repeat(1023)] {
        assert_eq!(storage.stat(key).unwrap_err().code().name(), "storage_key");
    }
}
