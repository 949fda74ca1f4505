//! The template being put together: resources by logical id, outputs, remarks.
//!
//! Not for any one resource. The decision to know: whoever adds a resource says in a remark what it is for, where its
//! type does not.

use serde_json::{Map, Value, json};

use lakegate_config::Stack;

use crate::plan::Plan;
use crate::{bucket_of, prefix_of, sub, yaml};

/// What stands at the top.
const HEAD: &str = "Made by `lakegate stack render` from lakegate.toml: change that, and render again.\n\
                    Deployed by `sam deploy`, or `aws cloudformation package` and `deploy`.";

/// A template.
pub struct Template {
    description: String,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
    /// So far, for the keys of remarks.
    remarks: usize,
}

impl Template {
    pub fn new(stack: &Stack) -> Self {
        Self {
            description: format!("Lakegate {}: raw files in, tables out", stack.name),
            resources: Map::new(),
            outputs: Map::new(),
            remarks: 0,
        }
    }

    /// Adds a resource.
    pub fn add(&mut self, id: &str, kind: &str, properties: Value) {
        self.add_with(id, kind, json!({}), properties);
    }

    /// Adds a resource that has more than a type and properties.
    pub fn add_with(&mut self, id: &str, kind: &str, more: Value, properties: Value) {
        let mut resource = json!({"Type": kind});
        if let (Some(resource), Value::Object(more)) = (resource.as_object_mut(), without_nulls(more)) {
            resource.extend(more);
        }
        resource["Properties"] = without_nulls(properties);
        let there = self.resources.insert(id.to_owned(), resource);
        debug_assert!(there.is_none(), "two resources are named {id}");
    }

    /// Says something before the next resource.
    pub fn remark(&mut self, text: &str) {
        self.remarks += 1;
        self.resources.insert(format!("{}{}", yaml::REMARK, self.remarks), Value::from(format!("\n{text}")));
    }

    fn output(&mut self, id: &str, description: &str, value: Value) {
        self.outputs.insert(id.to_owned(), json!({"Description": description, "Value": value}));
    }

    /// Says where to put a file and what to ask.
    pub fn outputs(&mut self, plan: &Plan<'_>) {
        for own in &plan.pipelines {
            let source = &own.pipeline.source.location;
            let (bucket, prefix) = (bucket_of(source).unwrap_or_default(), prefix_of(source));
            let suffix = own.pipeline.source.suffixes.first().map_or("", String::as_str);
            let description = format!("Takes a file into {}", own.pipeline.name);
            self.output(
                &format!("Put{}", own.id),
                &description,
                Value::from(format!("aws s3 cp FILE{suffix} s3://{bucket}/{prefix}")),
            );
        }
        let athena =
            "https://${AWS::Region}.console.aws.amazon.com/athena/home?region=${AWS::Region}#/query-editor";
        self.output("Ask", "Queries, in the workgroup of this stack", sub(athena));
        self.output("Workgroup", "The workgroup", crate::reference("Workgroup"));
        let dashboard = format!(
            "https://${{AWS::Region}}.console.aws.amazon.com/cloudwatch/home?region=${{AWS::Region}}#dashboards/dashboard/{}",
            plan.stack.name
        );
        self.output("Watch", "The dashboard", sub(&dashboard));
        self.output("Function", "The function", crate::reference("Function"));
        self.output("Alarms", "The topic that alarms go to", crate::reference("Alarms"));
    }

    /// The whole text.
    pub fn text(self) -> String {
        yaml::text(&json!({
            "#": HEAD,
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Description": self.description,
            "#outputs": "",
            "Outputs": self.outputs,
            "#resources": "",
            "Resources": self.resources,
        }))
    }
}

/// Properties that are absent are written as null by whoever makes them; in a state machine null says something.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let there = map.into_iter().filter(|(_, value)| !value.is_null());
            let kept = |key: &str, value| if key == "Definition" { value } else { without_nulls(value) };
            there.map(|(key, value)| (key.clone(), kept(&key, value))).collect()
        }
        Value::Array(list) => list.into_iter().filter(|value| !value.is_null()).map(without_nulls).collect(),
        other => other,
    }
}

/// A role that a service takes on.
pub struct Role<'a> {
    /// The service, such as `lambda`.
    pub service: &'a str,
    /// In whose name the service may take it on: the pattern of an ARN, where the service says it.
    pub source: Option<String>,
    pub managed: Value,
    /// Name and statements of what it may do.
    pub allowed: Option<(&'a str, Vec<Value>)>,
}

impl Role<'_> {
    /// Its properties.
    pub fn properties(self, name: &str) -> Value {
        // Not documented for Glue: where it does not say for whom it acts, the role must still be its to take on.
        let [account, arn] = match self.service {
            "glue" => ["StringEqualsIfExists", "ArnLikeIfExists"],
            _ => ["StringEquals", "ArnLike"],
        };
        let condition = self.source.map(|source| {
            json!({
                account: {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                arn: {"aws:SourceArn": sub(&source)},
            })
        });
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": {"Service": format!("{}.amazonaws.com", self.service)},
            "Action": "sts:AssumeRole",
        });
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        let policies = self.allowed.map(|(name, statements)| {
            json!([{"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}])
        });
        json!({
            "RoleName": name,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "ManagedPolicyArns": self.managed,
            "Policies": policies,
        })
    }
}

/// What lets a service of this account act on a resource, for its own resource `source` alone.
pub fn from_service(service: &str, action: &str, resource: Value, source: Value) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Service": format!("{service}.amazonaws.com")},
        "Action": action,
        "Resource": resource,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnEquals": {"aws:SourceArn": source},
        },
    })
}
