"""Rules of a rendered stack about numbers: AWS's limits, and times that must fit each other.

Lengths are those after references are resolved in a region with a long name, without white space where AWS counts none.
Not for what cfn-lint knows of single properties, but for what it cannot see: sums, and values of two resources.
"""

import json
import re

from stack_machines import definition
from stack_resolved import (
    BUCKET, FUNCTIONS, MACHINE, MANAGED, MAPPING, NAMED, QUEUE, ROLE, RULE, SCHEDULE, TOPIC, listed
)

TEMPLATE_BYTES, RESOURCES, OUTPUTS = 1_000_000, 500, 200
ENVIRONMENT_BYTES, PAYLOAD_BYTES, DEFINITION_BYTES = 4096, 256 * 1024, 1_048_576
MANAGED_POLICY, MANAGED_POLICIES, INLINE_POLICIES, TRUST_POLICY, BUCKET_POLICY = 6144, 10, 10_240, 2048, 20 * 1024
PATTERN, TARGETS_OF_RULE = 2048, 5
BATCH_SECONDS, VISIBILITY_SECONDS, RECEIVES = 300, 43_200, 3
# Longest names, and what they may be made of.
NAMES = {
    ROLE: (64, r"[\w+=,.@-]+"),
    MANAGED: (128, r"[\w+=,.@-]+"),
    QUEUE: (80, r"[A-Za-z0-9_-]+"),
    TOPIC: (256, r"[A-Za-z0-9_-]+"),
    BUCKET: (63, r"[a-z0-9][a-z0-9.-]+[a-z0-9]"),
    FUNCTIONS[0]: (64, r"[A-Za-z0-9_-]+"),
    FUNCTIONS[1]: (64, r"[A-Za-z0-9_-]+"),
    MACHINE: (80, r"[A-Za-z0-9_-]+"),
    RULE: (64, r"[\w.-]+"),
    SCHEDULE: (64, r"[\w.-]+"),
    "AWS::CloudWatch::Alarm": (255, r".+"),
    "AWS::CloudWatch::Dashboard": (255, r"[A-Za-z0-9_-]+"),
    "AWS::Logs::LogGroup": (512, r"[\w./#-]+"),
    "AWS::Athena::WorkGroup": (128, r"[\w.-]+"),
    "AWS::Glue::Crawler": (255, r".+"),
    "AWS::Glue::Database": (255, r"[a-z0-9_]+"),
}


