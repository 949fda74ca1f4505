//! Topics and who is subscribed.
//!
//! The decision to know: a topic that the configuration names by its ARN is somebody else's, and only written to.

use serde_json::{Value, json};

use crate::names::camel;
use crate::plan::Plan;
use crate::template::Template;
use crate::{prefixed, reference};

pub fn add(plan: &Plan<'_>, template: &mut Template) {
    template.remark("Who is told: notices of pipelines, and alarms.");
    let key = plan.stack.kms_key.as_deref();
    let ours = plan.topics.iter().map(|name| (format!("Topic{}", camel(name)), name.clone()));
    let alarms = ("Alarms".to_owned(), prefixed(plan.stack, "alarms", 256));
    for (id, name) in ours.chain([alarms]) {
        let skipped = json!({"Metadata": {"checkov": {"skip": [
            {"id": "CKV_AWS_26", "comment": "notices hold names, counts and places, no value of the data; [stack] kms_key encrypts them"},
        ]}}});
        let properties = json!({"TopicName": name, "KmsMasterKeyId": key});
        template.add_with(&id, "AWS::SNS::Topic", skipped, properties);
        for (number, address) in plan.stack.email.iter().enumerate() {
            let properties = json!({"TopicArn": reference(&id), "Protocol": "email", "Endpoint": address});
            template.add(&format!("{id}Email{}", number + 1), "AWS::SNS::Subscription", properties);
        }
    }
    let condition = json!({"StringEquals": {"aws:SourceAccount": reference("AWS::AccountId")}});
    let statement = json!({
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": reference("Alarms"),
        "Condition": condition,
    });
    let document: Value = json!({"Version": "2012-10-17", "Statement": [statement]});
    template.add(
        "AlarmsPolicy",
        "AWS::SNS::TopicPolicy",
        json!({"Topics": [reference("Alarms")], "PolicyDocument": document}),
    );
}
