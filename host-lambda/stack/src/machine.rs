//! State machines in Amazon States Language: one object from its event to queryable, and the comparison of sources
//! with tables.
//!
//! Not for what starts them (`triggers`, `watch`), nor for a backfill's (`backfill`). Decisions to know:
//!
//! * Success is told only when the data is queryable: at once where the host registers tables itself, and behind a
//!   crawler's run that began after the files were there otherwise. A run that somebody else began since counts. Where
//!   part files that arrive start the crawler, the machine leaves it alone.
//! * The function tells what it knows best, an object at fault; the machine tells what no function could: that it was
//!   not reached, took too long, or that the crawler failed.
//! * A duplicate event starts a second execution, which the function recognises: nothing is made, crawled or told.

use serde_json::{Map, Value, json};

use lakegate_config::{Catalog, Trigger};

use crate::plan::{Own, Plan, starts_on_arrival};
use crate::policy::topic_arn;
use crate::template::{Role, Template};
use crate::{attribute, prefixed, sub};

/// Between two looks at a crawler, which takes a minute or more.
const LOOK_SECONDS: u32 = 20;
/// How long one object may be on its way, with every retry and a crawler that is busy with others.
const MACHINE_SECONDS: u32 = 6 * 3_600;
/// The second in which a state was entered: Glue tells starts in whole seconds, and a run looks at no file within its
/// first one.
const SECOND: &str =
    "States.Format('{}Z', States.ArrayGetItem(States.StringSplit($$.State.EnteredTime, '.Z'), 0))";
/// How long one call of a service may take.
const CALL_SECONDS: u32 = 60;
/// What may pass, by the names that Lambda and Step Functions have for it.
pub const PASSING: [&str; 8] = [
    "Lakegate.PassingTrouble",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Sandbox.Timedout",
    "States.Timeout",
];

/// A state machine.
pub struct Machine {
    /// Name of its file and, behind the stack's, its own.
    pub name: String,
    /// Logical id.
    pub id: String,
    /// What it does; `${Function}` stands for the function's ARN, and the same for all else that a stack names.
    pub definition: Value,
    /// Statements of its role.
    allowed: Vec<Value>,
    /// Values of what `${…}` stands for.
    substitutions: Map<String, Value>,
}

impl Machine {
    /// Lets its role do one thing more.
    pub fn allow(&mut self, statement: Value) {
        self.allowed.push(statement);
    }

    /// Adds the machine and its role.
    pub fn add(&self, plan: &Plan<'_>, template: &mut Template) {
        let name = prefixed(plan.stack, &self.name, 80);
        let role = Role {
            service: "states",
            source: Some(format!(
                "arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:stateMachine:{name}"
            )),
            managed: Value::Null,
            allowed: Some(("work", self.allowed.clone())),
        };
        let role_name = prefixed(plan.stack, &format!("{}-machine", self.name), 64);
        template.add(&format!("{}Role", self.id), "AWS::IAM::Role", role.properties(&role_name));
        let skipped = json!({"checkov": {"skip": [
            {"id": "CKV_AWS_285", "comment": "a standard workflow keeps the history of each execution for 90 days"},
        ]}});
        let properties = json!({
            "StateMachineName": name,
            "RoleArn": attribute(&format!("{}Role", self.id), "Arn"),
            "TracingConfiguration": {"Enabled": plan.stack.tracing},
            "DefinitionSubstitutions": self.substitutions,
            "Definition": self.definition,
        });
        let more = json!({"Metadata": skipped});
        template.add_with(&self.id, "AWS::StepFunctions::StateMachine", more, properties);
    }
}

/// The machines of a plan.
pub fn all(plan: &Plan<'_>) -> Vec<Machine> {
    let started = |own: &&Own<'_>| own.pipeline.trigger == Trigger::StepFunctions;
    let mut machines: Vec<Machine> =
        plan.pipelines.iter().filter(started).map(|own| of_pipeline(plan, own)).collect();
    if plan.stack.reconcile_seconds.is_some() {
        machines.push(reconcile(plan));
    }
    machines
}

