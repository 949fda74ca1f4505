//! What watches the pipelines: alarms, the dashboard, and checks on a schedule.
//!
//! Not for the numbers themselves: docs/aws.md names each. Decisions to know:
//!
//! * An alarm names the one thing that somebody should look at; what passes by itself has none until it does not pass.
//! * CloudWatch looks back seven days at most. Data that is due less often is checked once a day by the function.

use serde_json::{Value, json};

use lakegate_config::{Above, Pipeline, Told, Trigger, spoken};

use crate::machine::reconcile_input;
use crate::plan::{Own, Plan};
use crate::template::Template;
use crate::triggers::starter;
use crate::{attribute, prefixed, reference, sub};

const NAMESPACE: &str = "Lakegate";
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// CloudWatch: number of periods times their length, where a period is an hour or more.
const LONGEST: u64 = 7 * DAY;
/// Share of rejected records that alarms where the pipeline names none.
const REJECTED: f64 = 0.05;
/// A message that waited for so long is not being processed.
const OLD_SECONDS: u64 = HOUR;

/// Adds all of it; the dashboard's body.
pub fn add(plan: &Plan<'_>, template: &mut Template) -> Value {
    for own in &plan.pipelines {
        template.remark(&format!("What alarms about {}.", own.pipeline.name));
        of_pipeline(plan, own, template);
    }
    template.remark("What alarms about the stack as a whole.");
    of_stack(plan, template);
    schedules(plan, template);
    let body = dashboard(plan);
    let text = sub(&body.to_string());
    let properties = json!({"DashboardName": plan.stack.name, "DashboardBody": text});
    template.add("Dashboard", "AWS::CloudWatch::Dashboard", properties);
    body
}

/// One number against a threshold.
struct Alarm<'a> {
    says: String,
    namespace: &'a str,
    metric: &'a str,
    dimensions: Value,
    statistic: &'a str,
    period: u64,
    periods: u64,
    above: f64,
    /// Whether the absence of data alarms.
    absent: bool,
    /// Below the threshold is what alarms.
    below: bool,
}

impl Default for Alarm<'_> {
    fn default() -> Self {
        Self {
            says: String::new(),
            namespace: NAMESPACE,
            metric: "",
            dimensions: Value::Null,
            statistic: "Sum",
            period: 300,
            periods: 1,
            above: 0.0,
            absent: false,
            below: false,
        }
    }
}

impl Alarm<'_> {
    fn add(self, plan: &Plan<'_>, id: &str, name: &str, template: &mut Template) {
        let comparison = if self.below { "LessThanThreshold" } else { "GreaterThanThreshold" };
        let properties = json!({
            "AlarmName": prefixed(plan.stack, name, 255),
            "AlarmDescription": self.says,
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": self.dimensions,
            "Statistic": self.statistic,
            "Period": self.period,
            "EvaluationPeriods": self.periods,
            "Threshold": self.above,
            "ComparisonOperator": comparison,
            "TreatMissingData": if self.absent { "breaching" } else { "notBreaching" },
            "AlarmActions": [reference("Alarms")],
            "OKActions": [reference("Alarms")],
        });
        template.add(&format!("Alarm{id}"), "AWS::CloudWatch::Alarm", properties);
    }
}

fn dimension(name: &str, value: Value) -> Value {
    json!([{"Name": name, "Value": value}])
}

