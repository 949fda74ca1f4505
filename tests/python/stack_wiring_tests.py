"""Whether `stack_wiring.py` finds what it says that it finds: `stack_wiring_tests.py` prints what it does not.

`stack_wiring.yaml` is a stack in which nothing is wrong. Each case changes one thing of it, and names the rule and the
resource that must then be found, with a word of the text; a rule without a case fails.
"""

import copy
import sys
import time
from pathlib import Path

import stack_deploy
import stack_machines
import stack_resolved
import stack_template
import stack_triggers
import stack_wiring

GOOD = Path(__file__).with_name("stack_wiring.yaml")
DROP = object()


def changed(template, path, value):
    """The template with another value at a path of keys and numbers; DROP takes it away."""
    template = copy.deepcopy(template)
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    inner = template["Resources"]
    for step in way:
        inner = inner[step]
    if value is DROP:
        del inner[last]
    elif isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return template


SEND = "a: services may send"
READY = "b: notifications are ready"
APART = "b: notifications do not overlap"
TELLS = "b: EventBridge is told"
START = "c: starters may start"
CALLED = "d: what states call is allowed"
UNUSED = "d: what is allowed is called"
END = "e: tasks end"
NAMES = "e: names fit"
TEMPLATE = "e: the template fits"
QUEUES = "e: queues fit functions"
PAYLOADS = "e: payloads fit"
POLICIES = "e: policies fit"
VARIABLES = "e: environments fit"
THERE = "f: what is named is there"
CIRCLE = "f: nothing waits for itself"
FUNCTIONS = "c: functions may"
CRAWLERS = "c: crawlers may"
OUTPUTS = "g: outputs start nothing"
ALL = "h: nobody may all"
FOREIGN = "h: policies are of the stack"
TRUST = "h: trust is of the account"
BUCKETS = "h: buckets are safe"

STATEMENTS = "Properties/PolicyDocument/Statement"
POLICY = f"QueuePolicy/{STATEMENTS}"
DEAD = f"DeadPolicy/{STATEMENTS}"
RAW = "RawBucket/Properties"
TOLD = f"{RAW}/NotificationConfiguration"
DEFINITION = "Machine/Properties/Definition/States"
MACHINE_MAY = "MachineRole/Properties/Policies/0/PolicyDocument/Statement"
FUNCTION_MAY = f"FunctionPolicy/{STATEMENTS}"
ARRIVAL = "OnArrival/Properties/EventPattern/detail/object/key/0"
LONG = [f"arn:aws:s3:::bucket/{number:032}/*" for number in range(150)]

