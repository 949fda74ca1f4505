"""Rules of a rendered stack about state machines: their role may do what their states call, and no more.

What a call is made on is read from the state where it is written out; where the input decides, any resource will do.
Not for whether a definition is one: `asl-validator` and cfn-lint say that.
"""

import json
import re

from stack_resolved import ACCOUNT, FUNCTIONS, MACHINE, REGION, listed, matches

OPTIMIZED, SDK = "arn:aws:states:::", "arn:aws:states:::aws-sdk:"
HERE = f"{REGION}:{ACCOUNT}"
# Services of the SDK whose permissions have another name.
PREFIXES = {"sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs"}
# Calls whose permission has another name.
RENAMED = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CopyObject": "s3:PutObject",
    "lambda:Invoke": "lambda:InvokeFunction",
}
# What logs and traces of executions ask of the role.
LOGS = {
    f"logs:{name}" for name in (
        "CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries",
        "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups",
    )
}
TRACES = {
    f"xray:{name}" for name in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
}
NESTED_RULE = f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"


def definition(stack, name):
    """A machine's definition, with its substitutions made; None if it is kept elsewhere."""
    properties = stack.properties[name]
    given = properties.get("Definition")
    text = json.dumps(given) if given is not None else properties.get("DefinitionString")
    if not isinstance(text, str):
        return None
    own = properties.get("DefinitionSubstitutions", {})

    def put(found):
        return json.dumps(str(own[found[1]]))[1:-1] if found[1] in own else found[0]

    return json.loads(re.sub(r"\$\{([A-Za-z0-9_]+)\}", put, text))