fn of_pipeline(plan: &Plan<'_>, own: &Own<'_>, template: &mut Template) {
    let (pipeline, id) = (own.pipeline, own.id.as_str());
    let name = pipeline.name.as_str();
    let mut alarm = |what: &str, metric: &'static str, says: String, above: f64, period: u64| {
        let dimensions = dimension("pipeline", Value::from(name));
        let alarm = Alarm { says, metric, dimensions, above, period, ..Alarm::default() };
        alarm.add(plan, &format!("{id}{what}"), &format!("{name}-{metric}"), template);
    };
    alarm(
        "Input",
        "failuresInput",
        format!("An object of {name} is at fault: `lakegate status` says where."),
        0.0,
        300,
    );
    alarm(
        "Own",
        "failuresOwn",
        format!("A denied call, a missing resource or a bug stopped objects of {name}: the log names it."),
        0.0,
        300,
    );
    alarm(
        "Passing",
        "failuresPassing",
        format!("Trouble with objects of {name} that should pass does not."),
        10.0,
        900,
    );
    alarm(
        "Lost",
        "lostGenerations",
        format!("A committed version of an object of {name} is lost."),
        0.0,
        300,
    );
    if plan.stack.reconcile_seconds.is_some() {
        alarm(
            "Missing",
            "missingObjects",
            format!(
                "Objects of {name} lie in the source and not in the tables: `lakegate reconcile {name}`."
            ),
            0.0,
            HOUR,
        );
    }
    if matches!(pipeline.told, Told::Channel { .. }) {
        alarm("Swap", "swapFailures", format!("The newest release of {name} cannot be used."), 0.0, 300);
        alarm(
            "Shadow",
            "shadowDifferences",
            format!("The shadow release would make objects of {name} otherwise."),
            0.0,
            300,
        );
    }
    rejected(plan, own, template);
    on_the_way(plan, own, template);
    if let Some(seconds) = pipeline.expect_every {
        fresh(plan, own, seconds, template);
    }
}

/// What waits in a queue for too long, and executions that do not succeed.
fn on_the_way(plan: &Plan<'_>, own: &Own<'_>, template: &mut Template) {
    let (pipeline, id) = (own.pipeline, own.id.as_str());
    let name = pipeline.name.as_str();
    if pipeline.trigger.has_queue() {
        let alarm = Alarm {
            says: format!("An object of {name} has waited for {}.", spoken(OLD_SECONDS)),
            namespace: "AWS/SQS",
            metric: "ApproximateAgeOfOldestMessage",
            dimensions: dimension("QueueName", attribute(&format!("Queue{id}"), "QueueName")),
            statistic: "Maximum",
            above: OLD_SECONDS as f64,
            ..Alarm::default()
        };
        alarm.add(plan, &format!("{id}Old"), &format!("{name}-oldest"), template);
    }
    if pipeline.trigger == Trigger::StepFunctions {
        for (what, metric) in [("Failed", "ExecutionsFailed"), ("TimedOut", "ExecutionsTimedOut")] {
            let alarm = Alarm {
                says: format!("An execution for an object of {name} did not succeed."),
                namespace: "AWS/States",
                metric,
                dimensions: dimension("StateMachineArn", reference(&format!("Machine{id}"))),
                ..Alarm::default()
            };
            alarm.add(plan, &format!("{id}{what}"), &format!("{name}-{metric}"), template);
        }
    }
}

