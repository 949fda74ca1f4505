"""Deploys a rendered stack on a stand-in for AWS, as `sam package` and `sam deploy` would.

    stack_deploy.py FOLDER ZIP --ministack URL [--name NAME]   prints outputs and resources as JSON
    stack_deploy.py --check --ministack URL                    says which entries of LEFT_OUT are no longer true

Only CodeUri is rewritten, and what the stand-in cannot do is taken out: `LEFT_OUT` and `TLS` say what, and why. It
asks for rights on a crawler by the ARN of a table, which is allowed beside the crawler's own. A type that it refuses
and that does not stand there fails the deployment. Not for what AWS itself would refuse: `stack_wiring.py` and the
linters. Nor does a stack that works here prove any of what the stand-in takes and does not look at: policies of queues
and topics, permissions of buckets to call a function, roles of rules, schedules and state machines, the order of bucket
and permission, reserved concurrency, VPCs, dead-letter queues and retries of rules' targets, jitter, times that a
Choice compares by path, windows of event source mappings, attributes of what a state machine publishes.
"""

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from pathlib import Path

import stack_template

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
WAIT_SECONDS = 180

# What MiniStack 1.5.33 refuses, a type or a type with a property: and why the stack may be judged there without it.
LEFT_OUT = {
    ("AWS::Athena::NamedQuery", None): "a text that is kept: nothing depends on it, and its SQL is judged elsewhere",
    ("AWS::CloudTrail::Trail", None): "the stand-in records all calls by itself",
    ("AWS::CloudWatch::Alarm", "Metrics"): "an alarm that computes; the stand-in judges those of one metric",
    ("AWS::LakeFormation::PrincipalPermissions", None): "the stand-in has no Lake Formation, and so denies nothing",
    ("AWS::LakeFormation::Resource", None): "the stand-in has no Lake Formation, and so denies nothing",
}
# Conditions of statements that deny whoever comes without TLS: the stand-in has none, and so would deny everybody.
TLS = ("aws:SecureTransport", "s3:TlsVersion")
# How it says so, of a type and of a property.
REFUSALS = ("Unrecognized resource types", "is not supported")


@dataclasses.dataclass
class Deployed:
    """A stack that stands."""

    name: str
    outputs: dict
    # Physical ids, by logical id.
    resources: dict
    # Types, by logical id, of what was taken out.
    left_out: dict


class Failed(Exception):
    """The stack was not made; the text has the events' reasons."""


def deploy(client, folder, zip_bytes, name, parameters=None):
    """Makes the stack `name`; `client` gives a boto3 client by its service's name."""
    template, left_out = taken_out(stack_template.load(folder))
    bucket = f"{name}-artifacts"
    client("s3").create_bucket(Bucket=bucket)
    package(client("s3"), bucket, template, zip_bytes)
    text = stack_template.dump(template)
    client("s3").put_object(Bucket=bucket, Key="template.json", Body=text.encode())
    endpoint = client("s3").meta.endpoint_url
    formation = client("cloudformation")
    formation.create_stack(
        StackName=name,
        # A body may have 51,200 bytes only.
        TemplateURL=f"{endpoint}/{bucket}/template.json",
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
    )
    stack = settled(formation, name)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Failed(f"{name}: {stack['StackStatus']}\n" + "\n".join(reasons(formation, name)))
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }
    return Deployed(name, outputs, resources, left_out)


def taken_out(template):
    """The template without what is left out, and the types of that by logical id."""
    resources = {name: with_crawlers(without_tls(one)) for name, one in template["Resources"].items()}
    gone = {name: one["Type"] for name, one in resources.items() if is_left_out(one)}
    kept = {name: dict(one) for name, one in resources.items() if name not in gone}
    for name, one in kept.items():
        waits = [other for other in stack_template.depends_on(one) if other not in gone]
        one.pop("DependsOn", None)
        if waits:
            one["DependsOn"] = waits
        lost = [other for other, _ in stack_template.references(one) if other in gone]
        assert not lost, f"{name} needs {lost}, which the stand-in cannot make"
    outputs = {
        name: one for name, one in template.get("Outputs", {}).items()
        if not any(other in gone for other, _ in stack_template.references(one))
    }
    return template | {"Resources": kept, "Outputs": outputs}, gone


def is_left_out(resource):
    properties = resource.get("Properties", {})
    if properties.get("PolicyDocument", {}).get("Statement") == []:
        return True
    return any(kind == resource["Type"] and (key is None or key in properties) for kind, key in LEFT_OUT)


def without_tls(resource):
    """A policy of buckets, queues or topics without its statements about TLS."""
    properties = resource.get("Properties", {})
    if "PolicyDocument" not in properties:
        return resource
    document = properties["PolicyDocument"]
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [one for one in statements if not is_about_tls(one)]
    return resource | {"Properties": properties | {"PolicyDocument": document | {"Statement": kept}}}


def with_crawlers(resource):
    """A policy that allows for a table of the same name what it allows for a crawler: so the stand-in calls it."""
    properties = resource.get("Properties", {})
    if resource["Type"] != "AWS::IAM::ManagedPolicy":
        return resource
    document = properties["PolicyDocument"]
    statements = []
    for one in document["Statement"]:
        on = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
        tables = [json.loads(json.dumps(arn).replace(":crawler/", ":table/")) for arn in on]
        statements.append(one | {"Resource": on + [arn for arn in tables if arn not in on]})
    return resource | {"Properties": properties | {"PolicyDocument": document | {"Statement": statements}}}


def is_about_tls(statement):
    keys = [key for test in statement.get("Condition", {}).values() for key in test]
    return statement["Effect"] == "Deny" and any(key in TLS for key in keys)


def package(s3, bucket, template, zip_bytes):
    """Puts the zip where functions find it; CodeUri names it."""
    key = hashlib.sha256(zip_bytes).hexdigest()
    s3.put_object(Bucket=bucket, Key=key, Body=zip_bytes)
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"] = one["Properties"] | {"CodeUri": f"s3://{bucket}/{key}"}


def settled(formation, name):
    """The stack, once nothing is in progress."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        assert time.monotonic() < end, f"{name} is {stack['StackStatus']} after {WAIT_SECONDS} s"
        time.sleep(0.1)


def reasons(formation, name):
    """What failed, in the order in which it did."""
    pages = formation.get_paginator("describe_stack_events").paginate(StackName=name)
    events = [event for page in pages for event in page["StackEvents"]]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")
    ]


def stale(formation):
    """What is left out although the stand-in takes it."""
    for number, (kind, key) in enumerate(LEFT_OUT):
        template = {"Resources": {"One": {"Type": kind, "Properties": {key: [{"Id": "one"}]} if key else {}}}}
        name = f"left-out-{number}"
        try:
            formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
            settled(formation, name)
            said = "\n".join(reasons(formation, name))
        except formation.exceptions.ClientError as error:
            said = str(error)
        if not any(refusal in said for refusal in REFUSALS):
            yield f"{kind} {key or ''}: {said}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("zip", nargs="?", type=Path)
    parser.add_argument("--ministack", required=True)
    parser.add_argument("--name", default="lakegate")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    import boto3
    from aws_rig import ROOT

    def client(service):
        return boto3.client(service, endpoint_url=arguments.ministack, **ROOT)

    if arguments.check:
        found = list(stale(client("cloudformation")))
        sys.exit(f"no longer refused: {found}" if found else 0)
    deployed = deploy(client, arguments.folder, arguments.zip.read_bytes(), arguments.name)
    print(json.dumps(dataclasses.asdict(deployed), indent=1))


if __name__ == "__main__":
    main()
