//! Endpoints in the account's own network, and the trail of who reads and writes objects.
//!
//! The decision to know: a function in a network of one's own reaches nothing without endpoints or a way out; endpoints
//! are made only where the configuration names the network itself.

use serde_json::{Value, json};

use lakegate_config::Catalog;

use crate::plan::Plan;
use crate::template::Template;
use crate::{reference, sub};

pub fn add(plan: &Plan<'_>, template: &mut Template) {
    endpoints(plan, template);
    if plan.stack.cloudtrail {
        trail(plan, template);
    }
}

fn endpoints(plan: &Plan<'_>, template: &mut Template) {
    let Some((vpc, id)) = plan.stack.vpc.as_ref().and_then(|vpc| Some((vpc, vpc.id.as_ref()?))) else {
        return;
    };
    template.remark("Ways from the network to the services that the function calls.");
    let service = |name: &str| sub(&format!("com.amazonaws.${{AWS::Region}}.{name}"));
    let gateway = json!({
        "VpcId": id,
        "ServiceName": service("s3"),
        "VpcEndpointType": "Gateway",
        "RouteTableIds": vpc.route_tables,
    });
    template.add("EndpointS3", "AWS::EC2::VPCEndpoint", gateway);
    let catalogued = plan.pipelines.iter().any(|own| own.pipeline.catalog != Catalog::None);
    let told = plan.pipelines.iter().any(|own| crate::policy::topics(own.pipeline).next().is_some());
    for (wanted, name, id_of) in [(catalogued, "glue", "EndpointGlue"), (told, "sns", "EndpointSns")] {
        if wanted {
            let properties = json!({
                "VpcId": id,
                "ServiceName": service(name),
                "VpcEndpointType": "Interface",
                "PrivateDnsEnabled": true,
                "SubnetIds": vpc.subnets,
                "SecurityGroupIds": vpc.security_groups,
            });
            template.add(id_of, "AWS::EC2::VPCEndpoint", properties);
        }
    }
}

fn trail(plan: &Plan<'_>, template: &mut Template) {
    template.remark("Who reads and writes objects, kept by CloudTrail.");
    let bucket = crate::buckets::kept(plan, &format!("{}-trail-${{AWS::AccountId}}", plan.stack.name));
    crate::buckets::add_kept("Trail", bucket, template);
    let trail = format!(
        "arn:${{AWS::Partition}}:cloudtrail:${{AWS::Region}}:${{AWS::AccountId}}:trail/{}",
        plan.stack.name
    );
    let condition = json!({"StringEquals": {"aws:SourceArn": sub(&trail)}});
    let allow = |action: &str, resource: Value| {
        json!({
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": action,
            "Resource": resource,
            "Condition": condition,
        })
    };
    let statements = [
        allow("s3:GetBucketAcl", sub("${Trail.Arn}")),
        allow("s3:PutObject", sub("${Trail.Arn}/AWSLogs/${AWS::AccountId}/*")),
    ];
    crate::buckets::policy("Trail", &statements, template);
    let objects: Vec<Value> =
        plan.buckets.keys().map(|name| sub(&format!("arn:${{AWS::Partition}}:s3:::{name}/"))).collect();
    let properties = json!({
        "TrailName": plan.stack.name,
        "S3BucketName": reference("Trail"),
        "IsLogging": true,
        "EnableLogFileValidation": true,
        "IsMultiRegionTrail": false,
        "KMSKeyId": plan.stack.kms_key,
        "EventSelectors": [{
            "IncludeManagementEvents": false,
            "ReadWriteType": "All",
            "DataResources": [{"Type": "AWS::S3::Object", "Values": objects}],
        }],
    });
    let more = json!({
        "DependsOn": ["TrailPolicy"],
        "Metadata": {"checkov": {"skip": [
            {"id": "CKV_AWS_35", "comment": "[stack] kms_key encrypts the trail too"},
            {"id": "CKV_AWS_67", "comment": "the buckets of the stack are in one region"},
            {"id": "CKV_AWS_252", "comment": "nobody waits for the trail's files"},
        ]}},
    });
    template.add_with("ObjectTrail", "AWS::CloudTrail::Trail", more, properties);
}
