"""Every verb on every kind of place: in a folder, in a bucket of MiniStack, in a bucket of moto.

    aws_verbs.py --lakegate BINARY [--home folder|ministack|moto] [VERB…]     starts the stand-ins itself

A verb of docs/verbs.md that takes something in S3 has a case here, and each such argument of it is given as a URI in
one of them. A case asserts the same in each home; `aws_homes.py` hides which one it is. In the suite it is run by
`aws_cases.py`, a test a home. What is refused is in `aws_verbs_refused.py`.
"""

import argparse
import json
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import aws_verbs_connected as connected
import aws_verbs_lakes as lakes
import aws_verbs_refused
import aws_verbs_releases as others
from aws_homes import HOMES, World

TABLE = Path(__file__).parents[2] / "docs" / "verbs.md"
# They act on the lake of a pipeline and nothing else: the home is that of the lake.
THROUGH_PIPELINES = {"backfill", "pause", "resume", "retract"}
# Cases at once: the machine is shared with the rest of the suite.
AT_ONCE = 3

# In each home.
CASES = {
    "component": [others.component],
    "config check": [others.config_check],
    "contract change": [lakes.contract_change, lakes.contract_change_by_a_release],
    "contract diff": [lakes.contract_diff],
    "contract show": [lakes.contract_show],
    "diff": [others.diff],
    "fsck": [lakes.fsck, lakes.fsck_by_a_release],
    "init": [lakes.init, lakes.init_from_a_spec, lakes.init_by_a_release],
    "inspect": [lakes.inspect],
    "maintain": [lakes.maintain],
    "precompile": [others.precompile],
    "preview": [lakes.preview, lakes.preview_a_release],
    "promote": [others.promote, others.promote_conflict],
    "publish": [others.publish_into],
    "quarantine list": [lakes.quarantine_list],
    "quarantine resubmit": [lakes.quarantine_resubmit, lakes.quarantine_resubmit_by_a_release],
    "quarantine show": [lakes.quarantine_show],
    "registry check": [others.registry_check],
    "registry copy": [others.registry_copy],
    "registry prune": [others.registry_prune],
    "registry yank": [others.registry_yank],
    "releases": [others.releases],
    "replay": [others.replay],
    "rollback": [others.rollback],
    "run": [
        lakes.run_by_hand, lakes.run_from_here, lakes.run_what_failed, lakes.run_by_a_release, lakes.run_odd_names,
        lakes.run_compressed, lakes.run_one_lake_by_two_names,
    ],
    "serve": [lakes.serve, lakes.serve_a_release],
    "sign": [others.sign],
    "stack render": [others.stack_render],
    "status": [lakes.status],
    "verify": [lakes.verify, lakes.verify_by_a_registry],
}
# Through a pipeline, whose lake is in a bucket; and where a catalog listens to it.
IN_BUCKETS = {
    "backfill": [others.backfill],
    "contract change": [connected.contract_change],
    "fsck": [connected.fsck],
    "pause": [others.held],
    "quarantine list": [lakes.quarantine_list_of_pipelines],
    "quarantine resubmit": [lakes.quarantine_resubmit_of_a_pipeline, connected.quarantine_resubmit],
    "reconcile": [others.reconciled],
    "releases": [others.releases_of_pipelines],
    "replay": [connected.replay],
    "resume": [others.held],
    "retract": [others.retract, connected.retract],
    "run": [
        lakes.run_without_a_lake, lakes.run_through_pipelines, lakes.run_what_failed_in_a_pipeline,
        lakes.run_odd_names_of_a_pipeline, connected.run,
    ],
    "serve": [connected.serve],
    "stack check": [others.stack_check],
    "status": [lakes.status_of_pipelines],
}
# Pipelines in a folder.
HERE = {
    "backfill": [others.no_lake_here],
    "pause": [others.held_here],
    "resume": [others.held_here],
    "retract": [others.no_lake_here],
}
VERBS = sorted({*CASES, *IN_BUCKETS, *HERE})


