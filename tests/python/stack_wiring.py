"""Whether the resources of a rendered stack fit each other, which no linter looks at.

    stack_wiring.py FOLDER …    prints what does not, a line each: resource, rule, text; fails if there is any

`findings(template)` gives the same as data. The rules stand in `stack_triggers.py` (a, b, c, g), `stack_roles.py` (c),
`stack_machines.py` (d), `stack_limits.py` (e), `stack_permissions.py` (h) and here (f). Not for single properties:
cfn-lint, checkov and `sam validate` know those.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import stack_limits
import stack_machines
import stack_permissions
import stack_roles
import stack_template
import stack_triggers
from stack_resolved import FUNCTIONS, PSEUDO, Stack


class Finding(NamedTuple):
    resource: str
    rule: str
    text: str

    def __str__(self):
        return f"{self.resource}: {self.rule}: {self.text}"


def findings(template):
    """All that is wrong with a template, in the order of the rules."""
    stack = Stack(template)
    found = [Finding(who, rule, text) for rule, judge in RULES.items() for who, text in judge(stack)]
    return list(dict.fromkeys(found))


def known(stack):
    """All that may be named; SAM makes a role for a function that has none."""
    made = {f"{name}Role" for name, properties in stack.of(FUNCTIONS[0]) if "Role" not in properties}
    return set(stack.raw) | set(stack.template.get("Parameters", {})) | set(PSEUDO) | made


def needs(resource):
    """Logical ids that must be there first, said or implied."""
    return {name for name, _ in stack_template.references(resource)} | set(stack_template.depends_on(resource))


def what_is_named_is_there(stack):
    there = known(stack)
    outputs = {f"output {name}": one for name, one in stack.template.get("Outputs", {}).items()}
    for name, one in (stack.raw | outputs).items():
        yield from ((name, f"names {other}, which is not there") for other in sorted(needs(one) - there))
        if "Condition" in one and one["Condition"] not in stack.template.get("Conditions", {}):
            yield name, f"has the condition {one['Condition']}, which is not there"


def nothing_waits_for_itself(stack):
    edges = {name: sorted(needs(one) & set(stack.raw)) for name, one in stack.raw.items()}
    done, path = set(), []

    def visit(name):
        if name in path:
            yield name, "needs itself: " + " → ".join([*path[path.index(name):], name])
        elif name not in done:
            path.append(name)
            for other in edges[name]:
                yield from visit(other)
            path.pop()
            done.add(name)

    for name in edges:
        yield from visit(name)


RULES = (
    stack_triggers.RULES
    | stack_roles.RULES
    | stack_machines.RULES
    | stack_limits.RULES
    | {"f: what is named is there": what_is_named_is_there, "f: nothing waits for itself": nothing_waits_for_itself}
    | stack_permissions.RULES
)


def main():
    assert sys.argv[1:], __doc__
    found = [(folder, one) for folder in sys.argv[1:] for one in findings(stack_template.load(Path(folder)))]
    for folder, one in found:
        print(f"{folder}: {one}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
