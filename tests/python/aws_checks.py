"""What the function does beside taking objects: the tag on what is done, and the checks that a schedule asks for.

Not for how a person reconciles by hand (`aws_operator.py`).
"""

import json

from aws_given import assert_says, numbered, numbered_files
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


def scheduled(rig, **more):
    files = numbered_files(rig, **more)
    files["lakegate.toml"] += '\n[stack]\nname = "checks"\n'
    return files


def a_schedule_asks_what_is_missing(rig, _):
    """Call by call it is said what the source has and the tables lack, and the other way round; and who asks wrongly is told."""
    files = scheduled(rig, catalog=False)
    ask = {"lakegate": "reconcile", "pipeline": "numbered"}
    place = f"s3://{rig.raw}/in/"
    with Function(rig, files) as function:
        records = [rig.put(f"in/{name}", numbered(2, 20, month=month)[0])
                   for month, name in enumerate(("same", "newer", "goes"), 1)]
        records.append(rig.put("in/bad.json", b'[{"id": 1, '))
        for record in records:
            one(function, record, "made", "failed")
        answer = function.call(ask | {"cursor": None})
        assert answer == {
            "pipeline": "numbered", "inTables": 3, "missing": 1, "gone": 0, "next": None,
            "examples": [{"source": f"{place}bad.json", "why": "failed", "code": "syntax_error"}],
        }, answer
        rig.put("in/newer", numbered(3, 20, month=2)[0])
        rig.put("in/late", numbered(2, 20, month=6)[0])
        rig.s3.delete_object(Bucket=rig.raw, Key="in/goes")
        # They came a moment ago, and may be on their way.
        answer = function.call(ask)
        assert (answer["inTables"], answer["missing"], answer["gone"], answer["next"]) == (1, 1, 1, None), answer
        # An invocation that is soon over ends after a part of the walk, and says where the next one goes on.
        function.seconds = 18
        answers, cursor = [], None
        while not answers or cursor:
            answers.append(function.call(ask | {"cursor": cursor, "graceSeconds": 0}))
            cursor = answers[-1]["next"]
        assert len(answers) == 2, answers
        wanted = [("bad.json", "failed"), ("goes", "gone"), ("late", "new"), ("newer", "changed")]
        found = sorted((one["source"].removeprefix(place), one["why"]) for answer in answers for one in answer["examples"])
        assert found == wanted, answers
        sums = [sum(answer[key] for answer in answers) for key in ("inTables", "missing", "gone")]
        assert sums == [1, 3, 1], answers
        assert metric(function, "missingObjects") == [1, 1, 3, 0] and metric(function, "goneObjects") == [0, 1, 0, 1]
        lines = logged(function, "missing")
        assert sorted(line["object"].removeprefix(place) for line in lines) == ["bad.json"] * 3 + ["late", "newer"], lines
        for wrong, words in (
            ({"lakegate": "dance", "pipeline": "numbered"}, ("`dance` is no check", "freshness")),
            ({"lakegate": "reconcile", "pipeline": "nobody"}, ("no pipeline is named nobody", "numbered")),
            ({"lakegate": "reconcile"}, ("no `pipeline` is named",)),
            (ask | {"cursor": "nowhere"}, ("cursor_unknown", "nowhere")),
        ):
            assert_says(function.call(wrong), "Lakegate.OwnFault", *words)


def a_schedule_asks_how_fresh(rig, _):
    """How long ago the newest object was loaded, and whether one is due."""
    files = scheduled(rig, more='expect_every = "1 hour"', catalog=False)
    ask = {"lakegate": "freshness", "pipeline": "numbered"}
    with Function(rig, files) as function:
        never = function.call(ask)
        assert never == {"pipeline": "numbered", "secondsSinceLastLoad": None, "due": True}, never
        assert metric(function, "secondsSinceLastLoad") == []
        one(function, rig.put("in/x", numbered(2, 20)[0]), "made")
        now = function.call(ask)
        assert now["due"] is False and 0 <= now["secondsSinceLastLoad"] < 600, now
        assert metric(function, "secondsSinceLastLoad") == [now["secondsSinceLastLoad"]]
