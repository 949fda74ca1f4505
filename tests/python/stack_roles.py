"""Rules of a rendered stack about what services do under a role because of how a function or a crawler is set up.

Not for what Lakegate's own program calls: tests of the function record that.
"""

from stack_resolved import FUNCTIONS, MAPPING, QUEUE, ROLE, TOPIC, listed

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
NETWORK = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
CRAWLER = "AWS::Glue::Crawler"


def asked_of_functions(stack):
    """(function, permission, resource or None) of all that Lambda does under a function's role."""
    for _, mapping in stack.of(MAPPING):
        function = stack.function(mapping["FunctionName"])
        if function:
            yield from ((function, action, mapping["EventSourceArn"]) for action in READS)
    for _, properties in stack.of("AWS::Lambda::EventInvokeConfig"):
        function = stack.function(properties["FunctionName"])
        yield from ((function, *one) for one in destinations(stack, properties) if function)
    for name, properties in stack.of(*FUNCTIONS):
        yield from ((name, *one) for one in destinations(stack, properties.get("EventInvokeConfig", {})))
        dead = properties.get("DeadLetterQueue", properties.get("DeadLetterConfig", {}))
        arn = dead.get("TargetArn")
        if arn:
            yield name, sending(stack, arn), arn
        if "VpcConfig" in properties:
            yield from ((name, action, None) for action in NETWORK)
        if properties.get("Tracing", properties.get("TracingConfig", {}).get("Mode")) == "Active":
            yield from ((name, action, None) for action in TRACES)
        _, group = log_group(stack, name)
        if group:
            yield from ((name, action, stack.arn(group).removesuffix("*") + "log-stream:x") for action in LOGS)


def log_group(stack, function):
    """The name of a function's log group, and its logical id if the stack has it."""
    named = stack.properties[function].get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{stack.name(function)}")
    there = [name for name, _ in stack.of("AWS::Logs::LogGroup") if stack.name(name) == named]
    return named, there[0] if there else None


def destinations(stack, config):
    for end in config.get("DestinationConfig", {}).values():
        arn = end.get("Destination")
        if arn:
            yield sending(stack, arn), arn


def sending(stack, arn):
    kind = stack.by_arn(arn, QUEUE, TOPIC)
    return "sns:Publish" if kind and stack.kind(kind) == TOPIC else "sqs:SendMessage"


def functions_may(stack):
    for function, _ in stack.of(*FUNCTIONS):
        named, there = log_group(stack, function)
        if not there:
            yield function, f"the log group {named} is not of this stack: Lambda would make it, and keep it for ever"
    for function, action, resource in asked_of_functions(stack):
        role = stack.role_of(stack.properties[function].get("Role"))
        if role and not stack.allowed(role, action, resource):
            yield function, f"Lambda asks for {action} on {resource or 'anything'}, which {role} may not do"


def crawlers_may(stack):
    for crawler, properties in stack.of(CRAWLER):
        role = stack.role_of(properties["Role"]) or next(
            (name for name, _ in stack.of(ROLE) if stack.name(name) == properties["Role"]), None
        )
        if role is None:
            yield crawler, f"has no role of this stack: {properties['Role']}"
            continue
        for action, resource in asked_of_crawler(properties):
            if not stack.allowed(role, action, resource):
                yield crawler, f"Glue asks for {action} on {resource}, which {role} may not do"


def asked_of_crawler(properties):
    for target in listed(properties.get("Targets", {}).get("S3Targets")):
        bucket, _, prefix = target["Path"].removeprefix("s3://").partition("/")
        yield "s3:ListBucket", f"arn:aws:s3:::{bucket}"
        yield "s3:GetObject", f"arn:aws:s3:::{bucket}/{prefix}x"
        if "EventQueueArn" in target:
            yield from ((action, target["EventQueueArn"]) for action in READS)


RULES = {"c: functions may": functions_may, "c: crawlers may": crawlers_may}