# (rule, resource, a word of the text, path, value)
CASES = [
    (SEND, "RawBucket", "no policy lets s3", f"{POLICY}/0", DROP),
    (SEND, "RawBucket", "aws:SourceArn", f"{POLICY}/0/Condition/ArnEquals", DROP),
    (SEND, "RawBucket", "aws:SourceArn", f"{POLICY}/0/Condition/ArnEquals/aws:SourceArn", "*"),
    (SEND, "RawBucket", "aws:SourceAccount", f"{POLICY}/0/Condition/StringEquals", DROP),
    (SEND, "ToQueue", "no policy lets events", f"{POLICY}/1", DROP),
    (SEND, "ToQueue", "no policy lets events", f"{POLICY}/1/Resource", {"Fn::GetAtt": "Dead.Arn"}),
    (SEND, "ToQueue", "aws:SourceArn", f"{POLICY}/1/Condition/ArnEquals/aws:SourceArn",
     {"Fn::GetAtt": "ToMachine.Arn"}),
    (SEND, "ToMachine", "aws:SourceAccount", f"{DEAD}/0/Condition/StringEquals", DROP),
    (SEND, "ToMachine", "no policy lets events", f"{DEAD}/0/Principal/Service", "sns.amazonaws.com"),
    (SEND, "Subscription", "no policy lets sns", f"{DEAD}/0/Principal/Service", "events.amazonaws.com"),
    (SEND, "Alarm", "no policy lets cloudwatch", f"TopicPolicy/{STATEMENTS}/0/Action", "sns:Subscribe"),
    (SEND, "Queue", "alias/aws/sqs", "Queue/Properties/KmsMasterKeyId", "alias/aws/sqs"),
    (SEND, "ToQueue", "no queue of this stack", "ToQueue/Properties/Targets/0/Arn",
     {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:other"}),
    (READY, "RawBucket", "no AWS::Lambda::Permission", "RawPermission/Properties/SourceAccount", DROP),
    (READY, "RawBucket", "no AWS::Lambda::Permission", "RawPermission/Properties/SourceArn",
     "arn:aws:s3:::lake"),
    (READY, "RawBucket", "made before RawPermission", "RawBucket/DependsOn", "QueuePolicy"),
    (READY, "RawBucket", "made before QueuePolicy", "RawBucket/DependsOn", ["RawPermission"]),
    (APART, "RawBucket", "overlap",
     f"{TOLD}/LambdaConfigurations/0/Filter/S3Key/Rules/0/Value", "in/direct/"),
    (TELLS, "ToQueue", "RawBucket", f"{TOLD}/EventBridgeConfiguration", DROP),
    (TELLS, "ToMachine", "RawBucket", f"{TOLD}/EventBridgeConfiguration/EventBridgeEnabled", False),
    (START, "ToMachine", "no role", "ToMachine/Properties/Targets/0/RoleArn", DROP),
    (START, "ToMachine", "may not do states:StartExecution",
     "StartRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource", {"Fn::GetAtt": "Function.Arn"}),
    (START, "ToMachine", "more than what is started",
     "StartRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource", {"Fn::Sub": "${Machine}*"}),
    (START, "ToMachine", "cannot be assumed by events",
     "StartRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service", "states.amazonaws.com"),
    (START, "ToMachine", "any account",
     "StartRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition", DROP),
    (START, "OnArrival", "no AWS::Lambda::Permission", "ArrivalPermission", DROP),
    (START, "Schedule", "may not do states:StartExecution", "ScheduleMay", DROP),
    (FUNCTIONS, "Function", "sqs:ReceiveMessage", f"{FUNCTION_MAY}/3", DROP),
    (FUNCTIONS, "Function", "sqs:SendMessage", f"{FUNCTION_MAY}/4", DROP),
    (FUNCTIONS, "Function", "sns:Publish", "Function/Properties/EventInvokeConfig/DestinationConfig/OnSuccess",
     {"Type": "SNS", "Destination": {"Ref": "Topic"}}),
    (FUNCTIONS, "Function", "logs:PutLogEvents", f"{FUNCTION_MAY}/5/Action", "logs:CreateLogStream"),
    (FUNCTIONS, "Function", "is not of this stack", "FunctionLogs/Properties/LogGroupName", "/aws/lambda/other"),
    (FUNCTIONS, "Function", "xray:PutTraceSegments", f"{FUNCTION_MAY}/2", DROP),
    (FUNCTIONS, "Function", "ec2:CreateNetworkInterface", "Function/Properties/VpcConfig", {"SubnetIds": ["subnet-1"]}),
    (CRAWLERS, "Crawler", "s3:GetObject", "CrawlerRole/Properties/Policies/0/PolicyDocument/Statement/1", DROP),
    (CRAWLERS, "Crawler", "sqs:ReceiveMessage", "Crawler/Properties/Targets/S3Targets/0/EventQueueArn",
     {"Fn::GetAtt": "Queue.Arn"}),
    (CRAWLERS, "Crawler", "no role", "Crawler/Properties/Role", "arn:aws:iam::1:role/other"),
    (CALLED, "Machine", "lambda:InvokeFunction", f"{MACHINE_MAY}/0", DROP),
    (CALLED, "Machine", "lambda:InvokeFunction", f"{MACHINE_MAY}/0/Resource", "arn:aws:lambda:x"),
    (CALLED, "Machine", "glue:GetCrawler", f"{DEFINITION}/Crawl/Resource",
     "arn:aws:states:::aws-sdk:glue:getCrawler"),
    (CALLED, "Machine", "crawler/other", f"{DEFINITION}/Crawl/Parameters/Name", "other"),
    (CALLED, "Machine", "sns:Publish", f"{MACHINE_MAY}/2", DROP),
    (CALLED, "Machine", "states:StartExecution", f"{MACHINE_MAY}/3", DROP),
    (CALLED, "Machine", "state Each", f"{MACHINE_MAY}/4", DROP),
    (CALLED, "Machine", "s3:ListBucket", f"{DEFINITION}/Each/ItemReader/Resource",
     "arn:aws:states:::s3:listObjectsV2"),
    (CALLED, "Machine", "events:PutRule", f"{DEFINITION}/Tell",
     {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "TimeoutSeconds": 9}),
    (CALLED, "Machine", "xray:GetSamplingRules", f"{MACHINE_MAY}/5/Action", ["xray:PutTraceSegments"]),
    (CALLED, "Machine", "no role", "Machine/Properties/RoleArn", "arn:aws:iam::1:role/other"),
    (CALLED, "Machine", "not known", "Machine/Properties/Definition", DROP),
    (UNUSED, "MachineRole", "glue:GetCrawler", f"{MACHINE_MAY}/1/Action",
     ["glue:StartCrawler", "glue:GetCrawler"]),
    (UNUSED, "MachineRole", "xray", "Machine/Properties/TracingConfiguration/Enabled", False),
    (END, "Machine", "without TimeoutSeconds", f"{DEFINITION}/Tell/TimeoutSeconds", DROP),
    (END, "Machine", "before Function", f"{DEFINITION}/Each/ItemProcessor/States/Transform/TimeoutSeconds", 299),
    (NAMES, "FunctionRole", "65", "FunctionRole/Properties/RoleName", "r" * 65),
    (NAMES, "Queue", "81", "Queue/Properties/QueueName", "q" * 81),
    (NAMES, "LakeBucket", "64", "LakeBucket/Properties/BucketName", "b" * 64),
    (NAMES, "LakeBucket", "no name", "LakeBucket/Properties/BucketName", "Lake"),
    (NAMES, "Function", "65", "Function/Properties/FunctionName", "f" * 65),
    (NAMES, "Machine", "81", "Machine/Properties/StateMachineName", "m" * 81),
    (NAMES, "ToQueue", "65", "ToQueue/Properties/Name", "r" * 65),
    (NAMES, "Alarm", "256", "Alarm/Properties/AlarmName", "a" * 256),
    (TEMPLATE, "Resources", "bytes", "Topic/Metadata", "x" * 1_000_000),
    (QUEUES, "Queue", "six times", "Queue/Properties/VisibilityTimeout", 1829),
    (QUEUES, "Queue", "six times", "Queue/Properties/VisibilityTimeout", DROP),
    (QUEUES, "Queue", "43,200", "Queue/Properties/VisibilityTimeout", 43_201),
    (QUEUES, "Queue", "no dead-letter queue", "Queue/Properties/RedrivePolicy", DROP),
    (QUEUES, "Queue", "at least 3", "Queue/Properties/RedrivePolicy/maxReceiveCount", 2),
    (QUEUES, "Dead", "keeps messages", "Dead/Properties/MessageRetentionPeriod", 60),
    (QUEUES, "Mapping", "batch window", "Mapping/Properties/MaximumBatchingWindowInSeconds", 301),
    (QUEUES, "Mapping", "may be 2 to 1000", "Mapping/Properties/ScalingConfig/MaximumConcurrency", 1),
    (QUEUES, "Mapping", "reserved", "Mapping/Properties/ScalingConfig/MaximumConcurrency", 11),
    (PAYLOADS, "OnArrival", "Input", "OnArrival/Properties/Targets/0/Input", "x" * 262_145),
    (PAYLOADS, "Schedule", "Input", "Schedule/Properties/Target/Input", "x" * 262_145),
    (PAYLOADS, "ToQueue", "pattern", "ToQueue/Properties/EventPattern/detail/object/key/0/prefix", "x" * 2048),
    (POLICIES, "FunctionPolicy", "6,144", f"{FUNCTION_MAY}/0/Resource", LONG),
    (POLICIES, "FunctionRole", "managed policies", "FunctionRole/Properties/ManagedPolicyArns", list("abcdefghijk")),
    (POLICIES, "MachineRole", "10,240", f"{MACHINE_MAY}/0/Resource", LONG * 2),
    (VARIABLES, "Function", "4,096", "Function/Properties/Environment/Variables/MORE", "x" * 4096),
    (THERE, "Mapping", "Gone", "Mapping/Properties/FunctionName", {"Ref": "Gone"}),
    (THERE, "Mapping", "Gone", "Mapping/Properties/EventSourceArn", {"Fn::GetAtt": ["Gone", "Arn"]}),
    (THERE, "Topic", "Gone", "Topic/Properties/DisplayName", {"Fn::Sub": "${Gone.Arn}-${!Kept}"}),
    (THERE, "Topic", "Gone", "Topic/DependsOn", "Gone"),
    (THERE, "Topic", "Gone", "Topic/Condition", "Gone"),
    (THERE, "output Queue", "Queue", "Queue", DROP),
    (CIRCLE, "Topic", "Topic → TopicPolicy → Topic", "Topic/DependsOn", "TopicPolicy"),
    (CIRCLE, "RawBucket", "→", "RawPermission/Properties/SourceArn", {"Fn::GetAtt": "RawBucket.Arn"}),
    (OUTPUTS, "RawBucket", "failed/*", f"{TOLD}/QueueConfigurations/0/Filter", DROP),
    (OUTPUTS, "ToQueue", "failed/*",
     "ToQueue/Properties/EventPattern/detail/object/key/0/prefix", "failed/orders/"),
    (OUTPUTS, "ToMachine", "raw-", f"{FUNCTION_MAY}/1/Resource/3",
     {"Fn::Sub": "${RawBucket.Arn}/machine/done/*"}),
    (OUTPUTS, "ToMachine", "lake-", "ToMachine/Properties/EventPattern/detail",
     {"bucket": {"name": [{"prefix": "l"}]}, "object": {"key": [{"suffix": ".csv"}]}}),
    (OUTPUTS, "ToMachine", "there-before", "ToMachine/Properties/EventPattern/detail",
     {"bucket": {"name": ["there-before"]}, "object": {"key": [{"suffix": ".csv"}]}}),
    (OUTPUTS, "OnArrival", "orders/*", "OnArrival/Metadata", DROP),
    (OUTPUTS, "OnArrival", "takes more than", f"{ARRIVAL}/wildcard", "orders/*"),
    (OUTPUTS, "OnArrival", "unknown purpose", "OnArrival/Metadata/Lakegate/Purpose", "other"),
    (ALL, "FunctionPolicy", "all of s3:*", f"{FUNCTION_MAY}/0/Action", "s3:*"),
    (ALL, "FunctionPolicy", "every resource", f"{FUNCTION_MAY}/0/Resource", "*"),
    (ALL, "FunctionPolicy", "NotAction", f"{FUNCTION_MAY}/0/NotAction", "s3:DeleteBucket"),
    (FOREIGN, "FunctionRole", "not of this stack", "FunctionRole/Properties/ManagedPolicyArns/1",
     "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
    (FOREIGN, "Function", "SAM makes", "Function/Properties/Role", DROP),
    (TRUST, "MachineRole", "any account",
     "MachineRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition", DROP),
    (TRUST, "FunctionRole", "cannot assume",
     "FunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition",
     {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}),
    (TRUST, "FunctionRole", "everybody",
     "FunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"}),
    (BUCKETS, "RawBucket", "public access", f"{RAW}/PublicAccessBlockConfiguration/BlockPublicAcls", False),
    (BUCKETS, "RawBucket", "versions", f"{RAW}/VersioningConfiguration/Status", "Suspended"),
    (BUCKETS, "RawBucket", "BucketEncryption", f"{RAW}/BucketEncryption", DROP),
    (BUCKETS, "RawBucket", "14", f"{RAW}/LifecycleConfiguration", {"Rules": [
        {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]}),
    (BUCKETS, "RawBucket", "nobody completed", f"{RAW}/LifecycleConfiguration/Rules/0/Status", "Disabled"),
    (BUCKETS, "LakeBucket", "TLS", f"LakeTls/{STATEMENTS}/0/Resource", {"Fn::GetAtt": "LakeBucket.Arn"}),
    (BUCKETS, "ResultsBucket", "TLS", "ResultsTls", DROP),
]


def wrong_cases(good):
    """What is not found, and what is found in a stack that has nothing wrong."""
    yield from (f"nothing is wrong, and found is {one}" for one in stack_wiring.findings(good))
    for rule, resource, word, path, value in CASES:
        found = stack_wiring.findings(changed(good, path, value))
        if not any((one.rule, one.resource) == (rule, resource) and word in one.text for one in found):
            yield f"{path}: not found: {resource}: {rule}: … {word} …; but {[str(one) for one in found]}"
    tried = {rule for rule, *_ in CASES}
    yield from (f"no case for the rule {rule}" for rule in stack_wiring.RULES if rule not in tried)


def wrong_helpers():
    """What the parts give for values that are easily got wrong."""
    meet, matches, glob = stack_resolved.meet, stack_resolved.matches, stack_triggers.glob
    given = stack_template.parse('{a: !Sub ["${x}-${Y.Arn}-${!Z}", {x: !Ref X}], b: !GetAtt Q.Arn, c: 2012-10-17}')
    for told, there, wanted in (
        ("meet", [meet("in/*", "*.csv"), meet("in/*", "out/*"), meet("a?c", "ab*"), meet("a", "ab")],
         [True, False, True, False]),
        ("matches", [matches("s3:Get*", "s3:GetObject"), matches("[a]", "a"), matches("a?", "ab")],
         [True, False, True]),
        ("glob", [glob("k"), glob({"prefix": "p"}), glob({"suffix": "s"}), glob({"anything-but": ["x"]})],
         ["k", "p*", "*s", "*"]),
        ("references", sorted(map(str, stack_template.references(given))),
         ["('Q', 'Arn')", "('X', None)", "('Y', 'Arn')"]),
        ("dates stay texts", given["c"], "2012-10-17"),
        ("a nested state", [path for path, _ in stack_machines.states(
            {"States": {"P": {"Type": "Parallel", "Branches": [{"States": {"A": {}}}, {"States": {"B": {}}}]}}}
        )], ["P", "P/A", "P/B"]),
    ):
        if there != wanted:
            yield f"{told}: {there}, and not {wanted}"


def wrong_deployment(good):
    """What is taken out for the stand-in, and nothing else."""
    template = changed(good, "Query", {"Type": "AWS::Athena::NamedQuery", "Properties": {}})
    template = changed(template, "Topic/DependsOn", ["Query", "Dead"])
    template["Outputs"]["Query"] = {"Value": {"Ref": "Query"}}
    kept, gone = stack_deploy.taken_out(template)
    if sorted(gone) != ["LakeTls", "Query", "RawTls", "ResultsTls"]:
        yield f"taken out is {gone}"
    if kept["Resources"]["Topic"]["DependsOn"] != ["Dead"] or sorted(kept["Outputs"]) != ["Queue"]:
        yield "what waits for what is taken out, or shows it, stays as it is"
    if stack_wiring.findings(good) != [] or kept["Resources"]["Queue"] != good["Resources"]["Queue"]:
        yield "what is not taken out changes"
    try:
        stack_deploy.taken_out(changed(template, "Topic/Properties/DisplayName", {"Ref": "Query"}))
        yield "a resource that needs what is taken out is deployed"
    except AssertionError:
        pass


def main():
    begun = time.monotonic()
    good = stack_template.parse(GOOD.read_text())
    wrong = [*wrong_cases(good), *wrong_helpers(), *wrong_deployment(good)]
    took = time.monotonic() - begun
    print("\n".join(wrong) or f"{len(CASES)} cases of {len(stack_wiring.RULES)} rules, {took:.1f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
