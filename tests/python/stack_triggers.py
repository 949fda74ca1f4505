"""Rules of a rendered stack about what starts what: each yields (resource, text) for what would not work, or never end.

Not for state machines' own calls (`stack_machines.py`) nor for what roles may do in general (`stack_permissions.py`).
"""

import dataclasses

import stack_template
from stack_resolved import (
    ACCOUNT, BUCKET, FUNCTIONS, MACHINE, QUEUE, RULE, SCHEDULE, TOPIC, condition_keys, fits, from_account,
    from_source, listed, matches, meet,
)

EVENTS, S3, SNS, SCHEDULER = "events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com", "scheduler.amazonaws.com"
SUBSCRIPTION, PERMISSION = "AWS::SNS::Subscription", "AWS::Lambda::Permission"
# What a rule of EventBridge asks its role for, by the type of its target.
STARTS = {MACHINE: "states:StartExecution", QUEUE: "sqs:SendMessage", FUNCTIONS[0]: "lambda:InvokeFunction"}
PURPOSES = {"crawler-on-arrival": ".parquet"}


@dataclasses.dataclass
class Notification:
    """What a bucket tells: an entry of its configuration."""

    bucket: str
    # ARN of a queue, a function or a topic.
    target: str
    events: list
    prefix: str
    suffix: str


def notifications(stack):
    for bucket, properties in stack.of(BUCKET):
        told = properties.get("NotificationConfiguration", {})
        for section, key in (("QueueConfigurations", "Queue"), ("LambdaConfigurations", "Function"),
                             ("TopicConfigurations", "Topic")):
            for one in listed(told.get(section)):
                rules = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
                sides = {rule["Name"].lower(): rule["Value"] for rule in rules}
                yield Notification(
                    bucket, one[key], listed(one["Event"]), sides.get("prefix", ""), sides.get("suffix", "")
                )


def targets(stack):
    """(rule's logical id, target) of all rules of EventBridge."""
    return [(rule, one) for rule, properties in stack.of(RULE) for one in listed(properties.get("Targets"))]


# --- a: who may send to a queue, or publish to a topic ------------------------------------------------


