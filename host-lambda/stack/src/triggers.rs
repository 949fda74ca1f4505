//! How objects reach the function: queues with their dead letters, rules, permissions, state machines.
//!
//! Not for what a bucket notifies (`buckets`), which is the bucket's own. Decisions to know:
//!
//! * A message is visible again after six times the function's timeout, as AWS's guide to Lambda with SQS asks for.
//! * Whoever sends to a queue or calls the function may do so for its own resource in this account alone.

use serde_json::{Value, json};

use lakegate_config::Trigger;

use crate::buckets::suffixes;
use crate::machine::Machine;
use crate::names::camel;
use crate::plan::{Own, Plan, queue_arn, starts_on_arrival};
use crate::template::{Role, Template, from_service};
use crate::{attribute, bucket_of, prefix_of, prefixed, reference, sub};

/// Deliveries of a message before it is put aside.
const DELIVERIES: u32 = 5;
/// The longest that SQS keeps a message.
const KEPT_SECONDS: u32 = 14 * 86_400;
/// Messages that an invocation takes from a pipeline's queue at most.
pub const BATCH: u32 = 10;
/// Invocations at once that a queue starts where the pipeline says nothing.
const CONCURRENCY: u32 = 10;
/// How long arrivals are collected: one start of the crawler for all of them.
const ARRIVAL_SECONDS: u32 = 60;

/// The ARN of a rule, as it follows from its name.
fn rule_arn(name: &str) -> String {
    format!("arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{name}")
}

fn bucket_arn(bucket: &str) -> Value {
    sub(&format!("arn:${{AWS::Partition}}:s3:::{bucket}"))
}

pub fn add(plan: &Plan<'_>, machines: &[Machine], template: &mut Template) {
    template.remark("What could not be processed: look, mend, and send it back.");
    queue(plan, "DeadLetters", &plan_dead(plan), None, template);
    let mut senders = Vec::new();
    for own in &plan.pipelines {
        let pipeline = own.pipeline;
        template.remark(&format!("How objects of {} come: {}.", pipeline.name, pipeline.trigger.name()));
        match pipeline.trigger {
            Trigger::Sqs | Trigger::EventBridge => with_queue(plan, own, template),
            Trigger::S3 => called(plan, own, template),
            Trigger::StepFunctions => {
                let rule = prefixed(plan.stack, &pipeline.name, 64);
                rule_to_machine(plan, own, &rule, template);
                senders.push(rule);
            }
        }
    }
    for machine in machines {
        machine.add(plan, template);
    }
    crawlers(plan, template, &mut senders);
    dead_letters_policy(plan, &senders, template);
}

fn plan_dead(plan: &Plan<'_>) -> String {
    prefixed(plan.stack, "dead-letters", 80)
}

/// A queue; with where messages go that fail.
fn queue(plan: &Plan<'_>, id: &str, name: &str, visible: Option<u32>, template: &mut Template) {
    let key = plan.stack.kms_key.as_deref();
    let redrive = visible.map(
        |_| json!({"deadLetterTargetArn": attribute("DeadLetters", "Arn"), "maxReceiveCount": DELIVERIES}),
    );
    let properties = json!({
        "QueueName": name,
        "MessageRetentionPeriod": KEPT_SECONDS,
        "VisibilityTimeout": visible,
        "KmsMasterKeyId": key,
        "SqsManagedSseEnabled": key.is_none().then_some(true),
        "RedrivePolicy": redrive,
    });
    let skipped = json!({"Metadata": {"checkov": {"skip": [
        {"id": "CKV_AWS_27", "comment": "encrypted by keys of SQS; messages name objects, and [stack] kms_key encrypts them with a key of the account"},
    ]}}});
    template.add_with(id, "AWS::SQS::Queue", skipped, properties);
}

/// Six times the timeout, and what messages are collected for.
fn visible(plan: &Plan<'_>, collected: u32) -> u32 {
    6 * plan.stack.timeout_seconds + collected
}

fn queue_policy(id: &str, statements: &[Value], template: &mut Template) {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    let properties = json!({"Queues": [reference(id)], "PolicyDocument": document});
    template.add(&format!("{id}Policy"), "AWS::SQS::QueuePolicy", properties);
}

