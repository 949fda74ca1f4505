"""What the function does beside taking objects: the tag on what is done."""

import json

from aws_given import numbered, numbered_files
from aws_permissions import one
from aws_runtime import Function

TAGGED = 'source_after = "tag"'


def logged(function, stage):
    """Lines of the log about a stage."""
    said = [json.loads(line) for line in function.said().splitlines() if line.startswith("{")]
    return [line for line in said if line.get("stage") == stage]


def metric(function, name):
    """All values of a metric, in their order."""
    said = [json.loads(line) for line in function.said().splitlines() if line.startswith("{")]
    return [line[name] for line in said if "_aws" in line and name in line]


def tags(rig, name, version=None):
    named = {"VersionId": version} if version else {}
    found = rig.s3.get_object_tagging(Bucket=rig.raw, Key=f"in/{name}", **named)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def put(rig, name, body, **wanted):
    """Puts an object with tags; its record."""
    record = rig.put(f"in/{name}", body)
    if wanted:
        given = [{"Key": key, "Value": value} for key, value in wanted.items()]
        rig.s3.put_object_tagging(Bucket=rig.raw, Key=f"in/{name}", Tagging={"TagSet": given})
    return record


def what_is_done_is_tagged(rig, _):
    """Done and only then, beside other tags, that very version; what cannot be tagged is done all the same."""
    files = numbered_files(rig, more=TAGGED, catalog=False)
    body, done = numbered(20, 200)[0], {"lakegate": "done"}
    many = {f"tag{n}": "x" for n in range(10)}
    for kind in ("plain", "versions"):
        if kind == "versions":
            rig.s3.put_bucket_versioning(Bucket=rig.raw, VersioningConfiguration={"Status": "Enabled"})
        with Function(rig, files, {"LAKEGATE_CRASH_AT": "before-done"}) as function:
            undone = put(rig, f"{kind}-undone", body)
            assert function.call({"Records": [undone]}) is None, function.said()
        assert tags(rig, f"{kind}-undone") == {}
        with Function(rig, files) as function:
            one(function, undone, "rolledForward")
            assert tags(rig, f"{kind}-undone") == done, function.said()
            record = put(rig, f"{kind}-good", body, team="a", lakegate="seen")
            one(function, record, "made")
            assert tags(rig, f"{kind}-good") == {"team": "a"} | done, tags(rig, f"{kind}-good")
            one(function, put(rig, f"{kind}-bad", b'[{"id": 1, '), "failed")
            assert tags(rig, f"{kind}-bad") == {}
            assert logged(function, "tagging_failed") == [], function.said()
            # What is done already asks for nothing more.
            rig.s3.delete_object_tagging(Bucket=rig.raw, Key=f"in/{kind}-good")
            one(function, record, "nothingToDo")
            assert tags(rig, f"{kind}-good") == {}
            one(function, put(rig, f"{kind}-many", body, **many), "made")
            assert tags(rig, f"{kind}-many") == many
            assert len(logged(function, "tagging_failed")) == 1 and metric(function, "tagFailures") == [1]
    with Function(rig, files) as function:
        older, newer = rig.put("in/twice", body), rig.put("in/twice", numbered(3, 20)[0])
        one(function, older, "made")
        version = [record["s3"]["object"]["versionId"] for record in (older, newer)]
        assert [tags(rig, "twice", one) for one in version] == [done, {}]
    uses = [use for use in rig.uses_by(files) if not use[0]["name"].startswith("source-tagged")]
    with Function(rig, files, rig.session(uses)) as function:
        one(function, rig.put("in/denied", body), "made")
        (line,) = logged(function, "tagging_failed")
        assert line["hint"].startswith("allow s3:GetObjectVersionTagging on arn:"), line
        assert metric(function, "tagFailures") == [1]
