"""What the cases of `aws_verbs.py` give to `lakegate`: records, specs, a pipeline, a registry."""

import json

RIGHT = [{"id": 1, "amount": 5, "day": "2025-01-01"}, {"id": 3, "amount": 7, "day": "2025-01-03"}]
WRONG = {"id": 2, "amount": "x", "day": "2025-01-02"}
LATER = {"id": 9, "amount": 1, "day": "2025-02-01"}
MENDED = WRONG | {"amount": 6}
COLUMNS = ["id", "amount", "day"]


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def spec(amount="bigint", derive=None, rejected="100%", partition=False):
    columns = [("id", "bigint"), ("amount", amount), ("day", "date")]
    text = f'[output]\nmax_rejected = "{rejected}"\n\n[[table]]\nname = "orders"\nmode = "freeze"\n'
    text += 'partition_by = ["day"]\n' if partition else ""
    text += "".join(f'\n[[table.column]]\nname = "{name}"\ntype = "{kind}"\n' for name, kind in columns)
    return text + (f'\n[[table.derive]]\nname = "more"\nsql = "{derive}"\n' if derive else "")


# A file with a record that the spec does not take, and one without.
MIXED, CLEAN = lines(RIGHT[0], WRONG, RIGHT[1]), lines(*RIGHT)


def rows(*records, **more):
    """Records as they come out of a table; numbers as texts where their column became one."""
    return sorted((record | more for record in records), key=lambda row: row["id"])


def found(world, table="orders", lake="lake"):
    """The rows of a table with days as texts."""
    there = world.rows(table, lake)
    return sorted((row | {"day": str(row["day"])} for row in there), key=lambda row: row["id"])


def same(world, *wanted, lake="lake", table="orders"):
    there = found(world, table, lake)
    assert there == rows(*wanted), f"{lake}/{table} has {there}, wanted {rows(*wanted)}"


def loaded(world, body=MIXED, code=3, key="raw/a.ndjson"):
    """A lake with one source by hand: answers of `run`."""
    place = world.put(key, body)
    return world.did("run", place, "--spec", world.put("specs/orders.toml", spec()), "--lake", world.lake(), code=code)


def deployed(world, more=""):
    """A pipeline `orders` that takes objects below `in/`; the prefix of its sources.

    Its lake is the world's. Where that is a folder it is one in the bucket: a pipeline with a source in S3 has no other.
    """
    lake = world.bucket.place("lake/")
    world.file("orders.toml", spec())
    below = world.bucket.place("in/")
    world.file(
        "lakegate.toml",
        f'version = 1\n[pipeline.orders]\nsource = "{below}"\nlake = "{lake}"\nspec = "orders.toml"\n{more}',
    )
    return below


# Version → spec. 2.0.0 has another type.
VERSIONS = {"1.0.0": spec(), "1.1.0": spec(derive="amount * 2"), "1.2.0": spec(derive="amount * 3"), "2.0.0": spec("string")}


def released(world, *versions, promoted="1.0.0"):
    """A registry with releases of `orders`, whose key the command is told by its environment; its place."""
    registry = world.place("registry/")
    world.did("keygen", "--out", "release.key")
    world.environment |= {"LAKEGATE_KEY": "release.key", "LAKEGATE_TRUST": "release.key.pub"}
    world.file("sample.ndjson", CLEAN.decode())
    for version in versions or ("1.0.0",):
        publish(world, version, "--no-code")
    if promoted:
        world.did("promote", "orders", promoted, "--registry", registry)
    return registry


def publish(world, version, *more):
    place = world.put(f"specs/{version}.toml", VERSIONS[version])
    words = ["--version", version, "--spec", place, "--registry", world.place("registry/"), "--sample", "sample.ndjson"]
    return world.did("publish", "orders", *words, *more)


def by_release(world, registry, release="orders", body=CLEAN, code=0, key="raw/a.ndjson", lake="lake"):
    """A lake with one source that a release made."""
    place = world.put(key, body)
    words = ("run", place, "--registry", registry, "--transform", release, "--lake", world.lake(lake))
    return world.did(*words, code=code)
