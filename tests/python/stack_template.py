"""Reads a rendered template: YAML with CloudFormation's tags, as a dictionary in the long form (`Fn::Sub` …).

Not for expanding it: SAM's own translator and the stand-in's CloudFormation do that.
"""

import json
import re
from pathlib import Path

import yaml

PLACE = re.compile(r"\$\{(!?)([A-Za-z0-9:.]+)\}")


class _Loader(yaml.SafeLoader):
    """Without dates: a policy's `Version: 2012-10-17` is a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def parse(text):
    """A template's dictionary; JSON is YAML too."""
    return yaml.load(text, _Loader)


def load(folder):
    """The template of a rendered folder."""
    return parse((Path(folder) / "template.yaml").read_text())


def dump(template):
    """A text that CloudFormation takes."""
    return json.dumps(template, indent=1)


def references(value):
    """Logical ids and parameters that a value names by Ref, GetAtt or Sub: (name, attribute or None)."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        (key, inner), = value.items()
        if key == "Ref" and isinstance(inner, str):
            yield inner, None
            return
        if key == "Fn::GetAtt":
            name, _, attribute = (inner if isinstance(inner, str) else ".".join(map(str, inner))).partition(".")
            yield name, attribute
            return
        if key == "Fn::Sub":
            text, own = (inner, {}) if isinstance(inner, str) else inner
            for literal, place in PLACE.findall(text):
                if not literal and place not in own:
                    name, dot, attribute = place.partition(".")
                    yield name, attribute if dot else None
            yield from references(own)
            return
    for one in value.values():
        yield from references(one)


def depends_on(resource):
    """Logical ids that a resource waits for in so many words."""
    named = resource.get("DependsOn", [])
    return [named] if isinstance(named, str) else list(named)
