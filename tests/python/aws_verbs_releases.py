"""Cases of `aws_verbs.py`: verbs of a registry, and those that act only through `lakegate.toml`."""

import gzip
import json
from urllib.parse import quote_plus

from aws_verbs_given import (
    CLEAN, MIXED, RIGHT, WRONG, by_release, deployed, found, lines, publish, released, rows, same, spec
)


def more(factor):
    return [row | {"more": row["amount"] * factor} for row in RIGHT]


def versions_there(world, registry):
    return [one["version"] for one in world.did("releases", "orders", "--registry", registry)["releases"]]


# --- a registry ---------------------------------------------------------------------------------------


def publish_into(world):
    """What is published is there, whole, and the same again is nothing new."""
    registry = released(world, promoted=None)
    again = publish(world, "1.0.0", "--no-code")
    assert not again["fresh"] and again["samples"] == 1, again
    assert versions_there(world, registry) == ["1.0.0"]
    assert "registry/releases/orders/1.0.0.json" in world.names("registry/")


def promote(world):
    registry = released(world, "1.0.0", "1.1.0")
    by_release(world, registry)
    dry = world.did("promote", "orders", "1.1.0", "--registry", registry, "--lake", world.lake(), "--dry-run")
    assert dry["dry_run"], dry
    made = world.did("promote", "orders", "1.1.0", "--registry", registry, "--lake", world.lake())
    assert (made["sequence"], made["channel"]["stable"]["version"]) == (2, "1.1.0"), made
    by_release(world, registry, key="raw/b.ndjson")
    assert found(world) == rows(*(row | {"more": None} for row in RIGHT), *more(2)), found(world)


def promote_conflict(world):
    """A release whose types conflict with a lake of that home is refused."""
    registry = released(world, "1.0.0", "2.0.0")
    by_release(world, registry)
    ran = world.run("promote", "orders", "2.0.0", "--registry", registry, "--lake", world.lake())
    assert ran.code == 1 and "error" in ran.json, ran
    listed = world.did("releases", "orders", "--registry", registry)
    assert listed["channel"]["stable"]["version"] == "1.0.0", listed


def rollback(world):
    """Back to the version before; what the withdrawn one wrote is counted in the lake."""
    registry = released(world, "1.1.0", "1.2.0", promoted="1.1.0")
    world.did("promote", "orders", "1.2.0", "--registry", registry)
    by_release(world, registry)
    assert found(world) == rows(*more(3))
    told = ("orders", "--registry", registry, "--lake", world.lake())
    assert world.did("rollback", *told, "--dry-run")["dry_run"]
    back = world.did("rollback", *told, "--expect", "1.2.0")
    assert (back["withdrawn"], back["stable"]) == ("1.2.0", "1.1.0"), back
    assert [lake["objects"] for lake in back["written"]] == [1], back
    # What is printed is a command that does it.
    replayed = world.did(*back["written"][0]["replay"].split()[1:])
    assert (replayed["objects"], replayed["rows"], replayed["failed"]) == (1, 2, 0), replayed
    assert found(world) == rows(*more(2)), found(world)


def releases(world):
    registry = released(world, "1.0.0", "1.1.0")
    by_release(world, registry)
    listed = world.did("releases", "orders", "--registry", registry, "--lake", world.lake())
    assert [one["version"] for one in listed["releases"]] == ["1.1.0", "1.0.0"], listed
    assert listed["channel"]["stable"]["version"] == "1.0.0", listed
    assert listed["written"]["1.0.0"] == {"objects": 1, "rows": 2, "rejected": 0, "failed": 0}, listed
    assert world.did("releases", "--registry", registry)["names"] == ["orders"]


def releases_of_pipelines(world):
    """Without a name and a registry, by lakegate.toml."""
    registry = released(world)
    world.file("lakegate.toml", f"""[pipeline.orders]
source = "{world.bucket.place('in/')}"
lake = "{world.lake()}"
channel = "orders"
registry = "{registry}"
trust = ["release.key.pub"]
""")
    assert world.did("releases")["names"] == ["orders"]
    world.did("run", world.source("in/a.ndjson", CLEAN))
    listed = world.did("releases", "orders", "--lake", world.lake())
    assert listed["written"]["1.0.0"] == {"objects": 1, "rows": 2, "rejected": 0, "failed": 0}, listed["written"]
    same(world, *RIGHT)