def states(machine, path=""):
    """(path, state) of all states, also those within."""
    for name, state in machine.get("States", {}).items():
        yield path + name, state
        inner = [state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", [])]
        for one in filter(None, inner):
            yield from states(one, f"{path}{name}/")


def given(state):
    """What a call is given, without what its input decides."""
    parts = state.get("Parameters", state.get("Arguments", {}))
    if not isinstance(parts, dict):
        return {}
    return {key: value for key, value in parts.items() if not (isinstance(value, str) and value.startswith("{%"))}


def calls(stack, machine, state):
    """(permission, resource or None) of all that a state calls."""
    if state.get("Type") == "Task":
        yield from task_calls(stack, state["Resource"], given(state))
    if state.get("Type") == "Map" and is_distributed(state):
        yield "states:StartExecution", stack.arn(machine)
        for part in ("ItemReader", "ResultWriter"):
            if part in state:
                yield from task_calls(stack, state[part]["Resource"], given(state[part]))


def task_calls(stack, resource, parts):
    if not resource.startswith(OPTIMIZED):
        yield "lambda:InvokeFunction", resource
        return
    if resource.startswith(SDK):
        service, action = resource.removeprefix(SDK).split(":")[:2]
    else:
        service, action = resource.removeprefix(OPTIMIZED).split(":", 1)
    action, _, pattern = action.partition(".")
    prefix = PREFIXES.get(service, service)
    permission = f"{prefix}:{action[0].upper()}{action[1:]}"
    permission = RENAMED.get(permission, permission)
    on = resource_of(stack, permission, parts)
    yield permission, on
    if permission == "states:StartExecution" and pattern.startswith("sync"):
        executions = on.replace(":stateMachine:", ":execution:") + ":*" if on else None
        yield "states:DescribeExecution", executions
        yield "states:StopExecution", executions
        yield from ((f"events:{action}", NESTED_RULE) for action in ("PutTargets", "PutRule", "DescribeRule"))


def resource_of(stack, permission, parts):
    """The ARN that a permission is asked for; None if only the input has it."""
    service, action = permission.split(":")
    if service == "lambda":
        function = stack.function(parts.get("FunctionName"))
        return stack.arn(function) if function else parts.get("FunctionName")
    if service == "s3" and "Bucket" in parts:
        bucket = f"arn:aws:s3:::{parts['Bucket']}"
        if action == "ListBucket":
            return bucket
        key = parts.get("Key", parts.get("Prefix"))
        return f"{bucket}/{key}" if key else f"{bucket}/anything"
    if service == "glue" and action.endswith("Crawler") and "Name" in parts:
        return f"arn:aws:glue:{HERE}:crawler/{parts['Name']}"
    if service == "sqs" and "QueueUrl" in parts:
        return f"arn:aws:sqs:{HERE}:{parts['QueueUrl'].rsplit('/', 1)[-1]}"
    if service == "athena" and "WorkGroup" in parts:
        return f"arn:aws:athena:{HERE}:workgroup/{parts['WorkGroup']}"
    return parts.get("TopicArn") or parts.get("StateMachineArn") or parts.get("TargetArn")


def all_calls(stack, machine):
    """(path of the state, permission, resource)."""
    for path, state in states(definition(stack, machine) or {}):
        for permission, resource in calls(stack, machine, state):
            yield path, permission, resource


def called_is_allowed(stack):
    for machine, properties in stack.of(MACHINE):
        role = stack.role_of(properties.get("RoleArn"))
        if definition(stack, machine) is None:
            yield machine, "has no inline Definition: what it calls is not known"
        elif role is None:
            yield machine, f"has no role of this stack: {properties.get('RoleArn')}"
        else:
            for path, permission, resource in all_calls(stack, machine):
                if not stack.allowed(role, permission, resource):
                    yield machine, f"state {path}: {role} may not do {permission} on {resource or 'anything'}"
            missing = sorted(one for one in watching(properties) if not stack.allowed(role, one))
            if missing:
                yield machine, f"keeps logs or traces, and {role} may not do {missing}"


def watching(properties):
    """What logs and traces of a machine ask of its role."""
    logs = LOGS if properties.get("LoggingConfiguration", {}).get("Destinations") else set()
    return logs | (TRACES if properties.get("TracingConfiguration", {}).get("Enabled") else set())


def allowed_is_called(stack):
    used = {}
    for machine, properties in stack.of(MACHINE):
        role = stack.role_of(properties.get("RoleArn"))
        actions = used.setdefault(role, set())
        for _, permission, _ in all_calls(stack, machine):
            actions.add(permission)
        if any(is_distributed(state) for _, state in states(definition(stack, machine) or {})):
            # Not asked for until an execution is looked into, stopped or taken up again.
            actions |= {"states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"}
            # A writer of results also looks at its uploads and ends them.
            if "s3:PutObject" in actions:
                actions |= {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
        # What is encrypted by a key of the account takes the key.
        if {"s3:GetObject", "sns:Publish"} & actions:
            actions |= {"kms:Decrypt", "kms:GenerateDataKey"}
        actions |= watching(properties)
    for role, actions in used.items():
        for statement in stack.statements(role) if role else []:
            for action in listed(statement.get("Action")):
                if not any(matches(action.lower(), one.lower()) for one in actions):
                    yield role, f"may do {action}, which no state of its machines does"


def is_distributed(state):
    return state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"


def tasks_end(stack):
    for machine, _ in stack.of(MACHINE):
        for path, state in states(definition(stack, machine) or {}):
            if state.get("Type") != "Task":
                continue
            seconds = state.get("TimeoutSeconds", state.get("TimeoutSecondsPath"))
            if seconds is None:
                yield machine, f"state {path}: a Task without TimeoutSeconds waits for 99999999 seconds"
            for permission, resource in task_calls(stack, state["Resource"], given(state)):
                function = stack.by_arn(resource, *FUNCTIONS) if permission == "lambda:InvokeFunction" else None
                needs = stack.properties[function].get("Timeout", 3) if function else 0
                if isinstance(seconds, int) and seconds < needs:
                    yield machine, f"state {path}: ends after {seconds} s, before {function}, which may take {needs} s"


RULES = {
    "d: what states call is allowed": called_is_allowed,
    "d: what is allowed is called": allowed_is_called,
    "e: tasks end": tasks_end,
}
