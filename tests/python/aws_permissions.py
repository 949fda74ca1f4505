"""Cases for the permissions of features that no other case makes every call of, and for the list of them itself.

Each is named in `host-lambda/lambda/deploy/permissions.toml` as the test of its features: `aws_cases.py` compares its
calls with the data when it ends (`aws_recorded.py`). Not for what the features do in all ways: that they may, is shown.
"""

import json

import permissions
from aws_faults import exact
from aws_given import COLUMNS, NUMBERED, assert_says, config, numbered, numbered_files, pipeline, same_rows
from aws_proxy import Proxy, Rule
from aws_read import Table, folder_rows, quarantined
from aws_recorded import Call, compare
from aws_releases import Publisher
from aws_runtime import Function

# Larger than what is read in the request that also looks at the object.
LARGE = (150, 12000)


def permissions_are_as_listed(rig, arguments):
    """Policy and document are as the data has them, each feature has a test, and what is not to be seen says why."""
    for path, there, wanted in permissions.files():
        assert there == wanted, f"{path}: run tests/python/permissions.py --write"
    for feature in permissions.features().values():
        assert feature["test"] in arguments.cases, f"{feature['name']}: there is no case {feature['test']}"
        for statement in feature["statement"]:
            if "unseen" in statement:
                print(f"{feature['name']}: {', '.join(statement['allow'])} is not to be seen here: {statement['unseen']}")
    # The comparison itself: a call of nobody's is found, and one that nobody makes.
    uses = rig.uses_by(numbered_files(rig, catalog=False))
    stray = Call("DeleteObject", (f"arn:aws:s3:::{rig.raw}/in/x.ndjson",))
    wrong, _ = compare("the_source", uses, {stray: True})
    assert any("no feature in use" in one and "DeleteObject" in one for one in wrong), wrong
    assert any("never called here: GetObject arn" in one for one in wrong), wrong


def one(function, record, *states):
    """The answer about the one object of an event."""
    answer = function.call({"Records": [record]})
    assert answer and "objects" in answer, f"{answer}\n{function.said()}"
    assert answer["objects"][0]["state"] in states, answer
    return answer["objects"][0]


def the_source(rig, _):
    """Small and large, by name and by version, and objects that are gone: read or passed over, never denied."""
    files, wanted = numbered_files(rig, catalog=False), []
    for kind in ("plain", "versions"):
        if kind == "versions":
            rig.s3.put_bucket_versioning(Bucket=rig.raw, VersioningConfiguration={"Status": "Enabled"})
        with Function(rig, files) as function:
            for size in ((20, 200), LARGE):
                body, rows = numbered(*size)
                record = rig.put(f"in/{kind}-{size[0]}.ndjson", body)
                assert ("versionId" in record["s3"]["object"]) == (kind == "versions"), record
                one(function, record, "made")
                wanted += rows
                one(function, rig.record("in/gone.ndjson", len(body), "0" * 32), "ignored")
    same_rows(folder_rows(rig, "numbered"), wanted, COLUMNS)


def large_and_replaced(rig, _):
    """Rows and rejected records of several MiB each: killed with uploads open, run again, replaced by a small version."""
    rig.make_catalog()
    files = numbered_files(rig)
    good, _ = numbered(150, 60000, days=1)
    bad = [b"x" * 60000] * 149
    body = b"\n".join([*good.split(b"\n"), *bad])
    record = rig.put("in/object.ndjson", body)
    with Function(rig, files, {"LAKEGATE_CRASH_AT": "after-stage"}) as function:
        assert function.call({"Records": [record]}) is None, function.said()
    killed = {key.split("/")[0] for key in rig.open_uploads()}
    assert killed == {"numbered", "_lakegate"}, rig.open_uploads()
    with Function(rig, files) as function:
        assert one(function, record, "made")["rejected"] == len(bad)
        assert rig.open_uploads() == [], rig.open_uploads()
        assert len(quarantined(rig, "numbered_quarantine")) == len(bad)
        body, rows = numbered(20, 200)
        one(function, rig.put("in/object.ndjson", body), "replaced")
    same_rows(Table(rig, "numbered").rows(), rows, COLUMNS)
    assert rig.keys("_lakegate/quarantine/") == [], rig.keys("_lakegate/quarantine/")