def diff(world):
    """Columns that only one release has, over an object and a prefix, under a lake's contracts."""
    registry = released(world, "1.0.0", "1.1.0", "1.2.0")
    by_release(world, registry)
    told = ("--registry", registry, "--lake", world.lake())
    differs = world.did("diff", "orders", "1.0.0", "1.1.0", world.place("raw/a.ndjson"), *told)
    assert not differs["same"] and differs["summary"]["schema"] == 1, differs
    world.put("raw/b.ndjson", CLEAN)
    values = world.did("diff", "orders", "1.1.0", "1.2.0", world.place("raw/"), *told, "--fail-on", "any", code=1)
    assert (values["summary"]["differ"], values["summary"]["schema"]) == (2, 0), values
    changed = {column["column"]: column["changed"] for column in values["samples"][0]["comparison"]["tables"][0]["columns"]}
    assert changed == {"id": 0, "amount": 0, "day": 0, "more": 2}, changed


def replay(world):
    """Beside, into another lake; then in place, of one prefix."""
    registry = released(world, "1.0.0", "1.1.0")
    by_release(world, registry)
    by_release(world, registry, key="late/b.ndjson")
    told = ("replay", "orders", "--registry", registry, "--lake", world.lake())
    same_again = world.did(*told, "--release", "1.0.0", "--into", world.lake("check"))
    assert (same_again["objects"], same_again["rows"], same_again["same_bytes"]) == (2, 4, 2), same_again
    same(world, *RIGHT, *RIGHT, lake="check")
    dry = world.did(*told, "--release", "1.1.0", "--from", world.place("late/"), "--dry-run")
    assert dry["objects"] == 1, dry
    made = world.did(*told, "--release", "1.1.0", "--from", world.place("late/"))
    assert (made["objects"], made["rows"], made["failed"]) == (1, 2, 0), made
    assert found(world) == rows(*(row | {"more": None} for row in RIGHT), *more(2)), found(world)


def registry_check(world):
    """A blob that is lost comes from another registry; a channel that is lost from the lake's commits."""
    registry = released(world)
    by_release(world, registry)
    world.did("registry", "copy", "orders", "--from", registry, "--registry", world.place("backup/"))
    told = ("registry", "check", "orders", "--registry", registry, "--lake", world.lake())
    sound = world.did(*told)
    assert (sound["damages"], sound["left"]) == ([], 0), sound
    blob = [name for name in world.names("registry/blobs/") if b"[[table]]" in world.get(name)[:200]][0]
    whole = world.get(blob)
    world.delete(blob)
    world.delete("registry/channels/orders.json")
    seen = world.did(*told, code=1)
    assert len(seen["damages"]) == seen["left"] == 2, seen
    mended = world.did(*told, "--repair", "--from", world.place("backup/"))
    assert mended["left"] == 0 and world.get(blob) == whole, mended
    by_release(world, registry, key="raw/b.ndjson")


def registry_copy(world):
    """Releases are whole in the other registry; channels stay."""
    registry, other = released(world, "1.0.0", "1.1.0"), world.place("other/")
    copied = world.did("registry", "copy", "orders", "--from", registry, "--registry", other)
    assert [(one["release"], one["fresh"]) for one in copied["releases"]] == [("orders@1.0.0", True), ("orders@1.1.0", True)]
    again = world.did("registry", "copy", "orders@1.0.0", "--from", registry, "--registry", other)
    assert [one["fresh"] for one in again["releases"]] == [False], again
    assert not world.names("other/channels/")
    world.did("promote", "orders", "1.1.0", "--registry", other)
    by_release(world, other)
    assert found(world) == rows(*more(2))


def registry_prune(world):
    """Goes what no channel and no lake needs: 1.1.0, and neither the newest nor what wrote to the lake."""
    registry = released(world, "1.0.0", "1.1.0", "1.2.0", promoted=None)
    by_release(world, registry, "orders@1.0.0")
    told = ("registry", "prune", "orders", "--registry", registry, "--lake", world.lake())
    seen = world.did(*told)
    assert (seen["removed"], seen["pruned"]["versions"]) == (False, ["1.1.0"]), seen
    assert len(versions_there(world, registry)) == 3
    assert world.did(*told, "--yes")["removed"]
    assert versions_there(world, registry) == ["1.2.0", "1.0.0"]


def registry_yank(world):
    registry = released(world, "1.0.0", "1.1.0")
    told = ("registry", "yank", "orders@1.1.0", "--registry", registry)
    assert world.did(*told, "--reason", "wrong")["yanked"]
    assert world.refused("promote", "orders", "1.1.0", "--registry", registry, code="release_yanked") == 1
    world.did(*told, "--undo")
    world.did("promote", "orders", "1.1.0", "--registry", registry)


