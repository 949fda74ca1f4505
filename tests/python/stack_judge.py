"""Renders stacks of many configurations with `lakegate`, and has everything judge them that judges templates.

    stack_judge.py --lakegate FILE [--tools PATHS] [--keep DIR]

* the same configuration gives the same bytes, and a second rendering changes nothing;
* `stack_wiring.py` finds nothing; cfn-lint, checkov, `sam validate --lint` and asl-validator are content. Their
  programs are found in `--tools`, a list of folders as PATH has it; without it they are not asked, which is said;
* what the function may do is what `aws_uses.py` and `permissions.py` make of the same configuration;
* every question of the examples is SQL that Athena takes, as far as sqlglot knows its dialect.

Not for deploying (`stack_cases.py`).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import permissions
import sqlglot
import stack_template
import stack_wiring
from aws_uses import uses_of

EXAMPLES = ("orders", "orders-staged", "crawler-on-arrival", "orders-contract", "sales")
TRIGGERS = ("sqs", "s3", "eventbridge", "step-functions")
ACCOUNT, REGION = "111122223333", "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-4e5f-6789-abcd-0a1b2c3d4e5f"
# Statements of the function's role that no feature has: they are the template's own.
OWN = {"Log", "Trace", "Network", "PutAside", "Governed"}

# Lines for `[stack]`, by what they try.
OPTIONS = {
    "key": f'kms_key = "{KEY}"',
    "network": 'vpc = { id = "vpc-0a1b2c3d", subnets = ["subnet-0a1b2c3d", "subnet-0a1b2c3e"], '
               'security_groups = ["sg-0a1b2c3d"], route_tables = ["rtb-0a1b2c3d"] }',
    "governed": "lake_formation = true\ncloudtrail = true",
    "small": 'architecture = "x86_64"\nmemory_mib = 256\ntimeout_seconds = 30\nconcurrency = 5\ntracing = false\n'
             'reconcile_every = false\nlog_days = 365\nemail = ["a@example.com", "b@example.com"]',
}


def run(*words, cwd=None, env=None, fails=False):
    done = subprocess.run([str(word) for word in words], cwd=cwd, env=env, capture_output=True, text=True)
    assert fails or done.returncode == 0, f"{words} in {cwd}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class Stacks:
    """Folders with a configuration each."""

    def __init__(self, lakegate, folder):
        self.lakegate, self.folder = lakegate, folder
        self.made = []

    def init(self, name, like):
        words = ("--raw", f"{name}-raw", "--lake", f"{name}-lake")
        run(self.lakegate, "stack", "init", name, "--like", like, *words, cwd=self.folder)
        return self.folder / name

    def render(self, folder):
        run(self.lakegate, "stack", "render", cwd=folder)
        first = {path: path.read_bytes() for path in sorted((folder / "stack").rglob("*")) if path.is_file()}
        run(self.lakegate, "stack", "render", "--dry-run", cwd=folder)
        shutil.rmtree(folder / "stack")
        run(self.lakegate, "stack", "render", cwd=folder)
        assert all(path.read_bytes() == there for path, there in first.items()), folder
        self.made.append(folder)


def change(folder, old, new):
    path = folder / "lakegate.toml"
    text = path.read_text()
    assert old in text, (folder, old)
    path.write_text(text.replace(old, new, 1))


def with_trigger(folder, trigger):
    path = folder / "lakegate.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("trigger")]
    at = next(number for number, line in enumerate(lines) if line.startswith("source"))
    lines.insert(at + 1, f'trigger = "{trigger}"')
    path.write_text("\n".join(lines) + "\n")


def make(stacks):
    """The examples with each trigger, the options, and what is odd."""
    for like in EXAMPLES:
        for trigger in TRIGGERS:
            folder = stacks.init(f"{like}-{trigger}"[:24].strip("-"), like)
            with_trigger(folder, trigger)
            stacks.render(folder)
    for option, lines in OPTIONS.items():
        folder = stacks.init(f"option-{option}", "sales" if option == "network" else "orders-contract")
        change(folder, "[stack]\n", f"[stack]\n{lines}\n")
        stacks.render(folder)
    existing(stacks)
    many(stacks)
    released(stacks)
    nested(stacks)


def existing(stacks):
    """A bucket that is there is not made, and the command that switches its events on is said."""
    folder = stacks.init("existing", "orders-contract")
    change(folder, "[stack]\n", '[stack]\nexisting = ["existing-raw"]\n')
    with_trigger(folder, "sqs")
    refused = run(stacks.lakegate, "stack", "render", cwd=folder, fails=True)
    assert refused.returncode == 2 and "there already" in refused.stderr, refused
    with_trigger(folder, "eventbridge")
    said = json.loads(run(stacks.lakegate, "stack", "render", "--json", cwd=folder).stdout)
    assert "put-bucket-notification-configuration --bucket existing-raw" in said["commands"][0]["command"], said
    template = stack_template.load(folder / "stack")
    names = [one["Properties"].get("BucketName") for one in template["Resources"].values() if one["Type"] == "AWS::S3::Bucket"]
    assert "existing-raw" not in names and "existing-lake" in names, names
    stacks.render(folder)


def many(stacks):
    """A dozen pipelines with long names: the policies are cut, and no name is too long."""
    folder = stacks.init("many", "orders")
    pipelines = "".join(
        f'\n[pipeline.{"p" * 55}-{number}]\nsource = "s3://many-raw/{number}/"\nspec = "orders.toml"\n'
        f'trigger = "{TRIGGERS[number % 4]}"\nlake = "s3://many-lake/tables-{number}/"\ncontract = "learn"\n'
        f'catalog = {{ kind = "glue", database = "many_{number}" }}\nexpect_every = "{number + 1} days"\n'
        for number in range(12)
    )
    path = folder / "lakegate.toml"
    path.write_text(path.read_text() + pipelines)
    stacks.render(folder)


def released(stacks):
    """A channel names no tables."""
    folder = stacks.init("released", "orders")
    change(folder, 'spec = "orders.toml"\n', 'channel = "orders"\nregistry = "s3://released-registry/"\n'
                   'trust = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="\n')
    stacks.render(folder)


def nested(stacks):
    """Sources inside each other: S3 refuses notifications that overlap."""
    folder = stacks.init("nested", "orders")
    path = folder / "lakegate.toml"
    inner = '\n[pipeline.inner]\nbefore = "orders"\nsource = "s3://nested-raw/orders_json_incoming/vip/"\n' \
            'spec = "orders.toml"\nlake = "s3://nested-lake/vip/"\ncontract = "learn"\n'
    path.write_text(path.read_text() + inner)
    stacks.render(folder)
    template = stack_template.load(folder / "stack")
    raw = next(one["Properties"] for one in template["Resources"].values() if one.get("Properties", {}).get("BucketName") == "nested-raw")
    assert len(raw["NotificationConfiguration"]["QueueConfigurations"]) == 1, raw


# --- judges -----------------------------------------------------------------------------------------------


def wired(folder):
    found = stack_wiring.findings(stack_template.load(folder / "stack"))
    assert not found, f"{folder}:\n" + "\n".join(map(str, found))


def plain(value):
    """What a policy says, in no order, with the account written out."""
    places = {"${AWS::Partition}": "aws", "${AWS::Region}": REGION, "${AWS::AccountId}": ACCOUNT}
    if isinstance(value, list):
        return frozenset(plain(one) for one in value)
    for place, text in places.items():
        value = value.replace(place, text)
    return value


def allowed(statements):
    """(action, resource, prefixes) of all statements."""
    found = set()
    for one in statements:
        listed = [one[key] if isinstance(one[key], list) else [one[key]] for key in ("Action", "Resource")]
        prefixes = one.get("Condition", {}).get("StringLikeIfExists", {}).get("s3:prefix", [])
        prefixes = [prefixes] if isinstance(prefixes, str) else prefixes
        # A statement with several prefixes is one for each.
        for action in listed[0]:
            for resource in listed[1]:
                found |= {(action, plain(resource), plain(prefix)) for prefix in prefixes or [""]}
    return found


def least_privilege(folder):
    """The rendered policies, and those that the tests' own reading of the configuration comes to, are one."""
    rendered = [json.loads(path.read_text()) for path in sorted((folder / "stack/policies").glob("*.json"))]
    statements = [one for policy in rendered for one in policy["Statement"] if one["Sid"] not in OWN]
    text = (folder / "lakegate.toml").read_text()
    config = tomllib.loads(text)
    read = lambda path: (folder / path).read_text()  # noqa: E731
    released = "channel = " in text
    uses = uses_of(text, read, tables=["*"] if released else (), region=REGION, account=ACCOUNT, versions=lambda _: True)
    uses = [(feature, values) for feature, values in uses if feature["name"] not in ("queue",)]
    uses += [(permissions.features()["queue"], {"QUEUE_ARN": queues(folder)})] if queues(folder) else []
    if "kms_key" in config["stack"]:
        known = permissions.features()
        uses += [(known["keys-written"], {"WRITTEN_KEY_ARN": [KEY]}), (known["keys-read"], {"READ_KEY_ARN": [KEY]})]
    wanted = allowed(permissions.policy(uses)["Statement"])
    there = allowed(statements)
    assert there == wanted, f"{folder}: too much {sorted(there - wanted)}, too little {sorted(wanted - there)}"


