//! The function, its role and its log.
//!
//! Not for what starts it (`triggers`). The decision to know: the role has managed policies, since inline ones hold
//! too little for a dozen pipelines; they are cut by size, and the same statements make the same policies.

use serde_json::{Value, json};

use lakegate_base::{Code, Error, Result};
use lakegate_config::{Catalog, SPILL_BYTES, Trigger};

use crate::plan::{Plan, queue_arn};
use crate::policy;
use crate::policy::Allowed;
use crate::template::{Role, Template};
use crate::{attribute, prefixed, reference, sub};

/// Most managed policies of a role, as long as the account asked for no more.
const MOST_POLICIES: usize = 10;

/// What a function has below `/tmp` at least, in MiB.
const LEAST_DISK_MIB: u64 = 512;

pub fn add(plan: &Plan<'_>, policies: &[Vec<Allowed>], template: &mut Template) {
    let stack = plan.stack;
    template
        .remark("The function, its log, and what it may do: each call on the prefixes of the configuration.");
    let log = json!({
        "LogGroupName": format!("/aws/lambda/{}", stack.name),
        "RetentionInDays": stack.log_days,
        "KmsKeyId": stack.kms_key,
    });
    let not_encrypted = json!({"Metadata": {"checkov": {"skip": [
        {"id": "CKV_AWS_158", "comment": "logs hold names, counts and codes, no value of the data; [stack] kms_key encrypts them"},
        {"id": "CKV_AWS_338", "comment": "[stack] log_days says for how long logs are wanted"},
    ]}}});
    template.add_with("FunctionLog", "AWS::Logs::LogGroup", not_encrypted, log);
    for (number, policy) in policies.iter().enumerate() {
        let id = format!("FunctionPolicy{}", number + 1);
        let statements: Vec<Value> = policy.iter().map(Allowed::in_template).collect();
        let properties = json!({
            "Description": "What the function may do",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        });
        let skipped = json!({"Metadata": {"checkov": {"skip": [
            {"id": "CKV_AWS_111", "comment": "EC2 takes no resource for the network interfaces of a function"},
        ]}}});
        let more = if stack.vpc.is_some() { skipped } else { json!({}) };
        template.add_with(&id, "AWS::IAM::ManagedPolicy", more, properties);
    }
    let managed: Vec<Value> =
        (1..=policies.len()).map(|number| reference(&format!("FunctionPolicy{number}"))).collect();
    let role = Role { service: "lambda", source: None, managed: Value::Array(managed), allowed: None };
    let name = prefixed(stack, "function", 64);
    template.add("FunctionRole", "AWS::IAM::Role", role.properties(&name));
    let skipped = json!({"checkov": {"skip": [
        {"id": "CKV_AWS_115", "comment": "queues bound the invocations at once; [stack] concurrency reserves them"},
        {"id": "CKV_AWS_116", "comment": "queues and rules have dead letters, and so have calls of a bucket"},
        {"id": "CKV_AWS_117", "comment": "nothing in a network of one's own is needed; [stack.vpc] puts it into one"},
        {"id": "CKV_AWS_173", "comment": "the environment holds no secret: the prefix of topics' ARNs"},
    ]}});
    template.add_with(
        "Function",
        "AWS::Serverless::Function",
        json!({"Metadata": skipped}),
        properties(plan),
    );
}

fn properties(plan: &Plan<'_>) -> Value {
    let stack = plan.stack;
    let called = plan.pipelines.iter().any(|own| own.pipeline.trigger == Trigger::S3);
    let failure = json!({"DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": attribute("DeadLetters", "Arn")}}});
    let vpc = stack
        .vpc
        .as_ref()
        .map(|vpc| json!({"SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.security_groups}));
    let spilled = plan.pipelines.iter().map(|own| own.pipeline.limits.spill_bytes.unwrap_or(SPILL_BYTES));
    let disk = (spilled.max().unwrap_or_default() >> 20).max(LEAST_DISK_MIB);
    json!({
        "FunctionName": stack.name,
        "CodeUri": "lakegate.zip",
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Architectures": [stack.architecture.name()],
        "MemorySize": stack.memory_mib,
        "EphemeralStorage": {"Size": disk},
        "Timeout": stack.timeout_seconds,
        "ReservedConcurrentExecutions": stack.concurrency,
        "Tracing": if stack.tracing { "Active" } else { "PassThrough" },
        "Role": attribute("FunctionRole", "Arn"),
        "LoggingConfig": {"LogGroup": reference("FunctionLog")},
        "Environment": {"Variables": {"LAKEGATE_TOPICS": sub("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:")}},
        "EventInvokeConfig": called.then_some(failure),
        "VpcConfig": vpc,
    })
}

/// Statements of the function's calls, over as few policies as hold them.
pub fn policies(plan: &Plan<'_>) -> Result<Vec<Vec<Allowed>>> {
    let queues: Vec<String> = plan.queues().map(|name| queue_arn(&name)).collect();
    let pipelines: Vec<_> = plan.pipelines.iter().map(|own| (own.pipeline, &own.tables)).collect();
    let mut all = policy::statements(plan.stack, &pipelines, &queues)?;
    all.extend(more_statements(plan));
    let policies = policy::policies(all);
    if policies.len() > MOST_POLICIES {
        let message =
            format!("the function would need {} policies, and a role has {MOST_POLICIES}", policies.len());
        return Err(Error::new(Code::ConfigInvalid, message)
            .with_hint("make two stacks of it, or ask AWS for more managed policies to a role"));
    }
    Ok(policies)
}

/// What the function's role needs beside the calls of its features.
fn more_statements(plan: &Plan<'_>) -> Vec<Allowed> {
    let stack = plan.stack;
    let log = format!(
        "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{}:*",
        stack.name
    );
    let everywhere = || vec!["*".to_owned()];
    let mut all = vec![Allowed::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], vec![log])];
    if stack.tracing {
        let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
        all.push(Allowed::new("Trace", &actions, everywhere()));
    }
    if stack.vpc.is_some() {
        // EC2 takes no resource for these.
        let actions = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ];
        all.push(Allowed::new("Network", &actions, everywhere()));
    }
    if plan.pipelines.iter().any(|own| own.pipeline.trigger == Trigger::S3) {
        let dead = queue_arn(&prefixed(stack, "dead-letters", 80));
        all.push(Allowed::new("PutAside", &["sqs:SendMessage"], vec![dead]));
    }
    if stack.lake_formation
        && plan.pipelines.iter().any(|own| matches!(own.pipeline.catalog, Catalog::Glue { .. }))
    {
        // Lake Formation takes no resource for it.
        all.push(Allowed::new("Governed", &["lakeformation:GetDataAccess"], everywhere()));
    }
    all
}
