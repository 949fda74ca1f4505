"""What an operator does after a notice: one id leads through every output, and the lake in the bucket is mended by hand.

Not for what the function does with good objects (`aws_cases.py`).
"""

import json

from aws_given import COLUMNS, Command, numbered, numbered_files, same_rows
from aws_read import Table, quarantined
from aws_runtime import Function


def lines(function):
    """The log, line by line."""
    said = function.said().splitlines()
    return [json.loads(line) for line in said if line.startswith("{") and '"_aws"' not in line]


def of_id(rig, bucket, prefix, run):
    """Events of lineage about a run."""
    keys = [key for key in rig.keys(prefix, bucket) if f"/{run}/" in key]
    return [json.loads(rig.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def an_operator_follows_one_id(rig, arguments):
    """A bad record and a bad file arrive; from each notice's id all else is found, and both are mended on the bucket."""
    rig.make_catalog()
    audit = rig.bucket("audit")
    files = numbered_files(rig)
    files["lakegate.toml"] += f'[pipeline.numbered.lineage]\nwrite_to = "s3://{audit}/lineage/"\n'
    text, rows = numbered(4, 20)
    bad = text.replace(b'"id": 2', b'"id": "two"')
    assert bad != text
    partly, broken = rig.put("in/partly.ndjson", bad), rig.put("in/broken.json", b'[{"id": 1, ')
    with Function(rig, files) as function:
        states = [function.call({"Records": [record]})["objects"][0]["state"] for record in (partly, broken)]
        logged = lines(function)
    assert states == ["made", "failed"], states
    notices = {body["event"]: (body, attributes) for _, body, attributes in rig.received(3)}
    assert sorted(notices) == ["failure", "quarantine", "success"], sorted(notices)
    command = Command(rig, arguments, files)

    def follow(event, source, kinds):
        """The id of a notice, found in log, lake, lineage and status."""
        body, attributes = notices[event]
        run = body["id"]
        assert attributes["id"] == run, attributes
        stages = [line["stage"] for line in logged if line.get("id") == run]
        assert stages and all(line["source"] == source for line in logged if line.get("id") == run), logged
        told = of_id(rig, audit, "lineage/numbered/", run)
        assert sorted(event["eventType"] for event in told) == kinds, told
        assert {event["run"]["runId"] for event in told} == {run}
        status = command("status", run, "--json", code=0)["lakes"][0]
        return run, status

    run, status = follow("quarantine", f"s3://{rig.raw}/in/partly.ndjson", ["COMPLETE", "START"])
    assert [commit["id"] for commit in status["commits"]] == [run] and status["failures"] == [], status
    assert notices["success"][0]["id"] == run
    failed, status = follow("failure", f"s3://{rig.raw}/in/broken.json", ["FAIL", "START"])
    assert [failure["id"] for failure in status["failures"]] == [failed] and status["commits"] == [], status

    # The table of what was rejected, in SQL; and the same by hand.
    inside = [line for line in quarantined(rig, "numbered_quarantine") if line["id"] == run]
    assert [(line["record"], line["generation"], line["failed"]) for line in inside] == [(3, 1, False)], inside
    assert inside[0]["source"].endswith("/in/partly.ndjson") and inside[0]["time"], inside
    listed = command("quarantine", "list", "numbered", "--json")
    assert [record["run"] for record in listed["records"]] == [run] and listed["open"] == 1, listed
    raw = command("quarantine", "show", "numbered", run, "--raw")
    (command.path / "fixed.ndjson").write_text(raw.replace('"two"', "2"))
    done = command("quarantine", "resubmit", "numbered", run, "--from", "fixed.ndjson", "--json")
    assert (done["accepted"], done["open"]) == (1, 0), done

    # The file that failed comes again, mended, and is taken by hand as the function would.
    more, added = numbered(3, 20, month=2)
    rig.put("in/broken.json", b"[" + b",".join(more.splitlines()) + b"]")
    command("run", "--failed", "--pipeline", "numbered")
    status = command("status", "--json")["lakes"][0]
    assert (status["open"], status["failures"], status["not_done"]) == (0, [], 0), status
    assert "in quarantine" not in command("status", "numbered")
    same_rows(Table(rig, "numbered").rows(), rows + added, COLUMNS)
    print(f"{run} in {len([1 for line in logged if line.get('id') == run])} lines of the log")


def a_source_and_its_tables_are_reconciled(rig, arguments):
    """What lies in the source and not in the tables is named with its reason, whole and by pages; and what went is."""
    rig.make_catalog()
    files = numbered_files(rig)
    command = Command(rig, arguments, files)
    place = f"s3://{rig.raw}/in/"
    for month, name in enumerate(["same", "newer", "goes", "wrong"], 1):
        rig.put(f"in/{name}.ndjson", numbered(2, 20, month=month)[0])
    rig.put("in/", b"")
    rig.put("other/x.ndjson", b"{}\n")
    rig.put("in/bad.json", b'[{"id": 1, ')
    command("run", place, code=1)
    command("retract", f"{place}wrong.ndjson")
    rig.put("in/newer.ndjson", numbered(3, 20, month=2)[0])
    rig.put("in/late.ndjson", numbered(2, 20, month=6)[0])
    rig.s3.delete_object(Bucket=rig.raw, Key="in/goes.ndjson")

    def names(found, key):
        return sorted((one["source"].removeprefix(place), one.get("why")) for one in found[key])

    whole = command("reconcile", "numbered", "--json", code=1)
    missing = [("bad.json", "failed"), ("late.ndjson", "new"), ("newer.ndjson", "changed")]
    assert names(whole, "missing") == missing, whole
    assert names(whole, "gone") == [("goes.ndjson", None)] and whole["gone"][0]["rows"] == 2, whole
    assert (whole["in_tables"], whole["retracted"], whole["next"]) == (1, 1, None), whole
    # A page at a time it is the same.
    parts, after = [], []
    while after is not None:
        parts.append(command("reconcile", "numbered", "--limit", "2", "--json", *after, code=None))
        after = ["--after", parts[-1]["next"]] if parts[-1]["next"] else None
    assert len(parts) > 3, len(parts)
    for key in ("missing", "gone"):
        assert sorted(name for part in parts for name in names(part, key)) == names(whole, key), (key, parts)
    assert sum(part["in_tables"] for part in parts) == 1, parts
    command("backfill", place)
    left = command("reconcile", "numbered", "--json", code=1)
    assert names(left, "missing") == [("bad.json", "failed")], left
    rig.put("in/bad.json", b'[{"id": 1, "noise": "a", "day": "2025-09-01"}]')
    command("backfill", place)
    assert command("reconcile", "numbered", "--json")["missing"] == []
    print(f"{len(parts)} pages of about two objects say what one says")
