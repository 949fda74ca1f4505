//! The Lambda function: start-up, then one event after the other.
//!
//! Not for what an event means (`lakegate-aws`). Decisions to know:
//!
//! * All that can be done once is done before the first event is asked for: Lambda gives the start the
//!   processor of a full machine, and an error there is seen at deployment and not in a queue.
//! * The flow is synchronous and runs on a thread of its own, so that the runtime's loop is never held up.

#![forbid(unsafe_code)]

mod init_error;
mod replaced;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::layer::layer_fn;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use lakegate_aws::client::Aws;
use lakegate_aws::deployed::{Answered, Deployed, Home, Refusal, Request, Share};
use lakegate_aws::observe::log;
use lakegate_base::{Code, Error, Result};
use lakegate_config::Config;

/// Threads of the runtime: one for requests, one for what a blocking thread waits for.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let begun = Instant::now();
    if let Err(error) = log::install(std::io::stdout(), log::level()) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(code = "runtime", "no threads: {error}");
                return ExitCode::FAILURE;
            }
        };
    let deployed = match start(runtime.handle().clone()) {
        Ok(deployed) => Arc::new(deployed),
        Err(error) => {
            tracing::error!(code = error.name(), hint = error.hint(), "the function cannot start: {error}");
            init_error::tell(&Refusal::of_start(&error));
            return ExitCode::FAILURE;
        }
    };
    tracing::info!(
        stage = "ready",
        milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        pipelines = deployed.config().pipelines.len() as u64,
        "waiting for events"
    );
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let deployed = deployed.clone();
        async move { answer(deployed, event).await }
    });
    let serving = async {
        let runtime = Runtime::new(handler).layer(TracingLayer::new());
        runtime.layer(layer_fn(replaced::AfterRunaway::around)).run().await
    };
    match runtime.block_on(serving) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(code = "runtime_api", "the Runtime API cannot be reached: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(runtime: tokio::runtime::Handle) -> Result<Deployed> {
    let aws = Aws::from_env(runtime);
    let config = Deployed::configuration(&aws, &Config::location()?)?;
    let home = Home::Function { memory_bytes: memory_bytes() };
    Ok(Deployed::start(aws, config, home)?.with_metrics())
}

/// The function's memory as Lambda says it, in MB that are MiB.
fn memory_bytes() -> Option<u64> {
    let text = std::env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok()?;
    Some(text.parse::<u64>().ok()? << 20)
}

async fn answer(
    deployed: Arc<Deployed>,
    event: LambdaEvent<Value>,
) -> std::result::Result<Value, Diagnostic> {
    let begun = Instant::now();
    let request = Request {
        id: event.context.request_id.clone(),
        begun,
        deadline: Some(begun + left(event.context.deadline)),
        again: false,
        execution: None,
        share: Share::WHOLE,
    };
    let worked = tokio::task::spawn_blocking(move || deployed.event(&event.payload, &request)).await;
    match worked {
        Ok(Ok(Answered::Objects(answer))) => value(&answer),
        Ok(Ok(Answered::Sqs(answer))) => value(&answer),
        Ok(Ok(Answered::Checked(answer))) => value(&answer),
        Ok(Err(refusal)) => Err(diagnostic(refusal)),
        Err(error) => Err(diagnostic(Refusal::own(format!("the flow ended without an answer: {error}")))),
    }
}

/// Time until a moment that Lambda gives as milliseconds since 1970-01-01 UTC.
fn left(deadline_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}

fn value(answer: &impl serde::Serialize) -> std::result::Result<Value, Diagnostic> {
    serde_json::to_value(answer)
        .map_err(|error| diagnostic(Refusal::own(Error::new(Code::Json, error.to_string()).to_string())))
}

/// The runtime's own way of naming an error would give the type of a box.
fn diagnostic(refusal: Refusal) -> Diagnostic {
    Diagnostic { error_type: refusal.name().into(), error_message: refusal.message }
}
