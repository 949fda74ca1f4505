"""Rules of a rendered stack about who may do what, and about what a bucket must have.

Not for whether a role may do enough: tests of the function, and `stack_machines.py`, say that.
"""

from stack_resolved import BUCKET, FUNCTIONS, MANAGED, ROLE, condition_keys, from_account, listed
from stack_triggers import services

# Actions that know no resource, and so stand on `*`.
FORCED = {
    "xray:PutTraceSegments": "X-Ray has no resource for it",
    "xray:PutTelemetryRecords": "X-Ray has no resource for it",
    "xray:GetSamplingRules": "X-Ray has no resource for it",
    "xray:GetSamplingTargets": "X-Ray has no resource for it",
    "ec2:CreateNetworkInterface": "Lambda makes it in subnets of a VPC, and asks before it has one",
    "ec2:DescribeNetworkInterfaces": "EC2's listings know no resource",
    "ec2:DeleteNetworkInterface": "Lambda asks for it on all when the function is made",
    "ec2:AssignPrivateIpAddresses": "Lambda asks for it on all when the function is made",
    "ec2:UnassignPrivateIpAddresses": "Lambda asks for it on all when the function is made",
    "ec2:DescribeSubnets": "EC2's listings know no resource",
    "logs:CreateLogDelivery": "deliveries of logs know no resource",
    "logs:GetLogDelivery": "deliveries of logs know no resource",
    "logs:UpdateLogDelivery": "deliveries of logs know no resource",
    "logs:DeleteLogDelivery": "deliveries of logs know no resource",
    "logs:ListLogDeliveries": "deliveries of logs know no resource",
    "logs:PutResourcePolicy": "policies of resources of CloudWatch Logs know no resource",
    "logs:DescribeResourcePolicies": "policies of resources of CloudWatch Logs know no resource",
    "logs:DescribeLogGroups": "the listing knows no single group",
    "cloudwatch:PutMetricData": "metrics know no resource; the namespace is a condition",
    "lakeformation:GetDataAccess": "Lake Formation itself says on what",
    "s3:ListAllMyBuckets": "the listing knows no single bucket",
}
# Services that say for which account they assume a role.
SAY_ACCOUNT = {"events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"}
# Lambda does not: with the condition, it could not assume the role. Of Glue it is not documented, and so not asked for.
SAY_NO_ACCOUNT = {"lambda.amazonaws.com"}
STALE_DAYS = 15
SIDES = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def policies(stack):
    """(logical id, statement) of all that lets a role do something."""
    for role, _ in stack.of(ROLE):
        for name, document in stack.documents(role):
            yield from ((name, one) for one in listed(document.get("Statement")))
    for name, properties in stack.of(MANAGED):
        yield from ((name, one) for one in listed(properties["PolicyDocument"].get("Statement")))
    for name, properties in stack.of(*FUNCTIONS):
        for one in listed(properties.get("Policies")):
            if isinstance(one, dict) and "Statement" in one:
                yield from ((name, statement) for statement in listed(one["Statement"]))


def nobody_may_all(stack):
    seen = []
    for name, statement in policies(stack):
        if statement.get("Effect") != "Allow" or (name, statement) in seen:
            continue
        seen.append((name, statement))
        for key in {"NotAction", "NotResource"} & set(statement):
            yield name, f"{key} allows whatever is not thought of"
        actions = listed(statement.get("Action"))
        yield from ((name, f"allows all of {action}") for action in actions if "*" in action)
        if "*" in listed(statement.get("Resource")):
            yield from ((name, f"allows {action} on every resource") for action in actions if action not in FORCED)


def policies_are_of_the_stack(stack):
    """What AWS's own policies allow is not in the template, is too much, and changes."""
    for name, properties in stack.of(ROLE, *FUNCTIONS):
        own = [stack.arn(managed) for managed, _ in stack.of(MANAGED)]
        for one in listed(properties.get("ManagedPolicyArns")) + listed(properties.get("Policies")):
            if isinstance(one, str) and one not in own:
                yield name, f"has the policy {one}, which is not of this stack"
    for name, properties in stack.of(FUNCTIONS[0]):
        if "Role" not in properties:
            yield name, "has a role that SAM makes, with AWS's own policies"
        if "Events" in properties:
            yield name, "has Events, of which SAM makes resources that are not judged here"


def trust_is_of_the_account(stack):
    for role, properties in stack.of(ROLE):
        for one in listed(properties["AssumeRolePolicyDocument"]["Statement"]):
            principal = one.get("Principal")
            if principal == "*" or "*" in listed((principal or {}).get("AWS")):
                yield role, "everybody may assume it"
                continue
            for service in services(one):
                if service in SAY_ACCOUNT and not from_account(one):
                    yield role, f"{service} assumes it for any account: aws:SourceAccount is missing"
                if service in SAY_NO_ACCOUNT and any(key.startswith("aws:source") for _, key, _ in condition_keys(one)):
                    yield role, f"{service} cannot assume it: it does not say aws:SourceAccount"


def buckets_are_safe(stack):
    results = results_buckets(stack)
    for name, properties in stack.of(BUCKET):
        blocked = properties.get("PublicAccessBlockConfiguration", {})
        if not all(blocked.get(side) is True for side in SIDES):
            yield name, f"does not block public access: {SIDES} must be true"
        if properties.get("VersioningConfiguration", {}).get("Status") != "Enabled" and name not in results:
            yield name, "keeps no versions"
        if not properties.get("BucketEncryption"):
            yield name, "has no BucketEncryption"
        if not list(tls_only(stack, name)):
            yield name, "has no bucket policy that denies s3:* without TLS, to everybody, on bucket and objects"
        days = [
            rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            for rule in properties.get("LifecycleConfiguration", {}).get("Rules", [])
            if rule.get("Status") == "Enabled" and "AbortIncompleteMultipartUpload" in rule and not rule.get("Prefix")
        ]
        if not days:
            yield name, "no rule ends uploads that nobody completed"
        elif min(days) < STALE_DAYS:
            yield name, f"ends uploads after {min(days)} days: {STALE_DAYS} are needed, for an event may come for 14"


def results_buckets(stack):
    """Where Athena puts results: they can be asked for again, and so need no versions."""
    found = set()
    for _, properties in stack.of("AWS::Athena::WorkGroup"):
        where = properties.get("WorkGroupConfiguration", {}).get("ResultConfiguration", {}).get("OutputLocation", "")
        found |= {name for name, _ in stack.of(BUCKET) if f"{where}/".startswith(f"s3://{stack.name(name)}/")}
    return found


def tls_only(stack, bucket):
    arn = stack.arn(bucket)
    for name, properties in stack.of("AWS::S3::BucketPolicy"):
        if properties["Bucket"] != stack.name(bucket):
            continue
        for one in listed(properties["PolicyDocument"]["Statement"]):
            insecure = any(
                key == "aws:securetransport" and [str(value).lower() for value in values] == ["false"]
                for _, key, values in condition_keys(one)
            )
            everybody = one.get("Principal") in ("*", {"AWS": "*"}) and "s3:*" in listed(one.get("Action"))
            on_all = {arn, f"{arn}/*"} <= set(listed(one["Resource"]))
            if one["Effect"] == "Deny" and insecure and everybody and on_all:
                yield name


RULES = {
    "h: nobody may all": nobody_may_all,
    "h: policies are of the stack": policies_are_of_the_stack,
    "h: trust is of the account": trust_is_of_the_account,
    "h: buckets are safe": buckets_are_safe,
}