def sends(stack):
    """(who, ARN of a queue or a topic, service, ARN of the source) of all that a service sends by itself."""
    for one in notifications(stack):
        yield one.bucket, one.target, S3, stack.arn(one.bucket)
    for rule, target in targets(stack):
        yield rule, target["Arn"], EVENTS, stack.arn(rule)
        if "DeadLetterConfig" in target:
            yield rule, target["DeadLetterConfig"]["Arn"], EVENTS, stack.arn(rule)
    for name, properties in stack.of(SUBSCRIPTION):
        if properties["Protocol"] == "sqs":
            yield name, properties["Endpoint"], SNS, properties["TopicArn"]
        if "RedrivePolicy" in properties:
            yield name, properties["RedrivePolicy"]["deadLetterTargetArn"], SNS, properties["TopicArn"]
    for name, properties in stack.of("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            for arn in listed(properties.get(key)):
                yield name, arn, "cloudwatch.amazonaws.com", stack.arn(name)


def sent_is_let_in(stack):
    for who, arn, service, source in sends(stack):
        logical = stack.by_arn(arn, QUEUE, TOPIC)
        if logical is None:
            if f":{ACCOUNT}:" in arn and arn.split(":")[2] == "sqs":
                yield who, f"{service} sends to {arn}, which is no queue of this stack: who may is not known"
            continue
        properties = stack.properties[logical]
        key = str(properties.get("KmsMasterKeyId", ""))
        if key.startswith("alias/aws/"):
            yield logical, f"{service} cannot use the key {key}: only a key of one's own lets it"
        policies = list(policies_of(stack, logical))
        # The policy that a topic has by itself lets in CloudWatch of the same account, and nobody of the others.
        if not policies and stack.kind(logical) == TOPIC and service.startswith("cloudwatch"):
            continue
        yield from ((who, text) for text in wrong_policy(stack, logical, policies, service, source))


def wrong_policy(stack, logical, policies, service, source):
    action = "sqs:SendMessage" if stack.kind(logical) == QUEUE else "sns:Publish"
    let_in = [
        one for _, one in policies
        if one["Effect"] == "Allow" and fits(one, action) and service in services(one)
        and any(matches(on, stack.arn(logical)) for on in listed(one.get("Resource")))
    ]
    if not let_in:
        yield f"no policy lets {service} do {action} on {logical}"
        return
    if not any(from_source(one, source) for one in let_in) and not service.startswith("cloudwatch"):
        yield f"the policy that lets {service} do {action} on {logical} does not name its aws:SourceArn {source}"
    if not all(from_account(one) for one in let_in):
        yield f"a policy lets {service} of any account do {action} on {logical}: aws:SourceAccount is missing"


def policies_of(stack, logical):
    """(logical id of the policy, statement) of a queue or a topic."""
    for name, properties in stack.of("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        if stack.ref(logical) in listed(properties.get("Queues")) + listed(properties.get("Topics")):
            for statement in listed(properties["PolicyDocument"]["Statement"]):
                yield name, statement


def services(statement):
    principal = statement.get("Principal", {})
    return listed(principal.get("Service")) if isinstance(principal, dict) else []


# --- b: a bucket's notifications ----------------------------------------------------------------------


def notified_is_ready(stack):
    for one in notifications(stack):
        before = set(stack_template.depends_on(stack.raw[one.bucket]))
        before |= {name for name, _ in stack_template.references(stack.raw[one.bucket])}
        function = stack.function(one.target)
        if function:
            permissions = list(permissions_of(stack, function, S3, stack.arn(one.bucket)))
            if not permissions:
                yield one.bucket, f"no AWS::Lambda::Permission lets {S3} call {function} for this bucket and account"
        else:
            queue = stack.by_arn(one.target, QUEUE, TOPIC)
            permissions = [name for name, _ in policies_of(stack, queue)] if queue else []
        if permissions and not before & set(permissions):
            yield one.bucket, f"made before {permissions[0]}: S3 then refuses the notification; DependsOn is missing"


def permissions_of(stack, function, service, source):
    """Permissions with SourceArn, and for S3, whose ARNs have no account, with SourceAccount."""
    for name, properties in stack.of(PERMISSION):
        right = (
            stack.function(properties["FunctionName"]) == function
            and properties.get("Action") == "lambda:InvokeFunction"
            and properties.get("Principal") == service
            and matches(properties.get("SourceArn", ""), source)
            and properties.get("SourceAccount", ACCOUNT if service != S3 else None) == ACCOUNT
        )
        if right:
            yield name


def notifications_do_not_overlap(stack):
    """S3 refuses two entries for one object, whatever their targets."""
    some = list(notifications(stack))
    for number, one in enumerate(some):
        for other in some[:number]:
            same = one.bucket == other.bucket and any(meet(a, b) for a in one.events for b in other.events)
            if same and meet(f"{one.prefix}*{one.suffix}", f"{other.prefix}*{other.suffix}"):
                yield one.bucket, f"two notifications overlap, which S3 refuses: {one.prefix!r} and {other.prefix!r}"


def event_bridge_is_told(stack):
    made = {stack.name(bucket): bucket for bucket, _ in stack.of(BUCKET)}
    for rule, properties in stack.of(RULE):
        for name, _ in watched(stack, properties):
            # Of a bucket that was there before, the template cannot say.
            bucket = made.get(name)
            if bucket is None:
                continue
            told = stack.properties[bucket].get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
            if told is None or told.get("EventBridgeEnabled", True) is not True:
                yield rule, f"waits for events of {bucket}, which does not tell EventBridge"


# --- c: roles of what starts something ----------------------------------------------------------------


def starters_may(stack):
    for rule, target in targets(stack):
        logical = stack.by_arn(target["Arn"], MACHINE, *FUNCTIONS)
        if logical and stack.kind(logical) == MACHINE:
            wrong = wrong_role(stack, target.get("RoleArn"), EVENTS, target["Arn"], MACHINE)
            yield from ((rule, text) for text in wrong)
        elif logical and not list(permissions_of(stack, logical, EVENTS, stack.arn(rule))):
            yield rule, f"no AWS::Lambda::Permission lets {EVENTS} call {logical} for this rule"
    for name, properties in stack.of(SCHEDULE):
        target = properties["Target"]
        for arn in [target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")]:
            logical = stack.by_arn(arn, MACHINE, QUEUE, *FUNCTIONS) if arn else None
            if logical:
                kind = stack.kind(logical) if stack.kind(logical) not in FUNCTIONS else FUNCTIONS[0]
                yield from ((name, text) for text in wrong_role(stack, target.get("RoleArn"), SCHEDULER, arn, kind))


def wrong_role(stack, role_arn, service, arn, kind):
    role = stack.role_of(role_arn) if role_arn else None
    if role is None:
        yield f"has no role of this stack to start {arn} with"
        return
    action = STARTS[kind]
    if not stack.allowed(role, action, arn):
        yield f"{role} may not do {action} on {arn}"
    for statement in stack.statements(role):
        if fits(statement, action) and any("*" in on for on in listed(statement.get("Resource"))):
            yield f"{role} may do {action} on more than what is started: {statement['Resource']}"
    statements = listed(stack.properties[role]["AssumeRolePolicyDocument"]["Statement"])
    trust = [one for one in statements if service in services(one)]
    if not trust:
        yield f"{role} cannot be assumed by {service}"
    for one in trust:
        keys = {key for _, key, _ in condition_keys(one)}
        if not keys & {"aws:sourceaccount", "aws:sourcearn"}:
            yield f"{role} is assumed by {service} for any account: aws:SourceAccount or aws:SourceArn is missing"


# --- g: what is written starts nothing ----------------------------------------------------------------


def outputs_start_nothing(stack):
    written = list(writes(stack))
    for who, carriers, bucket, pattern in starts(stack):
        purposes = [marked(stack, name) for name in carriers if marked(stack, name)]
        if purposes and purposes[0] in PURPOSES:
            if not pattern.endswith("*" + PURPOSES[purposes[0]]):
                yield who, f"is marked {purposes[0]}, and takes more than *{PURPOSES[purposes[0]]}: {pattern}"
            continue
        if purposes:
            yield who, f"is marked for an unknown purpose: {purposes[0]}"
        for role, resource in written:
            if meet(resource.removeprefix("arn:aws:s3:::"), f"{bucket}/{pattern}"):
                yield who, f"is started by {bucket}/{pattern}, where {role} may write: {resource}"


def writes(stack):
    """(role, resource) of all that functions may put."""
    roles = {stack.role_of(properties.get("Role")) for _, properties in stack.of(*FUNCTIONS)}
    for role in sorted(roles - {None}):
        for statement in stack.statements(role):
            if statement.get("Effect") == "Allow" and fits(statement, "s3:PutObject"):
                yield from ((role, on) for on in listed(statement.get("Resource")))


def starts(stack):
    """(who, logical ids that may carry a mark, bucket's name, pattern of keys) of notifications and rules."""
    for one in notifications(stack):
        logical = stack.by_arn(one.target, QUEUE, TOPIC, *FUNCTIONS)
        if any(event.startswith("s3:ObjectCreated") or event == "s3:*" for event in one.events):
            yield one.bucket, [logical] if logical else [], stack.name(one.bucket), f"{one.prefix}*{one.suffix}"
    for rule, properties in stack.of(RULE):
        ends = [stack.by_arn(one["Arn"], QUEUE, MACHINE, *FUNCTIONS) for one in listed(properties.get("Targets"))]
        for bucket, patterns in watched(stack, properties):
            for pattern in patterns:
                yield rule, [rule, *filter(None, ends)], bucket, pattern


def watched(stack, rule):
    """(bucket's name, patterns of keys) that a rule waits for; what is not understood is any bucket, or any key."""
    pattern = rule.get("EventPattern")
    if not isinstance(pattern, dict) or "aws.s3" not in pattern.get("source", ["aws.s3"]):
        return
    detail = pattern.get("detail", {})
    named = detail.get("bucket", {}).get("name", [{}])
    buckets = [one for one in named if isinstance(one, str)]
    if len(buckets) < len(named):
        buckets = [stack.name(bucket) for bucket, _ in stack.of(BUCKET)]
    yield from ((bucket, [glob(one) for one in detail.get("object", {}).get("key", [{}])]) for bucket in buckets)


def glob(test):
    if isinstance(test, str):
        return test
    sides = {key: value for key, value in test.items() if isinstance(value, str)}
    if "wildcard" in sides:
        return sides["wildcard"]
    return f"{sides.get('prefix', '')}*{sides.get('suffix', '')}"


def marked(stack, logical):
    return stack.raw[logical].get("Metadata", {}).get("Lakegate", {}).get("Purpose")


RULES = {
    "a: services may send": sent_is_let_in,
    "b: notifications are ready": notified_is_ready,
    "b: notifications do not overlap": notifications_do_not_overlap,
    "b: EventBridge is told": event_bridge_is_told,
    "c: starters may start": starters_may,
    "g: outputs start nothing": outputs_start_nothing,
}