/// An object of a pipeline, from its event to queryable.
fn of_pipeline(plan: &Plan<'_>, own: &Own<'_>) -> Machine {
    let notify = &own.pipeline.notify;
    let crawler = match &own.pipeline.catalog {
        // Part files that arrive start theirs: the function waits for it, if that is wanted, and one more start would
        // be one more run for each object.
        Catalog::Crawler { crawler, .. } if !starts_on_arrival(own.pipeline) => Some(crawler.as_str()),
        _ => None,
    };
    let tells = notify.success.is_some() || notify.quarantine.is_some();
    let told = if tells { "Tell" } else { "Queryable" };
    let mut states = Map::new();
    let mut state = |name: &str, value: Value| _ = states.insert(name.to_owned(), value);
    let failed = if notify.failure.is_some() { "TellFailure" } else { "Failed" };
    state("Take", take(plan, failed));
    state("WhatCame", what_came(crawler.map_or(told, |_| "Published")));
    for (name, comment) in [
        ("Duplicate", "Another execution has taken this object."),
        ("NothingTaken", "Nothing was to be taken: see `took` for the reason."),
    ] {
        state(name, json!({"Type": "Succeed", "Comment": comment}));
    }
    state(
        "Refused",
        json!({"Type": "Fail", "Error": "Lakegate.OwnFault", "Cause": "The object is an output of a pipeline: taking it would be a loop."}),
    );
    state(
        "AtFault",
        json!({"Type": "Fail", "Comment": "The function has recorded and told it.", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}),
    );
    if crawler.is_some() {
        crawl(told, failed, &mut state);
    }
    if tells {
        state("Tell", tell(failed));
    }
    if notify.failure.is_some() {
        state("TellFailure", tell_failure(&own.pipeline.name));
    }
    state("Queryable", json!({"Type": "Succeed"}));
    state("Failed", json!({"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}));
    let definition = json!({
        "Comment": format!("One object of {} from its event to queryable", own.pipeline.name),
        "StartAt": "Take",
        "TimeoutSeconds": MACHINE_SECONDS,
        "States": states,
    });
    let topics = crate::policy::topics(own.pipeline).map(|arn| sub(&arn)).collect();
    let mut machine = machine(plan, &own.pipeline.name, &format!("Machine{}", own.id), definition, topics);
    if let Some(crawler) = crawler {
        let arn = sub(&format!(
            "arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:crawler/{crawler}"
        ));
        machine.allow(allow(&["glue:StartCrawler", "glue:GetCrawler"], arn));
        machine.substitutions.insert("Crawler".to_owned(), Value::from(crawler));
    }
    if let Some(topic) = &notify.failure {
        machine.substitutions.insert("FailureTopic".to_owned(), sub(&topic_arn(topic)));
    }
    machine
}

/// A machine that calls the function and may tell topics.
pub fn machine(plan: &Plan<'_>, name: &str, id: &str, definition: Value, topics: Vec<Value>) -> Machine {
    let mut allowed = vec![allow(&["lambda:InvokeFunction"], attribute("Function", "Arn"))];
    if !topics.is_empty() {
        allowed.push(allow(&["sns:Publish"], Value::Array(topics)));
    }
    if let (true, Some(key)) = (allowed.len() > 1, &plan.stack.kms_key) {
        allowed.push(allow(&["kms:GenerateDataKey", "kms:Decrypt"], Value::from(key.as_str())));
    }
    if plan.stack.tracing {
        // X-Ray has no resources.
        let actions = [
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        ];
        allowed.push(allow(&actions, Value::from("*")));
    }
    let substitutions = Map::from_iter([("Function".to_owned(), attribute("Function", "Arn"))]);
    Machine { name: name.to_owned(), id: id.to_owned(), definition, allowed, substitutions }
}

pub fn allow(actions: &[&str], resource: Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

/// A task; the last state where no other is named.
pub fn task(resource: &str, seconds: u32, parameters: Value, next: Option<&str>) -> Value {
    let (key, value) = next.map_or(("End", Value::from(true)), |next| ("Next", Value::from(next)));
    json!({
        "Type": "Task",
        "Resource": resource,
        "TimeoutSeconds": seconds,
        "Parameters": parameters,
        key: value,
    })
}

pub fn again(errors: &[&str], attempts: u32) -> Value {
    json!({
        "ErrorEquals": errors,
        "IntervalSeconds": 5,
        "BackoffRate": 2,
        "MaxDelaySeconds": 300,
        "MaxAttempts": attempts,
        "JitterStrategy": "FULL",
    })
}

pub fn caught(errors: &[&str], next: &str) -> Value {
    json!({"ErrorEquals": errors, "ResultPath": "$.error", "Next": next})
}

/// The function takes exactly the object of the event.
fn take(plan: &Plan<'_>, failed: &str) -> Value {
    let parameters = json!({
        "FunctionName": "${Function}",
        "Payload": {"event.$": "$", "execution.$": "$$.Execution.Id"},
    });
    let mut state =
        task("arn:aws:states:::lambda:invoke", plan.stack.timeout_seconds + 30, parameters, Some("WhatCame"));
    state["ResultSelector"] = json!({"object.$": "$.Payload.objects[0]"});
    state["ResultPath"] = Value::from("$.took");
    state["Retry"] = json!([again(&PASSING, 8)]);
    state["Catch"] = json!([caught(&["Lakegate.BadInput"], "AtFault"), caught(&["States.ALL"], failed)]);
    state
}

fn what_came(next: &str) -> Value {
    let is = |state: &str| json!({"Variable": "$.took.object.state", "StringEquals": state});
    let taken = ["made", "replaced", "rolledForward", "nothingToDo"].map(is);
    json!({
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.took.object.duplicate", "BooleanEquals": true, "Next": "Duplicate"},
            {"Or": taken, "Next": next},
            {"Variable": "$.took.object.state", "StringEquals": "refused", "Next": "Refused"},
        ],
        "Default": "NothingTaken",
    })
}

/// A run of the crawler that begins after the files were there.
fn crawl(next: &str, failed: &str, state: &mut impl FnMut(&str, Value)) {
    let glue = |action: &str, next: &str| {
        let mut state = task(
            &format!("arn:aws:states:::aws-sdk:glue:{action}"),
            CALL_SECONDS,
            json!({"Name": "${Crawler}"}),
            Some(next),
        );
        state["Retry"] = json!([again(
            &["Glue.ThrottlingException", "Glue.OperationTimeoutException", "States.Timeout"],
            8
        )]);
        state["Catch"] = json!([caught(&["States.ALL"], failed)]);
        state
    };
    state(
        "Published",
        json!({
            "Type": "Pass",
            "Comment": "From now on a run sees the files.",
            "Parameters": {"at.$": SECOND},
            "ResultPath": "$.published",
            "Next": "StartCrawler",
        }),
    );
    let mut start = glue("startCrawler", "WaitForCrawler");
    start["ResultPath"] = Value::from("$.started");
    start["Catch"] =
        json!([caught(&["Glue.CrawlerRunningException"], "WaitForCrawler"), caught(&["States.ALL"], failed)]);
    state("StartCrawler", start);
    state("WaitForCrawler", json!({"Type": "Wait", "Seconds": LOOK_SECONDS, "Next": "LookAtCrawler"}));
    let mut look = glue("getCrawler", "IsCrawled");
    look["ResultPath"] = Value::from("$.crawler");
    state("LookAtCrawler", look);
    state("IsCrawled", is_crawled(next));
    state(
        "CrawlerFailed",
        json!({
            "Type": "Pass",
            "Parameters": {
                "Error": "Lakegate.CrawlerFailed",
                "Cause.$": "States.Format('the crawler ended as {}: the files are published; mend it or its role, and start it', $.crawler.Crawler.LastCrawl.Status)",
            },
            "ResultPath": "$.error",
            "Next": failed,
        }),
    );
}

/// Whether the crawler's last run saw the files, and how it ended.
fn is_crawled(next: &str) -> Value {
    let last = |name: &str| format!("$.crawler.Crawler.LastCrawl.{name}");
    json!({
        "Type": "Choice",
        "Choices": [
            {"Not": {"Variable": "$.crawler.Crawler.State", "StringEquals": "READY"}, "Next": "WaitForCrawler"},
            {
                "Comment": "That run began before the files were there: it may not have seen them.",
                "Or": [
                    {"Variable": last("StartTime"), "IsPresent": false},
                    {"Variable": last("StartTime"), "TimestampLessThanPath": "$.published.at"},
                ],
                "Next": "StartCrawler",
            },
            {"Variable": last("Status"), "StringEquals": "SUCCEEDED", "Next": next},
        ],
        "Default": "CrawlerFailed",
    })
}

/// The notices that the function has written, one after the other.
fn tell(failed: &str) -> Value {
    let mut publish = task(
        "arn:aws:states:::sns:publish",
        CALL_SECONDS,
        json!({
            "TopicArn.$": "$.topicArn",
            "Subject.$": "$.subject",
            "Message.$": "$.message",
            "MessageAttributes.$": "$.attributes",
        }),
        None,
    );
    publish["Retry"] = json!([again(&["States.ALL"], 8)]);
    json!({
        "Type": "Map",
        "ItemsPath": "$.took.object.notices",
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Publish",
            "States": {"Publish": publish},
        },
        "ResultPath": Value::Null,
        "Catch": [caught(&["States.ALL"], failed)],
        "Next": "Queryable",
    })
}

/// What no function could tell, in the form of its own notices.
fn tell_failure(pipeline: &str) -> Value {
    let parameters = json!({
        "TopicArn": "${FailureTopic}",
        "Subject": format!("Lakegate: an object of {pipeline} failed"),
        "Message": {
            "version": 1,
            "event": "failure",
            "pipeline": pipeline,
            "source": {"uri.$": "States.Format('s3://{}/{}', $.detail.bucket.name, $.detail.object.key)"},
            "code.$": "$.error.Error",
            "message.$": "$.error.Cause",
            "execution.$": "$$.Execution.Id",
        },
        "MessageAttributes": {
            "pipeline": {"DataType": "String", "StringValue": pipeline},
            "event": {"DataType": "String", "StringValue": "failure"},
        },
    });
    let mut state = task("arn:aws:states:::sns:publish", CALL_SECONDS, parameters, Some("Failed"));
    state["ResultPath"] = Value::from("$.told");
    state["Retry"] = json!([again(&["States.ALL"], 8)]);
    state
}

/// Source and tables of every pipeline, a part at a time.
fn reconcile(plan: &Plan<'_>) -> Machine {
    let mut look = task(
        "arn:aws:states:::lambda:invoke",
        plan.stack.timeout_seconds + 30,
        json!({
            "FunctionName": "${Function}",
            "Payload": {"lakegate": "reconcile", "pipeline.$": "$.pipeline", "cursor.$": "$.cursor"},
        }),
        Some("IsMore"),
    );
    look["ResultSelector"] = json!({"pipeline.$": "$.Payload.pipeline", "cursor.$": "$.Payload.next"});
    look["Retry"] = json!([again(&PASSING, 8)]);
    let definition = json!({
        "Comment": "What lies in the sources and is not in the tables, and the other way round",
        "StartAt": "Pipelines",
        "TimeoutSeconds": 24 * 3_600,
        "States": {
            "Pipelines": {
                "Type": "Map",
                "ItemsPath": "$.pipelines",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Look",
                    "States": {
                        "Look": look,
                        "IsMore": {
                            "Type": "Choice",
                            "Choices": [{"Variable": "$.cursor", "IsNull": false, "Next": "Look"}],
                            "Default": "Looked",
                        },
                        "Looked": {"Type": "Succeed"},
                    },
                },
                "ResultPath": Value::Null,
                "End": true,
            },
        },
    });
    machine(plan, "reconcile", "Reconcile", definition, Vec::new())
}

/// What a schedule gives the comparison.
pub fn reconcile_input(plan: &Plan<'_>) -> Value {
    let start = |own: &Own<'_>| json!({"pipeline": own.pipeline.name, "cursor": null});
    let pipelines: Vec<Value> = plan.pipelines.iter().map(start).collect();
    Value::from(json!({"pipelines": pipelines}).to_string())
}
