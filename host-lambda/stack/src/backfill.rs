//! The state machine that takes what is missing from the tables with many invocations at once.
//!
//! Not for saying what is missing: `lakegate backfill --distributed` writes that down, and starts the machine. Decisions
//! to know:
//!
//! * A line of the manifest is an event: the batch of objects that one invocation takes. So the machine needs no right to
//!   list sources, and takes exactly what somebody was told that it would take.
//! * Every batch is tried, whatever becomes of others; what failed is in the lake's own records, object by object.
//! * The answers of all batches are the output of one state, which may have 256 KiB: each is a number, and what a batch
//!   failed with is a sentence.

use serde_json::{Value, json};

use lakegate_config::Stack;
use lakegate_lake::keys::BACKFILLS;

use crate::machine::{Machine, PASSING, again, allow, caught, machine as made, task};
use crate::plan::Plan;
use crate::policy::written_key;
use crate::{bucket_of, prefix_of, prefixed, sub};

/// Its name behind the stack's, and that of its file.
const NAME: &str = "backfill";
/// How long all of it may take.
const SECONDS: u32 = 14 * 86_400;
/// Batches at once where no pipeline says how many.
const CONCURRENCY: u32 = 10;

/// Name of a stack's machine.
pub fn backfill_machine(stack: &Stack) -> String {
    prefixed(stack, NAME, 80)
}

/// Batches at once: no pipeline gets more than it asks for, and the function has no fewer of its own.
pub fn backfill_concurrency<'a>(stack: &Stack, most: impl Iterator<Item = &'a Option<u32>>) -> u32 {
    let asked = most.map(|most| most.unwrap_or(CONCURRENCY)).min().unwrap_or(CONCURRENCY);
    asked.min(stack.concurrency.unwrap_or(asked)).max(1)
}

pub fn machine(plan: &Plan<'_>) -> Machine {
    let concurrency =
        backfill_concurrency(plan.stack, plan.pipelines.iter().map(|own| &own.pipeline.max_concurrency));
    let definition = json!({
        "Comment": "Everything that a manifest names: an invocation for each of its lines",
        "StartAt": "Batches",
        "TimeoutSeconds": SECONDS,
        "States": {
            "Batches": {
                "Type": "Map",
                "Label": "Batches",
                "MaxConcurrency": concurrency,
                "ToleratedFailurePercentage": 100,
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSONL"},
                    "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Take",
                    "States": {
                        "Take": take(plan.stack.timeout_seconds + 30),
                        "NotTaken": {
                            "Type": "Fail",
                            "ErrorPath": "$.error.Error",
                            "Cause": "Not all objects of the batch were taken: the log of the function names each.",
                        },
                    },
                },
                "ResultSelector": {"batches.$": "States.ArrayLength($)"},
                "End": true,
            },
        },
    });
    let mut machine = made(plan, NAME, "Backfill", definition, Vec::new());
    machine.allow(allow(&["s3:GetObject"], Value::Array(manifests(plan))));
    let keys = keys(plan);
    if !keys.is_empty() {
        machine.allow(allow(&["kms:Decrypt"], Value::Array(keys)));
    }
    // Each batch is an execution of the machine's own. Written out: a role that names its machine waits for it.
    let own = |kind: &str, more: &str| {
        let name = backfill_machine(plan.stack);
        sub(&format!(
            "arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:{kind}:{name}{more}"
        ))
    };
    machine.allow(allow(&["states:StartExecution"], own("stateMachine", "")));
    machine.allow(allow(&["states:DescribeExecution", "states:StopExecution"], own("execution", ":*")));
    machine
}

/// One invocation takes the objects of a line.
fn take(seconds: u32) -> Value {
    let parameters = json!({"FunctionName": "${Function}", "Payload.$": "$"});
    let mut take = task("arn:aws:states:::lambda:invoke", seconds, parameters, None);
    take["ResultSelector"] = json!({"n": 1});
    take["Retry"] = json!([again(&PASSING, 8)]);
    take["Catch"] = json!([caught(&["States.ALL"], "NotTaken")]);
    take
}

/// Where manifests are: in every lake, as any may be the one of a backfill.
fn manifests(plan: &Plan<'_>) -> Vec<Value> {
    let place = |lake| {
        let (bucket, prefix) = (bucket_of(lake)?, prefix_of(lake));
        Some(sub(&format!("arn:${{AWS::Partition}}:s3:::{bucket}/{prefix}{BACKFILLS}*")))
    };
    once(plan.pipelines.iter().filter_map(|own| place(&own.pipeline.lake)))
}

/// The account's keys that lakes are encrypted with.
fn keys(plan: &Plan<'_>) -> Vec<Value> {
    once(plan.pipelines.iter().filter_map(|own| written_key(plan.stack, own.pipeline)).map(Value::from))
}

fn once(all: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use lakegate_config::{Config, Origin};

    use crate::{Surroundings, render};

    fn rendered(pipelines: &str) -> serde_json::Value {
        let text = format!("[stack]\nname = \"shop\"\ntimeout_seconds = 60\n{pipelines}");
        let origin = Origin::Inline { text: text.clone(), folder: "/".into() };
        let config = Config::parse(&text, &origin).unwrap();
        let files = render(&config, &Surroundings::default()).unwrap().files;
        serde_json::from_str(&files["state-machines/backfill.asl.json"]).unwrap()
    }

    fn pipeline(name: &str, more: &str) -> String {
        format!(
            "[pipeline.{name}]\nsource = \"s3://raw/{name}/\"\nlake = \"s3://lake/tables/\"\ncontract = \"learn\"\ntable = \"{name}\"\n{more}\n"
        )
    }

    #[test]
    fn every_batch_is_tried_and_none_waits_for_ever() {
        let machine = rendered(&pipeline("orders", ""));
        let map = &machine["States"]["Batches"];
        assert_eq!(map["ToleratedFailurePercentage"], 100);
        assert_eq!(map["MaxConcurrency"], 10);
        assert_eq!(map["ItemReader"]["ReaderConfig"]["InputType"], "JSONL");
        assert_eq!(map["ItemProcessor"]["ProcessorConfig"]["Mode"], "DISTRIBUTED");
        let take = &map["ItemProcessor"]["States"]["Take"];
        assert_eq!(take["TimeoutSeconds"], 90);
        assert_eq!(take["Retry"][0]["JitterStrategy"], "FULL");
        assert!(machine["TimeoutSeconds"].is_u64());
    }

    #[test]
    fn no_pipeline_gets_more_at_once_than_it_asks_for() {
        let two = pipeline("orders", "max_concurrency = 50") + &pipeline("sales", "max_concurrency = 4");
        assert_eq!(rendered(&two)["States"]["Batches"]["MaxConcurrency"], 4);
    }
}