/// The bucket, or a rule, sends to a queue of the pipeline.
fn with_queue(plan: &Plan<'_>, own: &Own<'_>, template: &mut Template) {
    let id = format!("Queue{}", own.id);
    let name = plan.queue(&own.pipeline.name);
    let collected = own.pipeline.batch_seconds.unwrap_or(0);
    queue(plan, &id, &name, Some(visible(plan, collected)), template);
    let arn = sub(&queue_arn(&name));
    let bucket = bucket_of(&own.pipeline.source.location).unwrap_or_default();
    let sender = if own.pipeline.trigger == Trigger::Sqs {
        from_service("s3", "sqs:SendMessage", arn, bucket_arn(bucket))
    } else {
        let rule = prefixed(plan.stack, &own.pipeline.name, 64);
        let target = json!({"Id": "queue", "Arn": arn});
        add_rule(&format!("Rule{}", own.id), &rule, &pattern(own), &target, template);
        from_service("events", "sqs:SendMessage", arn, sub(&rule_arn(&rule)))
    };
    queue_policy(&id, &[sender], template);
    let most = own.pipeline.max_concurrency.unwrap_or(CONCURRENCY);
    let most = plan.stack.concurrency.map_or(most, |all| most.min(all).max(2));
    poll(&id, BATCH, collected, most, template);
}

/// Lambda takes messages from a queue.
fn poll(id: &str, batch: u32, seconds: u32, most: u32, template: &mut Template) {
    let properties = json!({
        "FunctionName": reference("Function"),
        "EventSourceArn": attribute(id, "Arn"),
        "BatchSize": batch,
        "MaximumBatchingWindowInSeconds": seconds,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": most},
    });
    template.add(&format!("{id}Poll"), "AWS::Lambda::EventSourceMapping", properties);
}

/// The bucket calls the function: one permission a bucket.
fn called(plan: &Plan<'_>, own: &Own<'_>, template: &mut Template) {
    let bucket = bucket_of(&own.pipeline.source.location).unwrap_or_default();
    let same = |other: &&Own<'_>| {
        other.pipeline.trigger == Trigger::S3 && bucket_of(&other.pipeline.source.location) == Some(bucket)
    };
    if plan.pipelines.iter().find(same).is_some_and(|first| first.id != own.id) {
        return;
    }
    let properties = json!({
        "FunctionName": reference("Function"),
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": bucket_arn(bucket),
        "SourceAccount": reference("AWS::AccountId"),
    });
    template.add(&format!("Invoke{}", camel(bucket)), "AWS::Lambda::Permission", properties);
}

/// "Object Created" of a pipeline's objects.
fn pattern(own: &Own<'_>) -> Value {
    let source = &own.pipeline.source.location;
    let prefix = prefix_of(source);
    let key = |suffix: &str| match (prefix, suffix) {
        ("", "") => None,
        (prefix, "") => Some(json!({"prefix": prefix})),
        ("", suffix) => Some(json!({"suffix": suffix})),
        (prefix, suffix) => Some(json!({"wildcard": format!("{}*{}", escaped(prefix), escaped(suffix))})),
    };
    let keys: Vec<Value> = suffixes(own).into_iter().filter_map(key).collect();
    let keys = if keys.is_empty() { Value::Null } else { json!({"key": keys}) };
    created(bucket_of(source).unwrap_or_default(), keys)
}

fn created(bucket: &str, object: Value) -> Value {
    json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": object},
    })
}

/// `*` and `\` in a wildcard of EventBridge stand for themselves after a `\`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*")
}

fn add_rule(id: &str, name: &str, pattern: &Value, target: &Value, template: &mut Template) {
    let properties = json!({"Name": name, "EventPattern": pattern, "Targets": [target]});
    template.add(id, "AWS::Events::Rule", properties);
}

