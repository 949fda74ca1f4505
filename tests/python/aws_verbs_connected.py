"""Cases of `aws_verbs.py` in a bucket: what a person changes by hand is in the catalog, and lineage is told."""

from aws_verbs_given import CLEAN, LATER, MENDED, MIXED, RIGHT, WRONG, deployed, lines, released, rows, spec


def queried(world, *wanted):
    """That a query finds these rows; the types of the table."""
    types, there = world.queried()
    there = sorted((row | {"day": str(row["day"])} for row in there), key=lambda row: row["id"])
    assert there == rows(*wanted), f"a query finds {there}, wanted {rows(*wanted)}"
    return types


def loaded(world):
    """A pipeline with a catalog, and an object with a rejected record in its table."""
    deployed(world, world.make_catalog())
    world.file("orders.toml", spec(partition=True))
    world.did("run", world.source("in/a.ndjson", MIXED), code=3)
    queried(world, *RIGHT)
    return len(world.names("lineage/"))


def quarantine_resubmit(world):
    """A record that is mended has a partition that is new to the catalog."""
    told = loaded(world)
    world.file("mended.ndjson", lines(MENDED).decode())
    world.did("quarantine", "resubmit", "orders", "--from", "mended.ndjson", "--lake", world.lake())
    queried(world, *RIGHT, MENDED)
    assert len(world.names("lineage/")) > told


def contract_change(world):
    """The type changes in the catalog too, in the table as in each partition."""
    told = loaded(world)
    by = world.put("specs/string.toml", spec("string", partition=True))
    world.did("contract", "change", "orders", "amount", "string", "--spec", by, "--lake", world.lake())
    types = queried(world, *(row | {"amount": str(row["amount"])} for row in [*RIGHT, WRONG]))
    assert types["amount"] == "string", types
    assert len(world.names("lineage/")) > told


def fsck(world):
    """A part file that is made again is where the catalog looks."""
    loaded(world)
    world.delete(world.parts("orders")[0])
    assert world.did("fsck", world.lake())["mended"] == 1
    queried(world, *RIGHT)


def serve(world):
    """An upload into the lake of a pipeline is found by a query."""
    told = loaded(world)
    with world.serve("--pipeline", "orders", "--spec", world.put("specs/orders.toml", spec(partition=True))) as serving:
        assert serving.upload("later.ndjson", lines(LATER))["rows"] == 1
    queried(world, *RIGHT, LATER)
    assert len(world.names("lineage/")) > told


def run(world):
    """By hand into that lake; of a lake that no pipeline writes to it is said that nobody was told."""
    loaded(world)
    by = world.put("specs/orders.toml", spec(partition=True))
    ran = world.run("run", world.put("raw/later.ndjson", lines(LATER)), "--spec", by, "--lake", world.lake())
    assert ran.code == 0 and "no catalog" not in ran.stderr, ran
    queried(world, *RIGHT, LATER)
    ran = world.run("run", world.place("raw/later.ndjson"), "--spec", by, "--lake", world.lake("other"))
    assert ran.code == 0 and "no catalog was told" in ran.stderr, ran


def retract(world):
    loaded(world)
    world.did("retract", world.bucket.place("in/"))
    queried(world)


def replay(world):
    """A column that another release derives is in the catalog once what is there was made again."""
    registry = released(world, "1.0.0", "1.1.0")
    more = f'channel = "orders"\nregistry = "{registry}"\ntrust = ["release.key.pub"]\n'
    text = (deployed(world, more + world.make_catalog()), (world.cwd / "lakegate.toml").read_text())[1]
    world.file("lakegate.toml", text.replace('spec = "orders.toml"\n', ""))
    world.did("run", world.source("in/a.ndjson", CLEAN))
    queried(world, *RIGHT)
    world.did("promote", "orders", "1.1.0")
    made = world.did("replay", "orders", "--release", "1.1.0")
    assert (made["objects"], made["failed"]) == (1, 0), made
    queried(world, *(row | {"more": row["amount"] * 2} for row in RIGHT))
