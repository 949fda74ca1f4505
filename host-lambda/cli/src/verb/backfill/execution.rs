//! The state machine of a stack's backfills: start, look, count.
//!
//! Not for what it does (`lakegate-stack` renders that). The decision to know: the name of an execution is that of its
//! manifest, and AWS runs no two executions of one name; so to start once more is to find the one that runs.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use lakegate_aws::client::Aws;
use lakegate_base::{Code, Error};
use lakegate_config::Stack;
use lakegate_stack::backfill_machine;

/// Names that are tried for what was begun and ended without an end: AWS keeps each for 90 days.
const ATTEMPTS: u32 = 100;

/// A deployed machine.
pub(super) struct Machine<'a> {
    aws: &'a Aws,
    client: Client,
    /// The ARN up to the name of an execution.
    executions: String,
    arn: String,
    name: String,
}

/// How an execution stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// AWS's word.
    pub(super) status: String,
    pub(super) runs: bool,
    /// Why it did not succeed.
    pub(super) why: Option<String>,
}

/// Batches of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: u64,
    pub(super) taken: u64,
    pub(super) failed: u64,
}

impl<'a> Machine<'a> {
    /// That of a stack, in the account and region in use; it need not be there.
    ///
    /// # Errors
    /// There are no credentials, or no region.
    pub(super) fn of(aws: &'a Aws, stack: &Stack) -> Result<Self, Error> {
        let config = aws.config();
        let region = config.region().ok_or_else(|| {
            Error::usage("no region is set").with_hint("set AWS_REGION to that of the stack")
        })?;
        let account = aws.wait(aws.account())?;
        let (name, partition, id) = (backfill_machine(stack), &account.partition, &account.id);
        let here = |kind: &str| format!("arn:{partition}:states:{region}:{id}:{kind}:{name}");
        Ok(Self {
            aws,
            client: Client::new(config),
            executions: here("execution"),
            arn: here("stateMachine"),
            name,
        })
    }

    /// The ARN of an execution of that name.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}:{name}", self.executions)
    }

    /// Refuses to go on without the machine, before anything is listed.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn check(&self) -> Result<(), Error> {
        let call = self.client.describe_state_machine().state_machine_arn(&self.arn).send();
        let answer = self.aws.wait(call);
        if answer.as_ref().is_err_and(|error| {
            error.as_service_error().is_some_and(|error| error.is_state_machine_does_not_exist())
        }) {
            return Err(self.not_there());
        }
        self.aws.wait(self.aws.ask("states:DescribeStateMachine", &self.arn, std::future::ready(answer)))?;
        Ok(())
    }

    fn not_there(&self) -> Error {
        Error::new(Code::ResourceMissing, format!("there is no state machine {}", self.name)).with_hint(
            "`lakegate stack render` writes it and `sam deploy` deploys it; AWS_REGION and the account must be the stack's",
        )
    }

    /// Starts an execution, or finds the one that runs; its ARN. Of one name after another, where what had it is over.
    ///
    /// # Errors
    /// The machine is not there, or the service's.
    pub(super) fn start(&self, id: &str, input: &str) -> Result<String, Error> {
        for attempt in 1..=ATTEMPTS {
            let name = if attempt == 1 { id.to_owned() } else { format!("{id}-{attempt}") };
            let call = self.client.start_execution().state_machine_arn(&self.arn).name(&name).input(input);
            let answer = self.aws.wait(call.send());
            let error = answer.as_ref().err().and_then(|error| error.as_service_error());
            if error.is_some_and(|error| error.is_state_machine_does_not_exist()) {
                return Err(self.not_there());
            }
            if !error.is_some_and(|error| error.is_execution_already_exists()) {
                let ask = self.aws.ask("states:StartExecution", &self.arn, std::future::ready(answer));
                return Ok(self.aws.wait(ask)?.execution_arn);
            }
            let there = self.named(&name);
            if self.look(&there)?.is_some_and(|standing| standing.runs) {
                return Ok(there);
            }
        }
        Err(Error::new(Code::Conflict, format!("{ATTEMPTS} backfills of the same objects came to nothing"))
            .with_hint(
                "the log of the function says why; `lakegate backfill` without --distributed takes them here",
            ))
    }

    /// How an execution stands; `None` where there is none.
    ///
    /// # Errors
    /// The service's.
    pub(super) fn look(&self, execution: &str) -> Result<Option<Standing>, Error> {
        let answer = self.aws.wait(self.client.describe_execution().execution_arn(execution).send());
        if answer.as_ref().is_err_and(|error| {
            error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist())
        }) {
            return Ok(None);
        }
        let ask = self.aws.ask("states:DescribeExecution", execution, std::future::ready(answer));
        let seen = self.aws.wait(ask)?;
        let why = [seen.error(), seen.cause()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        Ok(Some(Standing {
            status: seen.status().as_str().to_owned(),
            runs: matches!(seen.status(), ExecutionStatus::Running),
            why: Some(why).filter(|why| !why.is_empty()),
        }))
    }

    /// Its batches so far; nothing before the manifest is read.
    ///
    /// # Errors
    /// The service's.
    pub(super) fn counts(&self, execution: &str) -> Result<Counts, Error> {
        let runs = self.client.list_map_runs().execution_arn(execution).send();
        let runs = self.aws.wait(self.aws.ask("states:ListMapRuns", execution, runs))?;
        let mut counts = Counts::default();
        for run in runs.map_runs() {
            let call = self.client.describe_map_run().map_run_arn(run.map_run_arn()).send();
            let seen = self.aws.wait(self.aws.ask("states:DescribeMapRun", run.map_run_arn(), call))?;
            let Some(items) = seen.item_counts() else { continue };
            let counted = |count: i64| u64::try_from(count).unwrap_or_default();
            counts.all += counted(items.total());
            counts.taken += counted(items.succeeded());
            counts.failed += counted(items.failed()) + counted(items.timed_out()) + counted(items.aborted());
        }
        Ok(counts)
    }
}
