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
