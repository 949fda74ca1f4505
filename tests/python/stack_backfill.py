"""A backfill by the function of a deployed stack: `lakegate backfill --distributed`, killed, attached to, and done.

The bucket of the source is there before the stack and tells nobody of its objects, so that all of them are missing. Not
for what makes the state machine right on AWS alone: `stack_wiring.py` and the linters.
"""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import stack_deploy
from aws_given import COLUMNS, NUMBERED, Command, same_rows
from aws_read import folder_rows
from aws_rig import until
from stack_judge import run

OBJECTS = 600
# Objects of a batch.
BATCH = 100
MANIFESTS = "_lakegate/backfills/"


def files_of(rig):
    """A configuration with a stack around buckets that are there."""
    text = f"""
[stack]
name = "{rig.id}"
existing = ["{rig.raw}", "{rig.lake}"]
timeout_seconds = 120

[pipeline.numbered]
source = "s3://{rig.raw}/in/"
spec = "numbered.toml"
lake = "s3://{rig.lake}/tables/"
trigger = "eventbridge"
max_concurrency = 4
"""
    return {"lakegate.toml": text, "numbered.toml": NUMBERED}


def put_all(rig):
    """Small objects, one of which is broken; the rows of the others."""
    rows = []

    def put(number):
        mine = [{"id": number * 2 + n, "day": f"2025-01-0{number % 3 + 1}", "noise": f"{number} {n}"} for n in range(2)]
        text = "\n".join(map(json.dumps, mine)) if number else "[{\"id\": 1},"
        # A key as people have them.
        rig.put(f"in/{number % 7}/a b+{number:04}é.ndjson", text.encode())
        return mine if number else []

    with ThreadPoolExecutor(8) as pool:
        for mine in pool.map(put, range(OBJECTS)):
            rows += mine
    return rows


def executions(rig):
    """All executions of the machine, the newest first."""
    states = rig.client("stepfunctions")
    arn = next(one["stateMachineArn"] for one in states.list_state_machines()["stateMachines"]
               if one["name"] == f"{rig.id}-backfill")
    return states.list_executions(stateMachineArn=arn)["executions"]


def a_distributed_backfill(rig, arguments):
    """Planned, begun, killed, attached to; every row once; what failed is named and not tried again."""
    files, below = files_of(rig), f"s3://{rig.raw}/in/"
    lakegate = Command(rig, arguments, files)
    rows = put_all(rig)
    dry = lakegate("backfill", below, "--distributed", "--dry-run", "--json")
    plan = dry["plan"]
    assert (plan["objects"], plan["batches"], plan["at_once"]) == (OBJECTS, OBJECTS // BATCH, 4), plan
    assert plan["estimate"]["dollars"] > 0 and "BENCH.md" in plan["estimate"]["assumed"], plan
    assert len(dry["to_take"]) == OBJECTS and not rig.keys(), rig.keys()
    refused = lakegate("backfill", below, "--distributed", code=1)
    assert f"no state machine {rig.id}-backfill" in refused and "lakegate stack render" in refused, refused
    assert not rig.keys(), rig.keys()

    run(lakegate.binary, "stack", "render", cwd=lakegate.path)
    stack_deploy.deploy(rig.client, lakegate.path / "stack", rig.zip(files), rig.id)
    words = [lakegate.binary, "backfill", below, "--distributed"]
    killed = subprocess.Popen(words, cwd=lakegate.path, env=lakegate.environment, stderr=subprocess.PIPE, text=True)
    until("a third of the objects", lambda: len(rig.keys("tables/_lakegate/loads/")) > OBJECTS // 3)
    killed.kill()
    said = killed.communicate()[1]
    assert f"{OBJECTS:,} objects of" in said and "dollars" not in said and "$" in said, said
    begun = executions(rig)
    assert [one["status"] for one in begun] == ["RUNNING"], begun

    attached = lakegate("backfill", below, "--distributed", "--json", code=1)
    assert attached["execution"] == begun[0]["executionArn"] and attached["status"] == "SUCCEEDED", attached
    assert (attached["taken"], attached["failed"], attached["missing"]) == (OBJECTS - 1, 1, []), attached
    assert attached["failures"][0]["source"].endswith("/0/a b+0000é.ndjson"), attached
    assert attached["rows"] == len(rows) and attached["rejected"] == 0, attached
    same_rows(folder_rows(rig, "tables/numbered"), rows, COLUMNS)
    assert rig.open_uploads() == []

    # What failed would fail again; what came since is all that the next one takes.
    assert lakegate("backfill", below, "--distributed", "--json")["to_take"] == []
    late = {"id": -1, "day": "2025-01-01", "noise": "late"}
    rig.put("in/late.ndjson", json.dumps(late).encode())
    after = lakegate("backfill", below, "--distributed", "--json")
    assert (after["objects"], after["taken"], after["plan"]["batches"]) == (1, 1, 1), after
    assert len(executions(rig)) == 2 and after["execution"] != attached["execution"], after
    same_rows(folder_rows(rig, "tables/numbered"), [*rows, late], COLUMNS)
    notes = [key for key in rig.keys(f"tables/{MANIFESTS}") if key.endswith(".json")]
    assert len(notes) == 1, notes