def sign(world):
    """A further key: whoever trusts only that one takes the release."""
    registry = released(world)
    world.did("keygen", "--out", "new.key")
    signed = world.did("sign", "orders", "--key", "new.key", "--registry", registry)["signed"]
    assert [(one["release"], len(one["signers"])) for one in signed] == [("orders@1.0.0", 2)], signed
    world.environment["LAKEGATE_TRUST"] = "new.key.pub"
    by_release(world, registry, "orders@1.0.0")
    same(world, *RIGHT)


def precompile(world):
    registry = released(world)
    made = world.did("precompile", "orders@1.0.0", "--registry", registry)["compiled"]
    assert [(one["release"], len(one["code"])) for one in made] == [("orders@1.0.0", 1)], made
    assert made[0]["code"][0]["digest"] in "".join(world.names("registry/blobs/")), made
    listed = world.did("releases", "orders", "--registry", registry)["releases"][0]
    assert len(listed["compiled_for"]) == 1 and not listed["wrong"], listed


def component(world):
    registry = released(world)
    told = world.did("component", "--registry", registry, "--transform", "orders@1.0.0")
    assert told["digest"] == world.did("component")["digest"] and told["imports"] == [], told


def config_check(world):
    """A configuration with its spec beside it, wherever both are."""
    registry, below = released(world), deployed(world)
    place = world.put("conf/lakegate.toml", (world.cwd / "lakegate.toml").read_text())
    world.put("conf/orders.toml", spec())
    told = ("config", "check", place, "--live", "--registry", registry, "--transform", "orders@1.0.0")
    checked = world.did(*told)
    assert checked["valid"] and [one["source"] for one in checked["pipelines"]] == [below], checked
    world.put("conf/orders.toml", spec("bigit"))
    wrong = world.did(*told, code=2)
    assert not wrong["valid"] and len(wrong["mistakes"]) == 1, wrong


def with_stack(world):
    """A configuration that has a stack."""
    deployed(world)
    world.file("orders.toml", spec())
    world.file("lakegate.toml", (world.cwd / "lakegate.toml").read_text() + '\n[stack]\nname = "verbs-shop"\n')


def stack_render(world):
    """The files of a stack, wherever what it names is."""
    with_stack(world)
    made = world.did("stack", "render")
    assert {"Function", "Backfill"} <= set(made["resources"]["new"]), made
    assert (world.cwd / "stack/state-machines/backfill.asl.json").exists()
    assert world.did("stack", "render", "--dry-run")["resources"] == {"new": [], "changed": [], "gone": []}


def stack_check(world):
    """A stack that nobody deployed; one that stands is in `stack_check.py`. moto is here without its CloudFormation."""
    with_stack(world)
    code = "service_failed" if world.home == "moto" else "resource_missing"
    assert world.refused("stack", "check", code=code) == 1


# --- only through lakegate.toml -----------------------------------------------------------------------


def held_here(world):
    """A pipeline whose source is a folder is held by a mark in its lake."""
    world.file("orders.toml", spec())
    world.file("lakegate.toml", '[pipeline.orders]\nsource = "in/"\nlake = "lake/"\nspec = "orders.toml"\n')
    assert world.did("pause", "orders") == {"pipeline": "orders", "paused": True}
    assert "lake/_lakegate/paused/orders.json" in world.names("lake/")
    assert world.did("resume", "orders") == {"pipeline": "orders", "paused": False}
    assert world.names("lake/_lakegate/paused/") == []


def no_lake_here(world):
    """A pipeline that takes objects has its lake in a bucket: what a function wrote into a folder would not stay."""
    below = deployed(world)
    text = (world.cwd / "lakegate.toml").read_text()
    world.file("lakegate.toml", text.replace(world.bucket.place("lake/"), "lake/"))
    for verb in (("backfill", below), ("retract", below), ("pause", "orders"), ("run", below)):
        assert world.refused(*verb, code="config_invalid") == 1
    assert world.names("lake/") == []


def inventory(world, *keys):
    """An S3 Inventory of the source's bucket, a file a key; where its manifest is."""
    files = []
    for number, key in enumerate(keys):
        line = f'"{world.bucket.name}","{quote_plus(key, safe="/")}","1"\n'
        files.append({"key": f"inventory/files/{number}.csv.gz"})
        world.bucket.write(files[-1]["key"], gzip.compress(line.encode()))
    told = {"sourceBucket": world.bucket.name, "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": files}
    world.bucket.write("inventory/manifest.json", json.dumps(told).encode())
    return world.bucket.place("inventory/manifest.json")