def a_table_that_grows(rig, _):
    """A table, its partition and the table of rejected records are made; a new column comes to table and partition."""
    rig.make_catalog()
    spec = '[output]\nmax_rejected = "90%"\n\n[[table]]\nname = "grown"\npartition_by = ["day"]\n'
    text = config(pipeline(rig, "grown", "in/", "grown.toml", 'contract = "learn"'))
    first, second = {"id": 1, "day": "2025-01-01"}, {"id": 2, "note": "more", "day": "2025-01-01"}
    with Function(rig, {"lakegate.toml": text, "grown.toml": spec}) as function:
        one(function, rig.put("in/1.ndjson", json.dumps(first).encode()), "made")
        one(function, rig.put("in/2.ndjson", json.dumps(second).encode() + b"\nnonsense"), "made")
    table = Table(rig, "grown")
    assert "note" in table.columns, table.columns
    table.check_partitions()
    assert sorted(row["id"] for row in table.rows()) == [1, 2], table.rows()
    assert [line["raw"] for line in quarantined(rig, "grown_quarantine")] == ["nonsense"]


def a_crawler_that_runs(rig, _):
    """The crawler is started, and looked at until it is through."""
    rig.make_crawler()
    crawler = f'[pipeline.numbered.catalog]\nkind = "crawler"\ncrawler = "{rig.crawler}"\nwait = true\n'
    files = numbered_files(rig, catalog=False)
    files["lakegate.toml"] += crawler
    with Function(rig, files) as function:
        one(function, rig.put("in/x.ndjson", numbered(3, 20)[0]), "made")
    crawled = rig.client("glue").get_crawler(Name=rig.crawler)["Crawler"]
    assert crawled["State"] == "READY" and crawled["LastCrawl"]["Status"] == "SUCCEEDED", crawled


def lineage_in_a_bucket(rig, _):
    """Lineage goes to a bucket of its own; who completes a run again leaves what is there."""
    rig.make_catalog()
    audit = rig.bucket("audit")
    files = numbered_files(rig)
    files["lakegate.toml"] += f'[pipeline.numbered.lineage]\nwrite_to = "s3://{audit}/open/lineage/"\n'
    record = rig.put("in/good.ndjson", numbered(20, 200)[0])
    with Function(rig, files, {"LAKEGATE_CRASH_AT": "before-done"}) as function:
        assert function.call({"Records": [record]}) is None, function.said()
    with Function(rig, files) as function:
        one(function, record, "rolledForward")
        one(function, rig.put("in/bad.json", b'[{"id": 1, '), "failed")
    kinds = sorted(key.rsplit("/", 1)[1] for key in rig.keys("open/lineage/numbered/", audit))
    assert kinds == ["complete.json", "fail.json", "start.json", "start.json"], kinds
    assert len(rig.keys("", audit)) == len(kinds), rig.keys("", audit)
    ids = {key.rsplit("/", 2)[1] for key in rig.keys("open/lineage/numbered/", audit)}
    records = [key for folder in ("commits", "failures") for key in rig.keys(f"_lakegate/{folder}/")]
    bodies = [rig.s3.get_object(Bucket=rig.lake, Key=key)["Body"] for key in records]
    assert {json.loads(body.read())["id"] for body in bodies} == ids, (ids, records)