/// What a rule does with an event that its target does not take.
fn patience() -> Value {
    json!({"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86_400})
}

/// A rule starts the pipeline's state machine.
fn rule_to_machine(plan: &Plan<'_>, own: &Own<'_>, rule: &str, template: &mut Template) {
    let machine = format!("Machine{}", own.id);
    let target = json!({
        "Id": "machine",
        "Arn": reference(&machine),
        "RoleArn": attribute(&format!("Rule{}Role", own.id), "Arn"),
        "RetryPolicy": patience(),
        "DeadLetterConfig": {"Arn": attribute("DeadLetters", "Arn")},
    });
    add_rule(&format!("Rule{}", own.id), rule, &pattern(own), &target, template);
    starter(
        plan,
        &format!("Rule{}Role", own.id),
        &format!("{}-rule", own.pipeline.name),
        rule,
        &machine,
        template,
    );
}

/// The role in which a rule starts a state machine.
pub fn starter(plan: &Plan<'_>, id: &str, name: &str, rule: &str, machine: &str, template: &mut Template) {
    let start = json!({"Effect": "Allow", "Action": "states:StartExecution", "Resource": reference(machine)});
    let role = Role {
        service: "events",
        source: Some(rule_arn(rule)),
        managed: Value::Null,
        allowed: Some(("start", vec![start])),
    };
    template.add(id, "AWS::IAM::Role", role.properties(&prefixed(plan.stack, name, 64)));
}

/// The end of a crawler's run is told to the function; and arrivals, where they start one.
fn crawlers(plan: &Plan<'_>, template: &mut Template, senders: &mut Vec<String>) {
    if plan.crawlers.is_empty() {
        return;
    }
    template.remark("A crawler's end is told to the function: what was published while it ran is crawled by one more run.");
    let rule = prefixed(plan.stack, "crawler-ended", 64);
    let names: Vec<&String> = plan.crawlers.keys().collect();
    let pattern = json!({
        "source": ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        "detail": {"crawlerName": names, "state": ["Succeeded", "Failed"]},
    });
    let target = json!({
        "Id": "function",
        "Arn": attribute("Function", "Arn"),
        "RetryPolicy": patience(),
        "DeadLetterConfig": {"Arn": attribute("DeadLetters", "Arn")},
    });
    add_rule("RuleCrawlerEnded", &rule, &pattern, &target, template);
    let properties = json!({
        "FunctionName": reference("Function"),
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": attribute("RuleCrawlerEnded", "Arn"),
    });
    template.add("InvokeCrawlerEnded", "AWS::Lambda::Permission", properties);
    senders.push(rule);
    if plan.on_arrival() {
        arrivals(plan, template);
    }
}

/// Part files that arrive start their crawler: collected for a minute, so that many files are one start.
fn arrivals(plan: &Plan<'_>, template: &mut Template) {
    template.remark(
        "Part files that arrive start their crawler. A crawler writes no part files, so nothing goes round.",
    );
    let name = prefixed(plan.stack, "arrivals", 80);
    queue(plan, "Arrivals", &name, Some(visible(plan, ARRIVAL_SECONDS)), template);
    let mut senders = Vec::new();
    let arriving = plan.pipelines.iter().filter(|own| starts_on_arrival(own.pipeline));
    for own in arriving {
        let lake = &own.pipeline.lake;
        let key =
            |table: &String| json!({"wildcard": format!("{}{}/*.parquet", escaped(prefix_of(lake)), table)});
        let keys: Vec<Value> = if own.tables.names.is_empty() {
            vec![json!({"wildcard": format!("{}*.parquet", escaped(prefix_of(lake)))})]
        } else {
            own.tables.names.iter().map(key).collect()
        };
        let rule = prefixed(plan.stack, &format!("{}-arrived", own.pipeline.name), 64);
        let pattern = created(bucket_of(lake).unwrap_or_default(), json!({"key": keys}));
        let target = json!({"Id": "queue", "Arn": sub(&queue_arn(&name))});
        let properties = json!({"Name": rule, "EventPattern": pattern, "Targets": [target]});
        let purpose = json!({"Metadata": {"Lakegate": {"Purpose": "crawler-on-arrival"}}});
        template.add_with(&format!("Rule{}Arrived", own.id), "AWS::Events::Rule", purpose, properties);
        senders.push(from_service(
            "events",
            "sqs:SendMessage",
            sub(&queue_arn(&name)),
            sub(&rule_arn(&rule)),
        ));
    }
    queue_policy("Arrivals", &senders, template);
    poll("Arrivals", 1_000, ARRIVAL_SECONDS, 2, template);
}

/// Rules put aside what their targets do not take.
fn dead_letters_policy(plan: &Plan<'_>, rules: &[String], template: &mut Template) {
    if rules.is_empty() {
        return;
    }
    let arn = sub(&queue_arn(&plan_dead(plan)));
    let statements: Vec<Value> = rules
        .iter()
        .map(|rule| from_service("events", "sqs:SendMessage", arn.clone(), sub(&rule_arn(rule))))
        .collect();
    queue_policy("DeadLetters", &statements, template);
}
