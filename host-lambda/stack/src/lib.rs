//! What is deployed around the pipelines of a `lakegate.toml`, as files: a CloudFormation template with the SAM
//! transform, and state machines, policies and dashboard once more by themselves, for whoever deploys otherwise.
//!
//! Not for asking AWS anything, or for deploying. Decisions to know:
//!
//! * The same input gives the same bytes, so that a difference in version control is a difference in what is deployed.
//! * Names of buckets are the configuration's, written out: no reference between resources is needed to name them, so
//!   none is circular.

#![forbid(unsafe_code)]
// Values are put together in the call that they are handed over in: a reference would only add signs.
#![allow(clippy::needless_pass_by_value)]

mod backfill;
mod buckets;
mod catalog;
mod compare;
mod cost;
mod function;
mod history;
mod machine;
mod names;
mod network;
mod notices;
mod plan;
mod policy;
mod prices;
mod questions;
mod read;
mod template;
mod triggers;
mod watch;
mod work;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use lakegate_base::{Error, Result};
use lakegate_config::{Config, Location, Stack};

pub use backfill::{backfill_concurrency, backfill_machine};
pub use compare::{Difference, differences, values};
pub use cost::{CRAWLERS, Cost, Line, Load, cost};
pub use prices::{Price, Prices};
pub use work::{Measured, Pace};

/// What the renderer knows beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Tables of each pipeline, by its name.
    pub tables: BTreeMap<String, Tables>,
    /// Text of each pipeline's questions, by its name.
    pub questions: BTreeMap<String, String>,
}

/// The tables of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Their names; none where a release says them, which may change.
    pub names: Vec<String>,
}

impl Tables {
    /// Their names as patterns of policies have them.
    fn of_lake(&self) -> Vec<String> {
        if self.names.is_empty() { vec!["*".to_owned()] } else { self.names.clone() }
    }
}

/// What was rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Texts by path below the stack's folder.
    pub files: BTreeMap<String, String>,
    /// Commands that a person gives once, each with what it is for.
    pub commands: Vec<(String, String)>,
    /// Buckets that are there already and are to tell EventBridge of their objects.
    pub bridges: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Renders the stack of a configuration.
///
/// # Errors
/// `config_invalid`: there is no `[stack]`, or something that S3 or IAM would refuse.
pub fn render(config: &Config, surroundings: &Surroundings) -> Result<Rendered> {
    let stack = config.stack.as_ref().ok_or_else(no_stack)?;
    let plan = plan::Plan::of(stack, config, surroundings)?;
    let mut template = template::Template::new(stack);
    buckets::add(&plan, &mut template);
    let policies = function::policies(&plan)?;
    function::add(&plan, &policies, &mut template);
    let mut machines = machine::all(&plan);
    machines.push(backfill::machine(&plan));
    triggers::add(&plan, &machines, &mut template);
    catalog::add(&plan, &mut template);
    questions::add(&plan, &mut template);
    history::add(&plan, &mut template)?;
    notices::add(&plan, &mut template);
    network::add(&plan, &mut template);
    let dashboard = watch::add(&plan, &mut template);
    template.outputs(&plan);
    let mut files = BTreeMap::from([
        ("template.yaml".to_owned(), template.text()),
        ("dashboard.json".to_owned(), pretty(&dashboard)),
    ]);
    for machine in &machines {
        files.insert(format!("state-machines/{}.asl.json", machine.name), pretty(&machine.definition));
    }
    for (number, policy) in policies.iter().enumerate() {
        files.insert(format!("policies/function-{}.json", number + 1), pretty(&policy_document(policy)));
    }
    Ok(Rendered { files, commands: plan.commands(), bridges: plan.bridges(), notes: plan.notes })
}

fn no_stack() -> Error {
    Error::usage("the configuration has no [stack]").with_hint(
        "write [stack] with a name, such as name = \"my-lake\"; `lakegate stack init` makes a whole folder",
    )
}

/// A policy outside of a template: what is substituted stays as it is.
fn policy_document(statements: &[policy::Allowed]) -> Value {
    let statements: Vec<Value> =
        statements.iter().map(|statement| unsubstituted(statement.in_template())).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn unsubstituted(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.len() == 1 && map.contains_key("Fn::Sub") => {
            map.remove("Fn::Sub").unwrap_or_default()
        }
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, unsubstituted(value))).collect(),
        Value::Array(list) => list.into_iter().map(unsubstituted).collect(),
        other => other,
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A text in a template; substituted where it holds `${…}`.
fn sub(text: &str) -> Value {
    if text.contains("${") { json!({"Fn::Sub": text}) } else { Value::from(text) }
}

fn reference(id: &str) -> Value {
    json!({"Ref": id})
}

fn attribute(id: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": format!("{id}.{name}")})
}

/// The bucket of a place in S3; what a function takes is nowhere else.
fn bucket_of(place: &Location) -> Option<&str> {
    match place {
        Location::S3 { bucket, .. } => Some(bucket),
        Location::Local(_) => None,
    }
}

/// The prefix of a place in S3.
fn prefix_of(place: &Location) -> &str {
    match place {
        Location::S3 { prefix, .. } => prefix,
        Location::Local(_) => "",
    }
}

/// What begins every name.
fn prefixed(stack: &Stack, name: &str, most: usize) -> String {
    names::limited(&stack.name, name, most)
}