def queues(folder):
    """ARNs of the queues that start the function."""
    resources = stack_template.load(folder / "stack")["Resources"]
    polled = [one["Properties"]["EventSourceArn"]["Fn::GetAtt"][0] for one in resources.values()
              if one["Type"] == "AWS::Lambda::EventSourceMapping"]
    return [f"arn:aws:sqs:{REGION}:{ACCOUNT}:{resources[name]['Properties']['QueueName']}" for name in polled]


def asked(folder):
    """The questions are SQL."""
    resources = stack_template.load(folder / "stack")["Resources"]
    for one in resources.values():
        if one["Type"] == "AWS::Athena::NamedQuery":
            sqlglot.parse_one(one["Properties"]["QueryString"], dialect="athena")


def lint(stacks, tools):
    """The well-known linters, each once over everything."""
    path = tools + os.pathsep + os.environ["PATH"]
    env = os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "x",
                        "AWS_SECRET_ACCESS_KEY": "x", "HOME": str(stacks.folder)}
    templates = [folder / "stack/template.yaml" for folder in stacks.made]
    found = run("cfn-lint", "--format", "parseable", *templates, env=env, fails=True)
    assert found.returncode == 0, f"cfn-lint:\n{found.stdout}{found.stderr}"
    machines = sorted(path for folder in stacks.made for path in (folder / "stack/state-machines").glob("*.json"))
    for machine in machines:
        done = run("asl-validator", "--json-path", machine, env=env, fails=True)
        assert done.returncode == 0, f"asl-validator {machine}:\n{done.stdout}{done.stderr}"
    for folder in (stacks.folder / "orders-sqs", stacks.folder / "sales-step-functions"):
        (folder / "stack/lakegate.zip").write_bytes(b"")
        done = run("sam", "validate", "--lint", "--template", "template.yaml", cwd=folder / "stack", env=env, fails=True)
        assert done.returncode == 0, f"sam validate {folder}:\n{done.stdout}{done.stderr}"
    # A path of 40 letters and slashes is a secret key to checkov: none of these is, as long as they are relative.
    only = [word for template in templates for word in ("--file", template.relative_to(stacks.folder))]
    words = ("--quiet", "--compact", "--framework", "cloudformation", "--output", "json")
    done = run("checkov", *words, *only, cwd=stacks.folder, env=env, fails=True)
    reports = json.loads(done.stdout)
    failed = {}
    for report in reports if isinstance(reports, list) else [reports]:
        for one in report.get("results", {}).get("failed_checks", []):
            where = f"{Path(one['file_path']).parts[-3]} {one['resource']}"
            failed.setdefault(f"{one['check_id']} {one['check_name']}", []).append(where)
    told = [f"{check}\n    {places[0]} and {len(places) - 1} more" for check, places in sorted(failed.items())]
    assert not told, "checkov:\n" + "\n".join(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakegate", type=Path, required=True)
    parser.add_argument("--tools")
    parser.add_argument("--keep", type=Path, help="render into this folder and leave it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        stacks = Stacks(arguments.lakegate, folder)
        make(stacks)
        for one in stacks.made:
            wired(one)
            least_privilege(one)
            asked(one)
        if arguments.tools:
            lint(stacks, arguments.tools)
    print(f"{len(stacks.made)} stacks" + ("" if arguments.tools else ", not linted"))


if __name__ == "__main__":
    sys.exit(main())
