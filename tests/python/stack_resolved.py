"""A rendered template with its references resolved, so that an ARN is the same text wherever it comes from.

`Stack(template)` gives each resource's properties with Ref, GetAtt, Sub and the like replaced by what they will be in
an account of this module's own, with names made up where the template leaves them to CloudFormation. Parameters have
their defaults, and conditions hold. Not for judging: see `stack_wiring.py`.
"""

import fnmatch
import json

import stack_template

ACCOUNT = "111122223333"
# A long one: limits of length shall hold everywhere.
REGION = "ap-southeast-1"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/stack/0",
    "AWS::NotificationARNs": [],
    "AWS::NoValue": None,
}
BUCKET, QUEUE, TOPIC = "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"
RULE, SCHEDULE, MACHINE = "AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::StepFunctions::StateMachine"
ROLE, MANAGED = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
MAPPING = "AWS::Lambda::EventSourceMapping"

_HERE = f"{REGION}:{ACCOUNT}"
_FUNCTION = ("FunctionName", f"arn:aws:lambda:{_HERE}:function:{{}}", False)
# By type: the property with the name, the form of the ARN, and whether Ref gives the ARN.
NAMED = {
    BUCKET: ("BucketName", "arn:aws:s3:::{}", False),
    QUEUE: ("QueueName", f"arn:aws:sqs:{_HERE}:{{}}", False),
    TOPIC: ("TopicName", f"arn:aws:sns:{_HERE}:{{}}", True),
    FUNCTIONS[0]: _FUNCTION,
    FUNCTIONS[1]: _FUNCTION,
    MACHINE: ("StateMachineName", f"arn:aws:states:{_HERE}:stateMachine:{{}}", True),
    RULE: ("Name", f"arn:aws:events:{_HERE}:rule/{{}}", False),
    SCHEDULE: ("Name", f"arn:aws:scheduler:{_HERE}:schedule/default/{{}}", False),
    ROLE: ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/{{}}", False),
    MANAGED: ("ManagedPolicyName", f"arn:aws:iam::{ACCOUNT}:policy/{{}}", True),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{_HERE}:log-group:{{}}:*", False),
    "AWS::CloudWatch::Alarm": ("AlarmName", f"arn:aws:cloudwatch:{_HERE}:alarm:{{}}", False),
    "AWS::CloudWatch::Dashboard": ("DashboardName", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{{}}", False),
    "AWS::Glue::Crawler": ("Name", f"arn:aws:glue:{_HERE}:crawler/{{}}", False),
    "AWS::Glue::Database": ("DatabaseInput.Name", f"arn:aws:glue:{_HERE}:database/{{}}", False),
    "AWS::Athena::WorkGroup": ("Name", f"arn:aws:athena:{_HERE}:workgroup/{{}}", False),
    "AWS::CloudTrail::Trail": ("TrailName", f"arn:aws:cloudtrail:{_HERE}:trail/{{}}", False),
}


def listed(value):
    """A list, also of what stands alone."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def matches(pattern, text):
    """Whether an IAM pattern with `*` and `?` fits."""
    return fnmatch.fnmatchcase(text, str(pattern).replace("[", "[[]"))


def meet(one, other):
    """Whether there is a text that both patterns fit; `*` stands for any text."""
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if i == len(one) and j == len(other):
            return True
        steps = []
        if i < len(one) and one[i] == "*":
            steps += [(i + 1, j)] + ([(i, j + 1)] if j < len(other) else [])
        if j < len(other) and other[j] == "*":
            steps += [(i, j + 1)] + ([(i + 1, j)] if i < len(one) else [])
        if i < len(one) and j < len(other) and (one[i] == other[j] or "?" in (one[i], other[j])):
            steps.append((i + 1, j + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                todo.append(step)
    return False


class Stack:
    """Types and resolved properties by logical id, and what belongs to what."""

    def __init__(self, template):
        self.template = template
        self.raw = template.get("Resources", {})
        self._names = {}
        self.properties = {name: self.resolve(one.get("Properties", {})) for name, one in self.raw.items()}

    def kind(self, name):
        return self.raw[name]["Type"]

    def of(self, *kinds):
        """(logical id, properties) of resources of these types."""
        return [(name, self.properties[name]) for name, one in self.raw.items() if one["Type"] in kinds]

    def name(self, logical):
        """The name in the account."""
        if logical not in self._names:
            kind = self.kind(logical)
            made_up = f"stack-{logical}"
            # Whoever names itself in its name gets the made-up one.
            self._names[logical] = made_up.lower() if kind == BUCKET else made_up
            value = self.raw[logical].get("Properties", {})
            for key in NAMED.get(kind, ("",))[0].split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                self._names[logical] = str(self.resolve(value))
        return self._names[logical]

    def arn(self, logical):
        form = NAMED.get(self.kind(logical), (None, f"<{logical}.Arn>", False))[1]
        return form.format(self.name(logical))

    def by_arn(self, arn, *kinds):
        """The logical id of what has this ARN, or None; a function's version or alias is the function."""
        for logical in self.raw:
            here = self.arn(logical) if self.kind(logical) in kinds else None
            if here and (arn == here or (self.kind(logical) in FUNCTIONS and str(arn).startswith(f"{here}:"))):
                return logical
        return None

    def function(self, named):
        """The logical id of a function by its name or ARN."""
        for logical, _ in self.of(*FUNCTIONS):
            if str(named).split(":")[0] == self.name(logical):
                return logical
        return self.by_arn(named, *FUNCTIONS)

    def ref(self, logical):
        if logical in PSEUDO:
            return PSEUDO[logical]
        if logical not in self.raw:
            return self.template.get("Parameters", {}).get(logical, {}).get("Default", f"<{logical}>")
        if self.kind(logical) == QUEUE:
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name(logical)}"
        return self.arn(logical) if NAMED.get(self.kind(logical), ("", "", False))[2] else self.name(logical)

    def attribute(self, logical, attribute):
        if logical not in self.raw:
            return f"<{logical}.{attribute}>"
        if attribute == "Arn" or (attribute, self.kind(logical)) == ("TopicArn", TOPIC):
            return self.arn(logical)
        if attribute == "QueueUrl":
            return self.ref(logical)
        return self.name(logical) if attribute.endswith("Name") else f"<{logical}.{attribute}>"

    def resolve(self, value):
        if isinstance(value, list):
            found = [self.resolve(one) for one in value]
            return [one for one in found if one is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, inner), = value.items()
            known = self._intrinsic(key, inner)
            if known:
                return known[0]
        found = {key: self.resolve(one) for key, one in value.items()}
        return {key: one for key, one in found.items() if one is not None or value[key] is None}

    def _intrinsic(self, key, inner):
        """What a function of CloudFormation gives, in a list; nothing if it is none."""
        if key == "Ref":
            return [self.ref(inner)]
        if key == "Fn::GetAtt":
            logical, _, attribute = (inner if isinstance(inner, str) else ".".join(inner)).partition(".")
            return [self.attribute(logical, attribute)]
        if key == "Fn::Sub":
            text, own = (inner, {}) if isinstance(inner, str) else inner
            return [stack_template.PLACE.sub(lambda found: self._place(found, self.resolve(own)), text)]
        if key == "Fn::Join":
            return [inner[0].join(str(one) for one in self.resolve(inner[1]))]
        if key == "Fn::If":
            return [self.resolve(inner[1])]
        if key == "Fn::ToJsonString":
            return [json.dumps(self.resolve(inner))]
        return [json.dumps(inner)] if key.startswith("Fn::") else []

    def _place(self, found, own):
        literal, place = found.groups()
        if literal:
            return f"${{{place}}}"
        if place in own:
            return str(own[place])
        logical, dot, attribute = place.partition(".")
        return str(self.attribute(logical, attribute) if dot else self.ref(place))

    # --- what a role may do ---------------------------------------------------------------------------

    def statements(self, role):
        """All statements of a role's policies: its own, those it names, and those that name it."""
        for _, document in self.documents(role):
            yield from listed(document.get("Statement"))

    def documents(self, role):
        """(logical id of what holds it, document) of the policies that a role of the stack has."""
        own = self.properties[role]
        for policy in listed(own.get("Policies")):
            yield role, policy["PolicyDocument"]
        for logical, policy in self.of(MANAGED, "AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
            named = listed(policy.get("Roles")) + listed(policy.get("RoleName"))
            attached = self.kind(logical) == MANAGED and self.arn(logical) in listed(own.get("ManagedPolicyArns"))
            if attached or self.name(role) in named:
                yield logical, policy["PolicyDocument"]

    def allowed(self, role, action, resource=None):
        """Whether a role may do that on a resource, or on any if none is named."""
        return any(
            fits(one, action) and (resource is None or any(matches(on, resource) for on in listed(one.get("Resource"))))
            for one in self.statements(role) if one.get("Effect") == "Allow"
        )

    def role_of(self, arn):
        """The logical id of a role by its ARN."""
        return self.by_arn(arn, ROLE)


def fits(statement, action):
    return any(matches(one.lower(), action.lower()) for one in listed(statement.get("Action")))


def condition_keys(statement):
    """(operator, key in lower case, values) of a statement's conditions."""
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            yield operator, key.lower(), listed(values)


def from_account(statement):
    """Whether it holds only for what comes from this account."""
    return any(
        key == "aws:sourceaccount" and operator.startswith("StringEquals") and values == [ACCOUNT]
        for operator, key, values in condition_keys(statement)
    )


def from_source(statement, source):
    """Whether it holds only for sources that are named, and for this one."""
    return any(
        key == "aws:sourcearn" and "*" not in values and any(matches(one, source) for one in values)
        for _, key, values in condition_keys(statement)
    )
