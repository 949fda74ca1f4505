//! Ends the process after an answer where a guest has not come back.
//!
//! Not for what the answer says. The decision to know: the answer is posted first, with everything that was not taken in
//! it, and Lambda starts another process for the next event; one that came to this process would share its processor with
//! a guest that never ends.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use lakegate_sandbox::runaways;
use lambda_runtime::tower::Service;
use lambda_runtime::{Error, LambdaInvocation};

/// Around whatever answers an event and posts the answer.
pub(super) struct AfterRunaway<S> {
    service: S,
}

impl<S> AfterRunaway<S> {
    pub(super) fn around(service: S) -> Self {
        Self { service }
    }
}

impl<S> Service<LambdaInvocation> for AfterRunaway<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let answering = self.service.call(invocation);
        Box::pin(async move {
            let answered = answering.await;
            if runaways() > 0 {
                let stage = "process_ends";
                tracing::error!(
                    stage,
                    code = "transform_deadline",
                    "a transform does not end: the next event is for a new process"
                );
                std::process::exit(1);
            }
            answered
        })
    }
}
