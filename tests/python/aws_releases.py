"""Releases as deployed: a function that follows a channel in a bucket, under its documented policy.

Not for what a host refuses one by one (unit tests have that). Each release writes its version into each row,
so that rows tell who made them.
"""

import json
from pathlib import Path

from aws_given import Command, config, same_rows
from aws_read import folder_rows
from aws_rig import until

COLUMNS = ["id", "made_by"]


def spec(version, more=""):
    return f"""
[[table]]
name = "orders"
mode = "freeze"

[[table.column]]
name = "id"
type = "bigint"
{more}
[[table.derive]]
name = "made_by"
sql = "'{version}'"
"""


class Publisher:
    """The command with a key, and the configuration of a pipeline that follows the channel `orders`."""

    def __init__(self, rig, arguments):
        self.registry = f"s3://{rig.releases}/"
        files = {f"{version}.toml": spec(version) for version in ("1.0.0", "1.1.0")}
        # The same table, and one more column.
        files["1.2.0.toml"] = spec("1.2.0", '\n[[table.column]]\nname = "note"\ntype = "string"\n')
        files["sample.ndjson"] = '{"id":1}\n'
        self.lakegate = Command(rig, arguments, files)
        self.lakegate("keygen", "--out", "release.key")
        self.public = self.read("release.key.pub")
        self.config = config(f"""
[pipeline.orders]
source = "s3://{rig.raw}/in/"
lake = "s3://{rig.lake}/"
channel = "orders"
registry = "{self.registry}"
trust = ["release.key.pub"]
key = "release.key"
""")
        (self.folder / "lakegate.toml").write_text(self.config)

    @property
    def folder(self):
        return Path(self.lakegate.folder.name)

    def read(self, name):
        return (self.folder / name).read_text()

    def publish(self, *versions):
        for version in versions:
            made = self.lakegate(
                "publish", "orders", "--version", version, "--spec", f"{version}.toml", "--sample", "sample.ndjson", "--json"
            )
            assert made["fresh"] and made["code"], made

    def promote(self, version, *more):
        return self.lakegate("promote", "orders", version, *more, "--json")


class Objects:
    """Objects that go through the function one by one, and the versions that their commit records name."""

    def __init__(self, rig):
        self.rig, self.made = rig, {}

    def take(self, name=None):
        number = len(self.made)
        name = name or f"in/{number}.ndjson"
        record = self.rig.put(name, json.dumps({"id": number}).encode())
        answer = self.rig.invoke({"Records": [record]})["objects"][0]
        assert answer["state"] == "made", answer
        self.made[number] = (record, self.version(name))
        return self.made[number][1]

    def version(self, name):
        uri = f"s3://{self.rig.raw}/{name}"
        for key in self.rig.commits():
            record = json.loads(self.rig.s3.get_object(Bucket=self.rig.lake, Key=key)["Body"].read())
            if record["source"]["uri"] == uri:
                return record["release"]["version"]
        raise AssertionError(f"no commit of {uri}")

    def until(self, version):
        """Takes objects until the function has another release; how many it took."""
        before = len(self.made)
        until(f"an object by {version}", lambda: self.take() == version)
        return len(self.made) - before

    def check(self):
        wanted = [{"id": number, "made_by": version} for number, (_, version) in self.made.items()]
        same_rows(folder_rows(self.rig, "orders"), wanted, COLUMNS)


def releases_as_deployed(rig, arguments):
    """publish → promote → function → canary → shadow → a release that is spoilt → rollback → replay."""
    publisher = Publisher(rig, arguments)
    publisher.publish("1.0.0", "1.1.0", "1.2.0")
    publisher.promote("1.0.0")
    rig.deploy({"lakegate.toml": publisher.config, "release.key.pub": publisher.public}, tables=["orders"])
    objects = Objects(rig)
    assert objects.take() == "1.0.0"

    # Another release takes over while the function stays as it is.
    publisher.promote("1.1.0")
    took = objects.until("1.1.0")
    # Delivered again after the promotion, the first object does nothing.
    again = rig.invoke({"Records": [objects.made[0][0]]})["objects"][0]
    assert again["duplicate"], again
    objects.check()

    # A canary takes a share; who took an object does not change when it comes again.
    publisher.promote("1.0.0", "--canary", "50%")
    objects.until("1.0.0")
    versions = [objects.take() for _ in range(12)]
    assert set(versions) == {"1.0.0", "1.1.0"}, versions
    objects.check()

    # A shadow writes nothing to the table, and what it would have changed is told.
    publisher.lakegate("rollback", "orders")
    publisher.promote("1.2.0", "--shadow")

    def shadowed():
        objects.take()
        listed = publisher.lakegate("releases", "orders", "--json")
        return listed["shadows"]

    shadows = until("a shadow", shadowed)
    assert shadows[0]["version"] == "1.2.0" and shadows[0]["differ"] == shadows[0]["objects"] > 0, shadows
    objects.check()

    # A release whose spec was changed in the bucket: a function that starts does not take it, and says why.
    manifest = json.loads(rig.s3.get_object(Bucket=rig.releases, Key="releases/orders/1.2.0.json")["Body"].read())
    blob = f"blobs/{manifest['spec']['digest']}"
    whole = rig.s3.get_object(Bucket=rig.releases, Key=blob)["Body"].read()
    publisher.promote("1.2.0")
    rig.s3.put_object(Bucket=rig.releases, Key=blob, Body=whole.replace(b"bigint", b"string"))

    # The warm function has it loaded from its time as a shadow: a new one begins without it.
    rig.restart()
    answer = rig.invoke({"Records": [rig.put("in/late.ndjson", b'{"id":999}')]})
    assert "objects" not in answer, answer
    rig.s3.put_object(Bucket=rig.releases, Key=blob, Body=whole)

    rig.restart()
    rig.invoke({"Records": [rig.put("in/late.ndjson", b'{"id":999}')]})
    assert objects.version("in/late.ndjson") == "1.2.0"
    # Back: what the withdrawn release wrote is made again by the command that is printed.
    back = publisher.lakegate("rollback", "orders", "--json")
    assert (back["withdrawn"], back["stable"]) == ("1.2.0", "1.1.0"), back
    assert [lake["objects"] for lake in back["written"]] == [1], back
    words = back["written"][0]["replay"].split()[1:]
    replayed = publisher.lakegate(*words, "--json")
    assert (replayed["objects"], replayed["failed"]) == (1, 0), replayed
    rows = {row["id"]: row["made_by"] for row in folder_rows(rig, "orders")}
    assert rows[999] == "1.1.0" and len(rows) == len(objects.made) + 1, rows
    assert rig.open_uploads() == []
    print(f"{len(objects.made)} objects, the promotion held after {took} of them")
