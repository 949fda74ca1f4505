//! The backends that the laws run against, and what each of them cannot do.
//!
//! Not for faults: see `faults.rs`. The decision to know: every test has a place of its own (a folder, or a
//! bucket with a fresh name), so that tests run at once and nothing outlives them but a peer's buckets.

use std::sync::OnceLock;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::client::Aws;
use crate::s3::{MIN_PART_BYTES, S3Options, S3Storage};
use lakegate_lake::storage::{Storage, laws};

/// Laws that s3s-fs cannot keep.
const S3S_FS_LACKS: &[(&str, &str)] = &[
    ("put_if_absent_is_won_by_one_of_sixteen", "it looks for the key first and writes later"),
    ("replace_if_unchanged_loses_no_update", "it compares the tag first and writes later"),
    ("odd_keys_are_listed_as_they_are", "it says that listed keys are encoded, and they are not"),
    ("an_old_version_is_read_while_a_new_one_is_there", "it has no versions"),
    ("a_missing_bucket_is_named", "it makes the folder of a bucket that is missing"),
    ("another_process_publishes", "it answers AccessDenied for an upload that is gone"),
    ("an_aborted_stage_vanishes", "it answers AccessDenied for an upload that is gone"),
    ("what_is_left_over_is_found_and_aborted", "it has no ListMultipartUploads"),
    ("what_a_killed_run_left_is_swept", "it has no ListMultipartUploads"),
    ("a_run_whose_uploads_are_swept_can_begin_again", "it has no ListMultipartUploads"),
    ("a_lost_reply_of_a_completion_is_looked_up", "it answers AccessDenied for an upload that is gone"),
];

/// Laws that moto cannot keep.
const MOTO_LACKS: &[(&str, &str)] = &[
    ("an_aborted_stage_vanishes", "it answers 500 for the completion of an upload that is gone"),
    ("what_is_left_over_is_found_and_aborted", "its uploads all began in 2010"),
    ("a_run_whose_uploads_are_swept_can_begin_again", "it answers 500 for a part of an upload that is gone"),
];

/// One runtime for all tests: a storage of the tests may outlive its test's stack, never the process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    })
}

/// A backend with a place of its own.
pub(crate) struct Peer {
    endpoint: String,
    bucket: String,
    folder: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
    lacks: &'static [(&'static str, &'static str)],
}

impl Peer {
    /// S3 in this process, over a temporary folder.
    pub(crate) fn s3s_fs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lake")).unwrap();
        let (server, endpoint) = serve(folder.path());
        Self { endpoint, bucket: "lake".into(), folder, server: Some(server), lacks: S3S_FS_LACKS }
    }

    /// Another S3, if the environment names one.
    pub(super) fn endpoint() -> Option<Self> {
        let Ok(endpoint) = std::env::var("LAKEGATE_TEST_S3") else {
            lakegate_skipped::skipped("LAKEGATE_TEST_S3 names no endpoint");
            return None;
        };
        let name = tempfile::Builder::new().prefix("").rand_bytes(12).tempdir().unwrap();
        let name = name.path().file_name().unwrap().to_string_lossy().to_lowercase();
        let bucket = format!("lakegate-suite-{name}");
        let aws = Aws::of_tests(runtime().handle().clone(), &endpoint);
        aws.wait(aws.s3().create_bucket().bucket(&bucket).send()).unwrap();
        let lacks = if is_moto(&aws) { MOTO_LACKS } else { &[] };
        Some(Self { endpoint, bucket, folder: tempfile::tempdir().unwrap(), server: None, lacks })
    }

    /// True, and said so, if this backend cannot keep a law.
    pub(super) fn skips(&self, law: &str) -> bool {
        let lack = self.lacks.iter().find(|(name, _)| *name == law);
        if let Some((law, why)) = lack {
            lakegate_skipped::skipped(&format!("{law}: {why}"));
        }
        lack.is_some()
    }

    /// An S3 storage with options of its own, by way of an endpoint (this peer's, or a proxy to it).
    pub(super) fn s3(&self, endpoint: &str, options: S3Options) -> S3Storage {
        let aws = Aws::of_tests(runtime().handle().clone(), endpoint);
        S3Storage::new(aws, self.bucket(), "a lake/", options)
    }

    /// Where the objects of the bucket are files, where the peer has them in a folder.
    pub(super) fn files(&self) -> std::path::PathBuf {
        self.folder.path().join("lake")
    }

    pub(crate) fn endpoint_url(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }
}

impl laws::Peer for Peer {
    fn storage(&self) -> Box<dyn Storage> {
        Box::new(self.s3(&self.endpoint, options()))
    }

    fn no_left_overs(&self) {
        if self.server.is_some() {
            // It has no listing of uploads: they are files of its folder.
            let left = std::fs::read_dir(self.folder.path()).unwrap();
            let names = left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
            let uploads: Vec<_> = names.filter(|name| name.contains("upload")).collect();
            assert_eq!(uploads, Vec::<String>::new());
            return;
        }
        assert_eq!(self.storage().left_overs().unwrap(), []);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// The smallest parts, so that small objects have several; every unfinished upload is a left-over.
pub(super) fn options() -> S3Options {
    S3Options { part_bytes: MIN_PART_BYTES, run_limit: Duration::ZERO, ..S3Options::default() }
}

/// Moto is told by its server's name.
fn is_moto(aws: &Aws) -> bool {
    use std::io::{Read, Write};

    let endpoint = aws.config().endpoint_url().unwrap_or_default().trim_start_matches("http://");
    let mut connection = std::net::TcpStream::connect(endpoint.trim_end_matches('/')).unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.contains("Werkzeug")
}

fn serve(folder: &std::path::Path) -> (JoinHandle<()>, String) {
    let files = s3s_fs::FileSystem::new(folder).unwrap();
    let mut service = s3s::service::S3ServiceBuilder::new(files);
    // Requests are signed, so it wants to know the keys.
    let keys = keys();
    service.set_auth(s3s::auth::SimpleAuth::from_single(keys.0, keys.1));
    let service = service.build();
    let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = runtime().spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let connections = auto::Builder::new(TokioExecutor::new());
                // A client that goes away is none of the server's trouble.
                let _ended = connections.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    (server, endpoint)
}

/// What [`Aws::of_tests`] signs with.
fn keys() -> (String, String) {
    use aws_sdk_s3::config::ProvideCredentials;

    let aws = Aws::of_tests(runtime().handle().clone(), "http://127.0.0.1:1");
    let provider = aws.config().credentials_provider().unwrap();
    let keys = aws.wait(provider.provide_credentials()).unwrap();
    (keys.access_key_id().into(), keys.secret_access_key().into())
}