/// Rejected records by all that were read.
fn rejected(plan: &Plan<'_>, own: &Own<'_>, template: &mut Template) {
    let name = &own.pipeline.name;
    let share = match own.pipeline.notify.quarantine_above {
        Above::Share(share) => share,
        Above::Records(_) => REJECTED,
    };
    let metric = |id: &str, metric: &str| {
        let of = json!({"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimension("pipeline", Value::from(name.as_str()))});
        json!({"Id": id, "ReturnData": false, "MetricStat": {"Metric": of, "Period": 900, "Stat": "Sum"}})
    };
    let properties = json!({
        "AlarmName": prefixed(plan.stack, &format!("{name}-rejected"), 255),
        "AlarmDescription": format!("More than {} % of the records of {name} were rejected: `lakegate quarantine list`.", share * 100.0),
        "Metrics": [
            {"Id": "share", "Label": "rejected share", "Expression": "rejected / records", "ReturnData": true},
            metric("rejected", "rejected"),
            metric("records", "records"),
        ],
        "EvaluationPeriods": 1,
        "Threshold": share,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [reference("Alarms")],
        "OKActions": [reference("Alarms")],
    });
    template.add(&format!("Alarm{}Rejected", own.id), "AWS::CloudWatch::Alarm", properties);
}

/// No object for longer than expected.
fn fresh(plan: &Plan<'_>, own: &Own<'_>, seconds: u64, template: &mut Template) {
    let name = &own.pipeline.name;
    let says = format!("No object of {name} came for {}.", spoken(seconds));
    let dimensions = dimension("pipeline", Value::from(name.as_str()));
    let alarm = if seconds <= LONGEST {
        let period = period(seconds);
        Alarm {
            says,
            metric: "objects",
            dimensions,
            period,
            periods: seconds.div_ceil(period),
            above: 1.0,
            below: true,
            absent: true,
            ..Alarm::default()
        }
    } else {
        let above = seconds as f64;
        Alarm {
            says,
            metric: "secondsSinceLastLoad",
            dimensions,
            statistic: "Maximum",
            period: DAY,
            above,
            absent: true,
            ..Alarm::default()
        }
    };
    alarm.add(plan, &format!("{}Fresh", own.id), &format!("{name}-fresh"), template);
}

/// Periods below an hour may reach back one day, others seven.
fn period(seconds: u64) -> u64 {
    match seconds {
        0..7_200 => 60,
        7_200..DAY => 300,
        _ => HOUR,
    }
}

fn of_stack(plan: &Plan<'_>, template: &mut Template) {
    let function = || dimension("FunctionName", reference("Function"));
    let dead = Alarm {
        says: "Events were put aside as dead letters: the log says why; send them back once it is mended."
            .to_owned(),
        namespace: "AWS/SQS",
        metric: "ApproximateNumberOfMessagesVisible",
        dimensions: dimension("QueueName", attribute("DeadLetters", "QueueName")),
        statistic: "Maximum",
        ..Alarm::default()
    };
    dead.add(plan, "DeadLetters", "dead-letters", template);
    for (id, metric, says) in [
        ("Errors", "Errors", "The function ended with an error: its log says which."),
        ("Throttles", "Throttles", "More invocations at once were wanted than may be."),
    ] {
        let alarm = Alarm {
            says: says.to_owned(),
            namespace: "AWS/Lambda",
            metric,
            dimensions: function(),
            above: 3.0,
            period: 900,
            ..Alarm::default()
        };
        alarm.add(plan, id, &metric.to_ascii_lowercase(), template);
    }
    let namespace = format!("{NAMESPACE}/{}", plan.stack.name);
    let properties = json!({
        "LogGroupName": reference("FunctionLog"),
        "FilterPattern": "{ $.message = \"the function cannot start*\" }",
        "MetricTransformations": [{"MetricNamespace": namespace, "MetricName": "startFailures", "MetricValue": "1"}],
    });
    template.add("StartFailures", "AWS::Logs::MetricFilter", properties);
    let alarm = Alarm {
        says: "The function cannot start: its log names the mistake.".to_owned(),
        namespace: &namespace,
        metric: "startFailures",
        ..Alarm::default()
    };
    alarm.add(plan, "Start", "start", template);
}

/// The comparison of sources and tables, and what is due less often than CloudWatch can look back.
fn schedules(plan: &Plan<'_>, template: &mut Template) {
    if let Some(seconds) = plan.stack.reconcile_seconds {
        template.remark(&format!("Sources and tables are compared every {}.", spoken(seconds)));
        let rule = prefixed(plan.stack, "reconcile", 64);
        let target = json!({
            "Id": "reconcile",
            "Arn": reference("Reconcile"),
            "RoleArn": attribute("ReconcileScheduleRole", "Arn"),
            "Input": reconcile_input(plan),
        });
        let properties = json!({"Name": rule, "ScheduleExpression": rate(seconds), "Targets": [target]});
        template.add("ReconcileSchedule", "AWS::Events::Rule", properties);
        starter(plan, "ReconcileScheduleRole", "reconcile-schedule", &rule, "Reconcile", template);
    }
    let late: Vec<&Own<'_>> = plan
        .pipelines
        .iter()
        .filter(|own| own.pipeline.expect_every.is_some_and(|due| due > LONGEST))
        .collect();
    for own in late {
        template.remark(&format!("Whether {} is due, once a day.", own.pipeline.name));
        let id = format!("Due{}", own.id);
        let input = json!({"lakegate": "freshness", "pipeline": own.pipeline.name}).to_string();
        let target = json!({"Id": "function", "Arn": attribute("Function", "Arn"), "Input": input});
        let name = prefixed(plan.stack, &format!("{}-due", own.pipeline.name), 64);
        let properties = json!({"Name": name, "ScheduleExpression": rate(DAY), "Targets": [target]});
        template.add(&id, "AWS::Events::Rule", properties);
        let properties = json!({
            "FunctionName": reference("Function"),
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": attribute(&id, "Arn"),
        });
        template.add(&format!("Invoke{id}"), "AWS::Lambda::Permission", properties);
    }
}

/// The form of EventBridge.
fn rate(seconds: u64) -> String {
    let words = spoken(seconds.max(60));
    format!("rate({words})")
}

/// Widgets in rows of 24 columns.
fn dashboard(plan: &Plan<'_>) -> Value {
    let mut widgets = Vec::new();
    let mut row = 0;
    for numbers in ROWS {
        let mut column = 0;
        for (name, stat, metrics) in *numbers {
            widgets.push(widget(plan, name, stat, metrics, (column, row)));
            column += 8;
        }
        row += 6;
    }
    let aged: Vec<Value> = plan
        .queues()
        .map(|name| json!(["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, {"label": name}]))
        .collect();
    if !aged.is_empty() {
        widgets.push(graph("Oldest event in a queue", "Maximum", &aged, (0, row)));
    }
    let dead = json!([
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        "QueueName",
        prefixed(plan.stack, "dead-letters", 80)
    ]);
    widgets.push(graph("Dead letters", "Maximum", &[dead], (8, row)));
    widgets.push(json!({
        "type": "log", "x": 16, "y": row, "width": 8, "height": 6,
        "properties": {
            "title": "Releases in use",
            "region": "${AWS::Region}",
            "view": "table",
            "query": format!("SOURCE '/aws/lambda/{}' | filter stage = 'done' | stats count(*) as objects by pipeline, release", plan.stack.name),
        },
    }));
    json!({"widgets": widgets})
}

/// Graphs of a row, each with its statistic and metrics.
type Numbers = &'static [(&'static str, &'static str, &'static [&'static str])];
const ROWS: &[Numbers] = &[
    &[
        ("Objects", "Sum", &["objects"]),
        ("Rows", "Sum", &["rows"]),
        ("Bytes", "Sum", &["bytesIn", "bytesOut"]),
    ],
    &[
        ("Failures", "Sum", &["failuresInput", "failuresPassing", "failuresOwn"]),
        ("Rejected share", "Sum", &["rejected", "records"]),
        ("Not in the tables", "Maximum", &["missingObjects", "goneObjects"]),
    ],
    &[
        ("Event to queryable", "p95", &["queueToQueryableMs"]),
        ("In the transform", "p95", &["transformMs"]),
        ("Releases that took over", "Sum", &["swapCount", "swapFailures", "shadowDifferences"]),
    ],
];

fn widget(plan: &Plan<'_>, title: &str, stat: &str, metrics: &[&str], at: (u32, u32)) -> Value {
    let mut lines = Vec::new();
    for (number, own) in plan.pipelines.iter().enumerate() {
        let name = &own.pipeline.name;
        if let ["rejected", "records"] = metrics {
            lines.extend(share(own.pipeline, number));
            continue;
        }
        for metric in metrics {
            let label = if metrics.len() > 1 { format!("{name} {metric}") } else { name.clone() };
            lines.push(json!([NAMESPACE, metric, "pipeline", name, {"label": label}]));
        }
    }
    graph(title, stat, &lines, at)
}

/// Rejected by read records of a pipeline.
fn share(pipeline: &Pipeline, number: usize) -> [Value; 3] {
    let hidden = |what: &str| json!([NAMESPACE, what, "pipeline", pipeline.name, {"id": format!("{what}{number}"), "visible": false}]);
    let expression = format!("100 * rejected{number} / records{number}");
    [
        json!([{"expression": expression, "label": format!("{} %", pipeline.name), "id": format!("share{number}")}]),
        hidden("rejected"),
        hidden("records"),
    ]
}

fn graph(title: &str, stat: &str, metrics: &[Value], (x, y): (u32, u32)) -> Value {
    json!({
        "type": "metric", "x": x, "y": y, "width": 8, "height": 6,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "view": "timeSeries",
            "stat": stat,
            "period": 300,
            "metrics": metrics,
        },
    })
}
