"""What the function may do, from `host-lambda/lambda/deploy/permissions.toml`: policies, and the documents' table.

    permissions.py           says where `policy.json` and docs/aws.md are not as the data has them
    permissions.py --write   writes them

A use of a feature is a pair: the feature, and the values that a configuration has for the names in it, as lists.
Not for finding out what a configuration uses (`aws_uses.py`), nor what a function really calls (`aws_recorded.py`).
"""

import itertools
import json
import re
import string
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "host-lambda/lambda/deploy/permissions.toml"
POLICY = ROOT / "host-lambda/lambda/deploy/policy.json"
DOCUMENT = ROOT / "docs/aws.md"
TABLE = re.compile(r"\| feature \|.*?\n(?=\n)", re.DOTALL)
NAME = re.compile(r"\$\{([A-Z_]+)\}")
# Keys of a feature and of its statements, and whether they must be there.
FEATURE = {"name": True, "does": True, "needed": True, "test": True, "statement": True}
STATEMENT = {"on": True, "allow": True, "prefixes": False, "unseen": False}


def features():
    """All features, by name, in the order of the data."""
    found = tomllib.loads(DATA.read_text())["feature"]
    for feature in found:
        check_keys(feature, FEATURE, feature.get("name"))
        for statement in feature["statement"]:
            check_keys(statement, STATEMENT, feature["name"])
    named = {feature["name"]: feature for feature in found}
    assert len(named) == len(found), "two features have one name"
    return named


def check_keys(there, known, told):
    wrong = [key for key in there if key not in known] + [key for key, must in known.items() if must and not there.get(key)]
    assert not wrong, f"{told}: unknown, missing or empty: {wrong}"


def templates(statement):
    """What each call of a statement is made on: patterns of resources, or of what a listing begins with."""
    return statement.get("prefixes") or statement["on"]


def filled(template, values):
    """A template with every combination of the values of its names."""
    names = list(dict.fromkeys(NAME.findall(template)))
    chosen = itertools.product(*(values[name] for name in names))
    return [string.Template(template).substitute(dict(zip(names, some))) for some in chosen]


def all_filled(some, values):
    return [text for template in some for text in filled(template, values)]


def of_everything():
    """Uses of all features, with the names as values: what `policy.json` is made of."""
    def values(feature):
        names = NAME.findall(json.dumps(feature["statement"]))
        return {name: [f"${{{name}}}"] for name in names}

    return [(feature, values(feature)) for feature in features().values()]


def policy(uses):
    """The policy of a role for these uses. Statements of one feature with the same actions are one."""
    merged = {}
    for feature, values in uses:
        for statement in feature["statement"]:
            on = all_filled(statement["on"], values)
            prefixes = all_filled(statement.get("prefixes", []), values)
            actions = list(statement["allow"])
            # A prefix belongs to its bucket: two buckets with a prefix each stay apart.
            same = (feature["name"], *actions, *(on if prefixes else ()))
            _, _, resources, conditions = merged.setdefault(same, (feature["name"], actions, [], []))
            resources += [one for one in on if one not in resources]
            conditions += [one for one in prefixes if one not in conditions]
    names = [name for name, *_ in merged.values()]
    return {
        "Version": "2012-10-17",
        "Statement": [
            written(sid(name, names, number), actions, resources, conditions)
            for number, (name, actions, resources, conditions) in enumerate(merged.values())
        ],
    }


def sid(name, names, number):
    """`LeftOvers`, and `LeftOvers2` for a second statement of the feature `left-overs`."""
    count = names[:number].count(name) + 1
    return name.title().replace("-", "") + (str(count) if count > 1 else "")


def written(sid, actions, resources, prefixes):
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    if prefixes:
        # For the answer about a missing object S3 looks at this permission too: whether it then has the key as prefix is
        # not documented, and a condition on what is absent would make each missing object a denied one.
        statement["Condition"] = {"StringLikeIfExists": {"s3:prefix": prefixes}}
    return statement


def policy_text():
    return json.dumps(policy(of_everything()), indent=2) + "\n"


def document_table():
    """The features, a line each."""
    lines = ["| feature | what for | needed | permissions |", "| --- | --- | --- | --- |"]
    for feature in features().values():
        allowed = dict.fromkeys(action for statement in feature["statement"] for action in statement["allow"])
        permissions = ", ".join(f"`{action}`" for action in allowed)
        lines.append(f"| `{feature['name']}` | {feature['does']} | {feature['needed']} | {permissions} |")
    return "\n".join(lines) + "\n"


def files():
    """(path, its text, the text that it should have) of everything that is written from the data."""
    yield POLICY, POLICY.read_text(), policy_text()
    document = DOCUMENT.read_text()
    assert len(TABLE.findall(document)) == 1, f"{DOCUMENT} has one table of features"
    yield DOCUMENT, document, TABLE.sub(lambda _: document_table(), document)


def main():
    write = sys.argv[1:] == ["--write"]
    for path, there, wanted in files():
        if write:
            path.write_text(wanted)
        elif there != wanted:
            sys.exit(f"{path} is not as {DATA.name} has it: `{Path(__file__).name} --write`")


if __name__ == "__main__":
    main()