def failed_copies_in_a_bucket(rig, _):
    """Copies of failed objects, small and large, go to a bucket of their own, also where a reply is lost or a part refused."""
    rig.make_catalog()
    audit = rig.bucket("audit")
    files = numbered_files(rig)
    files["lakegate.toml"] += f'[pipeline.numbered.failed]\ncopy_to = "s3://{audit}/failed"\n'
    lines = numbered(800, 12000)[0].replace(b"\n", b",\n")
    bodies = {"small.json": b'[{"id": 1, ', "large.json": b"[" + lines, "lost.json": b"[" + lines}
    refused, gone = (
        (status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>")
        for status, code in ((403, "AccessDenied"), (404, "NoSuchUpload"))
    )
    with Proxy(rig.through) as proxy, Function(rig, files, {"AWS_ENDPOINT_URL": proxy.url}) as function:
        for name, body in bodies.items():
            if name == "lost.json":
                # The second of them is what S3 says some time after it did the first.
                completed = ("s3:CompleteMultipartUpload", f"^/{audit}/")
                proxy.rules = [Rule(*completed), Rule(*completed, answer=gone)]
            one(function, rig.put(f"in/{name}", body), "failed")
        assert [rule.hits for rule in proxy.rules] == [[200], [404]], proxy.rules
        record = rig.put("in/part.json", b"[" + lines)
        proxy.rules = [Rule("s3:UploadPart", f"^/{audit}/", times=1000, answer=refused)]
        assert_says(function.call({"Records": [record]}), "Lakegate.OwnFault", "s3:UploadPart", audit)
        proxy.rules = []
        one(function, record, "failed")
    for name, body in (bodies | {"part.json": b"[" + lines}).items():
        copied = rig.s3.get_object(Bucket=audit, Key=f"failed/in/{name}")["Body"].read()
        assert copied == body, f"{name}: {len(copied)} bytes of {len(body)}"
    assert not rig.s3.list_multipart_uploads(Bucket=audit).get("Uploads")


def configuration_in_a_bucket(rig, _):
    """The configuration and its spec come from a bucket, and from nowhere else in it."""
    rig.make_catalog()
    deployed = rig.bucket("deployed")
    text = config(pipeline(rig, "numbered", "in/", "specs/numbered.toml"))
    for key, body in (("live/lakegate.toml", text), ("live/specs/numbered.toml", NUMBERED)):
        rig.s3.put_object(Bucket=deployed, Key=key, Body=body.encode())
    at = {"LAKEGATE_CONFIG": f"s3://{deployed}/live/lakegate.toml"}
    body, rows = numbered(20, 200)
    record = rig.put("in/x.ndjson", body)
    with Function(rig, {}, at) as function:
        one(function, record, "made")
    exact(rig, rows, 1)
    # Moved, and the role is still the one of before.
    rig.s3.put_object(Bucket=deployed, Key="other/lakegate.toml", Body=text.encode())
    rig.s3.put_object(Bucket=deployed, Key="other/specs/numbered.toml", Body=NUMBERED.encode())
    moved = {"LAKEGATE_CONFIG": f"s3://{deployed}/other/lakegate.toml"}
    with Function(rig, {}, moved | rig.session(rig.uses_by({}, at))) as function:
        answer = function.call({"Records": [record]})
    assert_says(answer, "Lakegate.OwnFault", f"allow s3:GetObject on arn:aws:s3:::{deployed}/other/lakegate.toml")


def what_a_registry_lacks_is_named(rig, arguments):
    """A channel, a release and a part of it that are gone are told by name, with the releases that are there."""
    publisher = Publisher(rig, arguments)
    publisher.publish("1.0.0")
    publisher.promote("1.0.0")
    files = {"lakegate.toml": publisher.config, "release.key.pub": publisher.public}
    manifest = json.loads(rig.s3.get_object(Bucket=rig.releases, Key="releases/orders/1.0.0.json")["Body"].read())

    def started():
        with Function(rig, files, tables=["orders"]) as function:
            return function.call({"Records": [rig.put("in/x.ndjson", b'{"id":1}')]})

    for key, words in (
        ("channels/orders.json", ["the channel orders has no stable release"]),
        ("releases/orders/1.0.0.json", ["has no release orders@1.0.0", "versions of orders there: none"]),
        (f"blobs/{manifest['spec']['digest']}", ["the spec of orders@1.0.0"]),
    ):
        kept = rig.s3.get_object(Bucket=rig.releases, Key=key)["Body"].read()
        rig.s3.delete_object(Bucket=rig.releases, Key=key)
        answer = started()
        assert_says(answer, "Lakegate.OwnFault", *words)
        assert "access_denied" not in json.dumps(answer), answer
        print(f"without {key}: {answer['errorMessage'][:200]}")
        rig.s3.put_object(Bucket=rig.releases, Key=key, Body=kept)
    assert started()["objects"][0]["state"] == "made"


def another_prefix_is_denied(rig, _):
    """A role for one prefix of the lake's bucket reads and writes nothing below another one."""
    record = rig.put("in/x.ndjson", numbered(3, 20)[0])

    def files(prefix):
        found = numbered_files(rig, catalog=False)
        return found | {"lakegate.toml": found["lakegate.toml"].replace(f"s3://{rig.lake}/", f"s3://{rig.lake}/{prefix}/")}

    role = rig.session(rig.uses_by(files("ours")))
    for prefix, of in (("ours", None), ("theirs", "theirs/_lakegate/")):
        with Function(rig, files(prefix), role) as function:
            answer = function.call({"Records": [record]})
        if of:
            assert_says(answer, "Lakegate.OwnFault", "s3:GetObject", of)
            print(f"denied: {answer['errorMessage'][:200]}")
        else:
            assert answer["objects"][0]["state"] == "made", answer
    assert rig.keys("theirs/") == [] and rig.keys("ours/numbered/"), rig.keys()