def reconciled(world):
    """By a listing, and by an inventory, which knows less: what came since is not in it."""
    deployed(world)
    keys = [f"in/{name} +%.ndjson" for name in "abc"]
    for key in keys:
        world.source(key, CLEAN)
    world.did("run", world.bucket.place(keys[0]))
    missing = lambda found: [one["source"] for one in found["missing"]]  # noqa: E731
    assert missing(world.did("reconcile", "orders", code=1)) == [world.bucket.place(key) for key in keys[1:]]
    manifest = inventory(world, "elsewhere/x", keys[1], keys[0], "in/gone.ndjson")
    by = world.did("reconcile", "orders", "--inventory", manifest, code=1)
    assert (missing(by), by["in_tables"], by["looked_for"]) == ([world.bucket.place(keys[1])], 1, 1), by
    part = world.did("reconcile", "orders", "--inventory", manifest, "--limit", "1", code=1)
    assert part["next"] == "inventory/2/0" and missing(part) == missing(by), part
    rest = world.did("reconcile", "orders", "--inventory", manifest, "--after", part["next"])
    assert (rest["in_tables"], rest["missing"], rest["next"]) == (1, [], None), rest
    world.bucket.write("inventory/manifest.json", b"{}")
    assert world.refused("reconcile", "orders", "--inventory", manifest, code="inventory_unreadable") == 1


def backfill(world):
    """Takes what is not in the tables; folder markers, what is nobody's, and what failed before stay out."""
    below = deployed(world)
    world.file("orders.toml", spec(rejected="1%"))
    for name, body in (("a", CLEAN), ("b", CLEAN), ("bad", lines(*[WRONG] * 20))):
        world.source(f"in/{name}.ndjson", body)
    world.source("in/folder/", b"")
    world.did("run", world.bucket.place("in/a.ndjson"))
    world.did("run", world.bucket.place("in/bad.ndjson"), code=1)
    dry = world.did("backfill", below, "--dry-run")
    assert dry["to_take"] == [world.bucket.place("in/b.ndjson")], dry
    assert [dry[name] for name in ("done", "failed_before", "not_ours", "folder_markers")] == [1, 1, 0, 1], dry
    same(world, *RIGHT)
    made = world.did("backfill", below)
    assert [(one["key"], one["state"]) for one in made["objects"]] == [("in/b.ndjson", "made")], made
    assert [made[name] for name in ("done", "failed_before", "failed", "rows")] == [1, 1, 0, 2], made
    same(world, *RIGHT, *RIGHT)
    assert world.did("backfill", f"{below}none/")["to_take"] == []
    # Without a stack there is no function that would take anything.
    assert world.refused("backfill", below, "--distributed", code="usage") == 2
    again = world.did("backfill", below)
    assert (again["to_take"], again["done"], again["failed_before"]) == ([], 2, 1), again
    # Once the object is another, it is taken again.
    world.source("in/bad.ndjson", CLEAN + b"\n")
    assert world.did("backfill", below)["rows"] == 2


def held(world):
    """A held pipeline takes nothing and says so; then it goes on."""
    below = deployed(world)
    source = world.source("in/a.ndjson", CLEAN)
    assert world.did("pause", "orders") == {"pipeline": "orders", "paused": True}
    ran = world.did("run", source, code=1)
    assert [one["state"] for one in ran["objects"]] == ["paused"], ran
    assert world.names("lake/_lakegate/paused/") == ["lake/_lakegate/paused/orders.json"]
    assert world.did("resume", "orders") == {"pipeline": "orders", "paused": False}
    assert world.did("backfill", below)["rows"] == 2
    same(world, *RIGHT)


def retract(world):
    """One object, and all below a prefix; nothing brings them back but a run that says so."""
    below = deployed(world)
    sources = [world.source(f"in/{name}.ndjson", MIXED) for name in ("a", "b", "c")]
    world.did("run", below, code=3)
    dry = world.did("retract", below, "--dry-run")
    assert dry["dry_run"] and [one["object"] for one in dry["objects"]] == sources, dry
    one = world.did("retract", sources[0])
    assert (one["object"], one["pipeline"], one["generation"]) == (sources[0], "orders", 2), one
    same(world, *RIGHT, *RIGHT)
    rest = world.did("retract", below)
    assert [one["object"] for one in rest["objects"]] == sources[1:], rest
    same(world)
    assert world.did("quarantine", "list", "orders")["open"] == 0
    assert world.did("backfill", below)["to_take"] == []
    assert world.refused("retract", below, code="nothing_to_retract") == 1
    world.did("run", sources[0], "--again", code=3)
    same(world, *RIGHT)