def bare(document):
    """Its length without white space."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def over(what, there, most):
    return [f"{what}: {there:,}, and {most:,} is the most"] if there > most else []


def names_fit(stack):
    for name in (name for name, one in stack.raw.items() if one["Type"] in NAMES):
        longest, made_of = NAMES[stack.kind(name)]
        # A name that CloudFormation makes up fits.
        key = NAMED[stack.kind(name)][0].split(".")[0]
        if key not in stack.properties[name]:
            continue
        there = stack.name(name)
        for text in over(f"the name {there} is too long", len(there), longest):
            yield name, text
        if not re.fullmatch(made_of, there):
            yield name, f"{there!r} is no name here: it is made of {made_of}"


def template_fits(stack):
    size = len(json.dumps(stack.template, separators=(",", ":")).encode())
    for text in (
        *over("bytes of the template", size, TEMPLATE_BYTES),
        *over("resources", len(stack.raw), RESOURCES),
        *over("outputs", len(stack.template.get("Outputs", {})), OUTPUTS),
    ):
        yield "Resources", text


def queues_fit_functions(stack):
    for name, properties in stack.of(MAPPING):
        queue = stack.by_arn(properties["EventSourceArn"], QUEUE)
        function = stack.function(properties["FunctionName"])
        window = properties.get("MaximumBatchingWindowInSeconds", 0)
        yield from ((name, text) for text in over("seconds of the batch window", window, BATCH_SECONDS))
        if properties.get("BatchSize", 10) > 10 and not window:
            yield name, "more than 10 messages at once need a batch window"
        if queue and function:
            yield from queue_fits(stack, queue, function, window)
            yield from ((name, text) for text in concurrency(stack, properties, function))


def queue_fits(stack, queue, function, window):
    there = stack.properties[queue]
    visible, needs = there.get("VisibilityTimeout", 30), 6 * stack.properties[function].get("Timeout", 3) + window
    if visible < needs:
        yield queue, f"VisibilityTimeout is {visible}: six times the timeout of {function} and the window are {needs}"
    yield from ((queue, text) for text in over("VisibilityTimeout", visible, VISIBILITY_SECONDS))
    again = there.get("RedrivePolicy")
    if not again:
        yield queue, "has no dead-letter queue, and is read by a function"
        return
    if int(again["maxReceiveCount"]) < RECEIVES:
        yield queue, f"maxReceiveCount is {again['maxReceiveCount']}: a throttled function needs at least {RECEIVES}"
    dead = stack.by_arn(again["deadLetterTargetArn"], QUEUE)
    kept = stack.properties[dead].get("MessageRetentionPeriod", 345_600) if dead else None
    if dead and kept < there.get("MessageRetentionPeriod", 345_600):
        yield dead, f"keeps messages {kept} s, which count from when they came to {queue}: less than there"


def concurrency(stack, mapping, function):
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    reserved = stack.properties[function].get("ReservedConcurrentExecutions")
    if most is not None and not 2 <= most <= 1000:
        yield f"MaximumConcurrency is {most}, and may be 2 to 1000"
    if most is not None and reserved is not None and most > reserved:
        yield f"MaximumConcurrency {most} is more than the {reserved} reserved for {function}, which throttles messages"


def payloads_fit(stack):
    for name, properties in stack.of(RULE):
        targets = listed(properties.get("Targets"))
        yield from ((name, text) for text in over("targets", len(targets), TARGETS_OF_RULE))
        yield from ((name, text) for text in over("the pattern", bare(properties.get("EventPattern", {})), PATTERN))
        for target in targets:
            size = len(target.get("Input", "").encode())
            yield from ((name, text) for text in over("bytes of Input", size, PAYLOAD_BYTES))
    for name, properties in stack.of(SCHEDULE):
        size = len(properties["Target"].get("Input", "").encode())
        yield from ((name, text) for text in over("bytes of Input", size, PAYLOAD_BYTES))
    for name, _ in stack.of(MACHINE):
        size = len(json.dumps(definition(stack, name)).encode())
        yield from ((name, text) for text in over("bytes of the definition", size, DEFINITION_BYTES))


def policies_fit(stack):
    for name, properties in stack.of(MANAGED):
        yield from ((name, text) for text in over("characters", bare(properties["PolicyDocument"]), MANAGED_POLICY))
    for name, properties in stack.of("AWS::S3::BucketPolicy"):
        yield from ((name, text) for text in over("characters", bare(properties["PolicyDocument"]), BUCKET_POLICY))
    for role, properties in stack.of(ROLE):
        held = list(stack.documents(role))
        managed = {name for name, _ in held if stack.kind(name) == MANAGED}
        foreign = [arn for arn in listed(properties.get("ManagedPolicyArns")) if stack.by_arn(arn, MANAGED) is None]
        inline = sum(bare(document) for name, document in held if stack.kind(name) != MANAGED)
        for text in (
            *over("managed policies", len(managed) + len(foreign), MANAGED_POLICIES),
            *over("characters of inline policies", inline, INLINE_POLICIES),
            *over("characters of the trust policy", bare(properties["AssumeRolePolicyDocument"]), TRUST_POLICY),
        ):
            yield role, text


def environments_fit(stack):
    for name, properties in stack.of(*FUNCTIONS):
        variables = properties.get("Environment", {}).get("Variables", {})
        size = sum(len(key.encode()) + len(str(value).encode()) for key, value in variables.items())
        yield from ((name, text) for text in over("bytes of the environment", size, ENVIRONMENT_BYTES))


RULES = {
    "e: names fit": names_fit,
    "e: the template fits": template_fits,
    "e: queues fit functions": queues_fit_functions,
    "e: payloads fit": payloads_fit,
    "e: policies fit": policies_fit,
    "e: environments fit": environments_fit,
}
