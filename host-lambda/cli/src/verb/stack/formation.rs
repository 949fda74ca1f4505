//! A stack as CloudFormation has it: its state, its template, its resources.
//!
//! Not for comparing. The decision to know: the template is the one that was sent, before the transform of SAM, since that
//! is what is rendered.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{StackResourceSummary, TemplateStage};
use lakegate_aws::client::Aws;
use lakegate_base::Error;
use std::collections::BTreeMap;

/// A deployed stack.
pub(super) struct Stack {
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) template: String,
    /// By logical id.
    pub(super) parts: BTreeMap<String, Part>,
}

/// A resource of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Type.
    pub(super) kind: String,
    /// What the service calls it.
    pub(super) name: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    /// As the last detection of drift found it, if there was any.
    drift: Option<String>,
}

impl Part {
    pub(super) fn is_complete(&self) -> bool {
        is_complete(&self.status)
    }

    pub(super) fn is_drifted(&self) -> bool {
        self.drift.as_ref().is_some_and(|drift| drift == "MODIFIED" || drift == "DELETED")
    }
}

/// Whether a state is one that somebody wanted; what was rolled back is complete, and is not.
fn is_complete(status: &str) -> bool {
    status.ends_with("_COMPLETE") && !status.contains("ROLLBACK")
}

impl Stack {
    /// Reads all of it; `None` where there is no stack of the name.
    ///
    /// # Errors
    /// The service's.
    pub(super) fn read(aws: &Aws, name: &str) -> Result<Option<Self>, Error> {
        let client = Client::new(aws.config());
        aws.wait(Self::ask(aws, &client, name))
    }

    async fn ask(aws: &Aws, client: &Client, name: &str) -> Result<Option<Self>, Error> {
        let answer = client.describe_stacks().stack_name(name).send().await;
        let said = answer.as_ref().err().and_then(|error| error.as_service_error()?.meta().message());
        if said.is_some_and(|said| said.contains("does not exist")) {
            return Ok(None);
        }
        let ready = std::future::ready(answer);
        let mut answer = aws.ask("cloudformation:DescribeStacks", name, ready).await?;
        let Some(stack) = answer.stacks.take().and_then(|stacks| stacks.into_iter().next()) else {
            return Ok(None);
        };
        let call = client.get_template().stack_name(name).template_stage(TemplateStage::Original).send();
        let template = aws.ask("cloudformation:GetTemplate", name, call).await?;
        let outputs = stack
            .outputs()
            .iter()
            .filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
        Ok(Some(Self {
            status: stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned()),
            reason: stack.stack_status_reason().map(str::to_owned),
            outputs: outputs.collect(),
            template: template.template_body.unwrap_or_default(),
            parts: Self::parts(aws, client, name).await?,
        }))
    }

    async fn parts(aws: &Aws, client: &Client, name: &str) -> Result<BTreeMap<String, Part>, Error> {
        let mut found = BTreeMap::new();
        let mut token: Option<String> = None;
        loop {
            let call = client.list_stack_resources().stack_name(name).set_next_token(token).send();
            let page = aws.ask("cloudformation:ListStackResources", name, call).await?;
            found.extend(page.stack_resource_summaries().iter().filter_map(part));
            match page.next_token {
                Some(next) => token = Some(next),
                None => return Ok(found),
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        // An update that was rolled back left the stack as it was, which is not what was wanted.
        is_complete(&self.status)
    }
}

fn part(summary: &StackResourceSummary) -> Option<(String, Part)> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let drift = summary.drift_information().and_then(|drift| drift.stack_resource_drift_status());
    let part = Part {
        kind: text(summary.resource_type()),
        name: text(summary.physical_resource_id()),
        status: text(summary.resource_status().map(|status| status.as_str())),
        reason: summary.resource_status_reason().map(str::to_owned),
        drift: drift.map(|drift| drift.as_str().to_owned()),
    };
    Some((summary.logical_resource_id()?.to_owned(), part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rolled_back_is_not_complete() {
        let states = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"];
        assert!(states.iter().all(|status| is_complete(status)));
        let others = ["UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_IN_PROGRESS", ""];
        assert!(!others.iter().any(|status| is_complete(status)));
    }
}