@cache
def documented():
    """Each verb of the table with its arguments that are here or in S3."""
    rows = re.findall(r"^\| `([a-z ]+)` \| (.*?) \| .*? \|$", TABLE.read_text(), re.MULTILINE)
    assert len(rows) > 30, f"{TABLE} has a table of {len(rows)} verbs"
    return {verb: re.findall(r"`([^`]+)`", cell) for verb, cell in rows}


def verb_of(words):
    return next((verb for verb in (" ".join(words[:2]), words[0]) if verb in documented()), None)


def unused(calls):
    """Arguments of the table that no case gave as a URI."""
    given = set()
    for home, words in calls:
        verb = verb_of(words)
        if home != "folder" and verb:
            uris = [at for at, word in enumerate(words) if word.startswith("s3://")]
            given |= {(verb, words[at - 1] if words[at - 1].startswith("--") else "") for at in uris}
    table = [(verb, name) for verb, names in documented().items() for name in names]
    return [f"{verb} {name}" for verb, name in table if (verb, name if name.startswith("--") else "") not in given]


def ran(verb, home, arguments, calls):
    """Runs the cases of a verb in a home; what went wrong, or that all is well."""
    begun, wrong = time.monotonic(), []
    cases = CASES.get(verb, []) + (HERE if home == "folder" else IN_BUCKETS).get(verb, [])
    for case in cases:
        with World(home, arguments, calls) as world:
            try:
                case(world)
            except Exception as error:  # the others are run all the same
                place = traceback.extract_tb(error.__traceback__)[1]
                what = f"{type(error).__name__} {error}"
                wrong.append(f"FAILED {verb} in {home}: {case.__name__}, line {place.lineno}: {what}")
    return wrong or [f"{verb} in {home}: {len(cases)} ok, {time.monotonic() - begun:.1f} s"]


def in_home(home, arguments, verbs=None):
    """All cases in one home, a line for each verb."""
    calls = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = pool.map(lambda verb: ran(verb, home, arguments, calls), verbs or VERBS)
        lines = [line for of_verb in told for line in of_verb]
    wrong = [line for line in lines if line.startswith("FAILED")]
    print("\n".join(line for line in lines if line not in wrong))
    if home != "folder" and not verbs:
        wrong += [f"no case gives a URI as {one}" for one in unused(calls)]
    assert not wrong, "\n".join(wrong)


# --- cases of the suite -------------------------------------------------------------------------------


def every_verb_has_a_case(_, arguments):
    del arguments
    table = documented()
    wanted = {verb for verb, names in table.items() if names} | THROUGH_PIPELINES
    lacking, unknown = sorted(wanted - set(VERBS)), sorted(set(VERBS) - set(table))
    assert not lacking and not unknown, f"without a case: {lacking}; no verb of {TABLE.name}: {unknown}"


def verbs_in_a_folder(_, arguments):
    in_home("folder", arguments)


def verbs_in_a_bucket(_, arguments):
    in_home("ministack", arguments)


def verbs_in_another_bucket(_, arguments):
    in_home("moto", arguments)


def what_verbs_refuse(_, arguments):
    with ThreadPoolExecutor(len(HOMES)) as pool:
        told = [pool.submit(aws_verbs_refused.in_home, home, arguments) for home in HOMES]
    for one in told:
        one.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", nargs="*")
    parser.add_argument("--lakegate", type=Path, required=True)
    parser.add_argument("--home", choices=HOMES, action="append")
    arguments = parser.parse_args()
    every_verb_has_a_case(None, arguments)
    script = Path(__file__).with_name("aws_peers.py")
    peers = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    wrong = []
    try:
        places = json.loads(peers.stdout.readline())
        arguments.ministack, arguments.moto = places["ministack"], places["moto"]
        for home in arguments.home or HOMES:
            for look in (lambda: in_home(home, arguments, arguments.verb),
                         lambda: arguments.verb or aws_verbs_refused.in_home(home, arguments)):
                try:
                    look()
                except AssertionError as error:
                    wrong.append(str(error))
    finally:
        peers.stdin.close()
        peers.wait()
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
