//! The way to AWS: one configuration, one set of clients, one place where time limits are kept.
//!
//! Not for what is asked of a service: storage, catalog and notices do that. Decisions to know:
//!
//! * The flow is synchronous. [`Aws::wait`] runs a future from a blocking thread (the command's main
//!   thread, or `spawn_blocking` in Lambda); called from async code it panics.
//! * The SDK waits for ever by default. Here every call ends: by the constants below, and before the
//!   invocation's deadline, with [`CLEAN_UP`] left for aborting what was begun.
//! * Every call is counted by name ([`Aws::calls`]): that nothing beyond the documented list of
//!   permissions is used is a test, not a promise.

mod account;
mod calls;
mod error;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::runtime::Handle;

pub use account::Account;
use calls::Calls;
pub use error::{AwsError, Fault};

/// Attempts of one call: a SlowDown passes within the four pauses between them, an outage does not
/// within any number that fits in an invocation.
const ATTEMPTS: u32 = 5;
/// A connection inside a region stands within milliseconds; from a laptop across the world within one second.
const CONNECT: Duration = Duration::from_secs(4);
/// From the request's first byte to the answer's first: a part of 8 MiB at 2 Mbit/s takes half of it.
const ANSWER: Duration = Duration::from_secs(60);
/// One attempt in all.
const ATTEMPT: Duration = Duration::from_secs(90);
/// One call with its attempts and the pauses between them.
const OPERATION: Duration = Duration::from_secs(240);
/// A body that moves less than a byte a second for so long is given up (and asked for again).
const STALLED: Duration = Duration::from_secs(15);
/// Left of an invocation for aborting uploads and recording the failure; also the longest that
/// cleaning up may take where there is no deadline.
pub const CLEAN_UP: Duration = Duration::from_secs(10);
/// Left of an invocation for its answer, also by cleaning up.
const ANSWERING: Duration = Duration::from_secs(1);
/// Where an endpoint is named and no region: signatures need one, local peers take any.
const REGION_OF_ENDPOINTS: &str = "us-east-1";

/// Clients, counters and the deadline. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    shared: Arc<Shared>,
    deadline: Option<Instant>,
    /// Kept free before the deadline.
    reserve: Duration,
}

struct Shared {
    runtime: Handle,
    config: SdkConfig,
    calls: Calls,
    s3: OnceLock<aws_sdk_s3::Client>,
    glue: OnceLock<aws_sdk_glue::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    account: Mutex<Option<Account>>,
}

impl Aws {
    /// As the environment and the profile say: `AWS_PROFILE`, SSO, credential processes, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL`. Nothing is asked of a service yet; what is missing shows at the first call.
    pub fn from_env(runtime: Handle) -> Self {
        let mut config = runtime.block_on(loader().load());
        if config.region().is_none() && config.endpoint_url().is_some() {
            config = config.to_builder().region(Region::new(REGION_OF_ENDPOINTS)).build();
        }
        Self::new(runtime, config)
    }

    /// With a configuration made elsewhere; it should hold its own timeouts.
    pub fn new(runtime: Handle, config: SdkConfig) -> Self {
        let shared = Shared {
            runtime,
            config,
            calls: Calls::default(),
            s3: OnceLock::new(),
            glue: OnceLock::new(),
            sns: OnceLock::new(),
            account: Mutex::default(),
        };
        Self { shared: Arc::new(shared), deadline: None, reserve: CLEAN_UP }
    }

    /// The same clients and counters, whose calls end [`CLEAN_UP`] before `deadline`.
    #[must_use]
    pub fn with_deadline(&self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// The same, whose calls end within a time from now, if not before.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let ends = Instant::now() + time + self.reserve;
        Self { deadline: Some(self.deadline.map_or(ends, |deadline| deadline.min(ends))), ..self.clone() }
    }

    /// For cleaning up: may use the time that is kept free for it, and no more.
    #[must_use]
    pub fn cleaning_up(&self) -> Self {
        let latest = Instant::now() + CLEAN_UP;
        let before = |deadline: Instant| deadline.checked_sub(ANSWERING).unwrap_or(deadline);
        let deadline = self.deadline.map_or(latest, |deadline| before(deadline).min(latest));
        Self { deadline: Some(deadline), reserve: Duration::ZERO, ..self.clone() }
    }

    /// S3; path-style addresses where an endpoint is named, since local peers have no wildcard names.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.shared.s3.get_or_init(|| {
            let named = self.shared.config.endpoint_url().is_some()
                || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
            // Checksums are named per request: where they guard something, and only there. Ranges have none.
            let config = aws_sdk_s3::config::Builder::from(&self.shared.config)
                .force_path_style(named)
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
                .interceptor(self.shared.calls.clone())
                .build();
            aws_sdk_s3::Client::from_conf(config)
        })
    }

    /// The Glue catalog.
    pub fn glue(&self) -> &aws_sdk_glue::Client {
        self.shared.glue.get_or_init(|| {
            let config = aws_sdk_glue::config::Builder::from(&self.shared.config)
                .interceptor(self.shared.calls.clone())
                .build();
            aws_sdk_glue::Client::from_conf(config)
        })
    }

    /// Notices.
    pub fn sns(&self) -> &aws_sdk_sns::Client {
        self.shared.sns.get_or_init(|| {
            let config = aws_sdk_sns::config::Builder::from(&self.shared.config)
                .interceptor(self.shared.calls.clone())
                .build();
            aws_sdk_sns::Client::from_conf(config)
        })
    }

    /// The configuration, for what needs a service beyond these.
    pub fn config(&self) -> &SdkConfig {
        &self.shared.config
    }

    /// How often each call was made so far, by `service:Operation`, attempts not counted apart.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.shared.calls.counted()
    }

    /// What tasks are spawned on.
    pub fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// Runs a future to its end from a blocking thread.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.shared.runtime.block_on(future)
    }

    /// When further calls end; `None` where there is no deadline.
    pub fn ends(&self) -> Option<Instant> {
        let deadline = self.deadline?;
        Some(deadline.checked_sub(self.reserve).unwrap_or_else(Instant::now))
    }

    /// Time for further calls; `None` where there is no deadline.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()).saturating_sub(self.reserve))
    }

    /// One call within the time left. `call` is `service:Operation`, `resource` what it is about; both
    /// are for the message.
    ///
    /// # Errors
    /// The service's answer, the way there, or the deadline.
    pub async fn ask<T, E>(
        &self,
        call: &'static str,
        resource: &str,
        future: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let answer = match self.time_left() {
            None => future.await,
            Some(left) => match tokio::time::timeout(left, future).await {
                Ok(answer) => answer,
                Err(_) => return Err(AwsError::late(call, resource)),
            },
        };
        answer.map_err(|error| AwsError::of(call, resource, &error))
    }
}

fn loader() -> aws_config::ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .retry_config(retries())
        .timeout_config(timeouts())
        .stalled_stream_protection(stalls())
}

fn http_client() -> aws_sdk_s3::config::SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ANSWER)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn stalls() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().upload_enabled(true).grace_period(STALLED).build()
}

#[cfg(test)]
impl Aws {
    /// Against an endpoint of the tests; without credentials in the environment with some that mean nothing.
    pub(crate) fn of_tests(runtime: Handle, endpoint: &str) -> Self {
        let loader = loader().endpoint_url(endpoint).region(Region::new(REGION_OF_ENDPOINTS));
        let loader = match std::env::var_os("AWS_ACCESS_KEY_ID") {
            Some(_) => loader,
            None => loader.test_credentials(),
        };
        let config = runtime.block_on(loader.load());
        Self::new(runtime, config)
    }
}
