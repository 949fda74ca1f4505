"""What a function called, and whether that is what `permissions.toml` says: both ways, on each pattern of resources.

* Whatever was called is allowed by a feature that the configuration uses. The stand-in refuses more than names of calls
  (`permissions.py` writes its roles), but of Glue it looks at the database only, and it answers "not there" to who may
  not list: this looks at tables, and at what was not there.
* A case that is the test of a feature makes every call of it on every pattern.

Not for what passes through microburst (`aws_flaky.py`): it sends bodies of unknown length. The roles hold there, too.
"""

import json
import re
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import permissions
from aws_proxy import Proxy


class Call(NamedTuple):
    """A call as permissions see it: all resources that it must be allowed on; what a listing begins with."""

    name: str
    resources: tuple
    prefix: str | None = None


# Glue says 400 to whatever it does not do.
DENIED = (400, 403)


class Recorder(Proxy):
    """Keeps every call that comes through: {call: whether the service ever took it, and did not deny it}."""

    def __init__(self, upstream):
        super().__init__(upstream)
        self.made = {}

    def heard(self, operation, url, body, status):
        for call in calls_of(operation, url, body, status):
            with self.lock:
                self.made[call] = self.made.get(call, False) or status not in DENIED


def calls_of(operation, url, body, status):
    service, name = operation.split(":")
    if service == "s3":
        return s3_calls(name, url, status)
    if service == "glue":
        return [Call(name, glue_resources(name, json.loads(body)))]
    if service == "sts":
        return []  # who asks may know without a permission
    asked = parse_qs(body.decode())
    return [Call(name, (asked.get("TopicArn", ["?"])[0],))]


def s3_calls(name, url, status):
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    bucket = f"arn:aws:s3:::{bucket}"
    if not key:
        return [Call(name, (bucket,), query.get("prefix", [""])[0])]
    version = " versionId" if "versionId" in query else ""
    calls = [Call(name + version, (f"{bucket}/{key}",))]
    if status == 404 and name in ("GetObject", "HeadObject"):
        calls.append(Call(f"{name} 404", (bucket,), key))
    return calls


def glue_resources(name, body):
    """Of a table all that is above it, too."""
    arn = "arn:aws:glue:us-east-1:000000000000"
    if name.endswith("Crawler"):
        return (f"{arn}:crawler/{body['Name']}",)
    table = body.get("TableInput", {}).get("Name") or body.get("TableName") or body["Name"]
    database = body["DatabaseName"]
    return (f"{arn}:catalog", f"{arn}:database/{database}", f"{arn}:table/{database}/{table}")


@cache
def regex(pattern):
    """One of IAM's patterns."""
    return re.compile("".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def fits(text, patterns):
    """Whether one of IAM's patterns matches."""
    return any(regex(pattern).fullmatch(text) for pattern in patterns)


class Granted:
    """A statement of a feature in use, with the values of one use."""

    def __init__(self, feature, statement, values):
        self.feature, self.statement, self.values = feature["name"], statement, values
        self.names = [name for names in statement["allow"].values() for name in names]
        self.on = permissions.all_filled(statement["on"], values)
        self.prefixes = permissions.all_filled(statement.get("prefixes", []), values)

    def allows(self, call):
        on = all(fits(resource, self.on) for resource in call.resources)
        return call.name in self.names and on and (not self.prefixes or fits(call.prefix or "", self.prefixes))

    def on_pattern(self, call, template):
        """Whether a call that is allowed is on this one of the statement's patterns."""
        asked = [call.prefix or ""] if self.prefixes else call.resources
        return any(fits(one, permissions.filled(template, self.values)) for one in asked)


def compare(case, uses, made):
    """Everything that is wrong, and a line for each feature whose test the case is."""
    granted = [Granted(feature, statement, values) for feature, values in uses for statement in feature["statement"]]
    wrong = [f"called and in no feature in use: {call}" for call in made if not any(one.allows(call) for one in granted)]
    told = []
    for feature in permissions.features().values():
        if feature["test"] == case:
            there, lacking, unseen = of_feature(feature, granted, made)
            wrong += [f"in the feature {feature['name']} and never called here: {call}" for call in lacking]
            told.append(f"permissions of {feature['name']}: {there} of {there + len(lacking)} calls on patterns made")
            told += [f"  not to be seen here: {call}" for call in unseen]
    return wrong, told


def of_feature(feature, granted, made):
    """How many of a feature's calls on patterns were made; those that were not; those that cannot be."""
    there, lacking, unseen = 0, [], []
    for statement in feature["statement"]:
        ours = [one for one in granted if one.statement == statement and one.feature == feature["name"]]
        reason = statement.get("unseen")
        for name in [name for names in statement["allow"].values() for name in names]:
            for template in permissions.templates(statement):
                fitting = [call for call, taken in made.items() if taken and call.name == name and any(
                    one.allows(call) and one.on_pattern(call, template) for one in ours)]
                if fitting and reason:
                    lacking.append(f"{name} {template} is marked as unseen, and was called: {fitting[0]}")
                elif fitting:
                    there += 1
                elif reason:
                    unseen.append(f"{name} {template}: {reason}")
                else:
                    lacking.append(f"{name} {template}")
    return there, lacking, unseen


def judge(case, rig, made):
    """Fails where the calls of a case and the data differ; says what was compared."""
    wrong, told = compare(case, rig.uses, made)
    assert not wrong, "\n".join(["calls and permissions.toml differ:", *wrong])
    if made:
        used = sorted({feature["name"] for feature, _ in rig.uses})
        print(f"permissions: {len(made)} calls on resources, all in the features in use: {', '.join(used)}")
    print("\n".join(told), end="\n" if told else "")
