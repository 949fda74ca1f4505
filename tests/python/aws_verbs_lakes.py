"""Cases of `aws_verbs.py`: verbs that look at a lake or change it."""

import gzip
import json
from io import BytesIO

import history_tables
import pyarrow.parquet
from aws_verbs_given import (
    CLEAN, LATER, MENDED, MIXED, RIGHT, WRONG, by_release, deployed, lines, loaded, released, same, spec
)

# --- run, serve ---------------------------------------------------------------------------------------


def run_by_hand(world):
    """An object and a prefix, with a spec in the same home; the same again does nothing."""
    made = loaded(world)
    assert (made["records"], made["accepted"], made["rejected"], made["failed"]) == (3, 2, 1, 0), made
    assert [one["state"] for one in made["sources"]] == ["made"], made
    same(world, *RIGHT)
    world.put("raw/b.ndjson", lines(LATER))
    world.put("raw/_hidden.ndjson", lines(LATER))
    told = ("--spec", world.place("specs/orders.toml"), "--lake", world.lake())
    again = world.did("run", world.place("raw/"), *told, code=3)
    assert (again["unchanged"], again["accepted"], again["failed"]) == (1, 1, 0), again
    same(world, *RIGHT, LATER)
    world.did("run", world.place("raw/b.ndjson"), *told, "--again")
    same(world, *RIGHT, LATER)


def run_from_here(world):
    """A file of this machine into the lake, and an object into a lake of this machine."""
    world.file("here.ndjson", CLEAN.decode())
    world.did("run", "here.ndjson", "--table", "orders", "--lake", world.lake())
    same(world, *RIGHT)
    made = world.did("run", world.source("any/x.ndjson", CLEAN), "--table", "orders", "--lake", "other")
    assert made["tables"][0]["rows_out"] == 2, made
    assert list((world.cwd / "other/orders").glob("*.parquet"))


def run_without_a_lake(world):
    """A file goes into a deployed lake only where that is named; without a name it is the folder `lake`."""
    deployed(world)
    told = (world.file("here.ndjson", CLEAN.decode()), "--spec", "orders.toml")
    world.did("preview", *told)
    world.did("run", *told)
    assert world.names("lake/") == [] and list((world.cwd / "lake/orders").glob("*.parquet"))
    # It is what is looked at then.
    assert world.did("status")["lake"] == "lake"


def run_through_pipelines(world):
    """Objects and prefixes of lakegate.toml, by its folder and by --pipeline."""
    below = deployed(world)
    one = world.did("run", world.source("in/a.ndjson", CLEAN))
    assert [(thing["state"], thing["rows"]) for thing in one["objects"]] == [("made", 2)], one
    world.source("in/b.ndjson", lines(LATER))
    more = world.did("run", below, "--pipeline", "orders")
    states = [(one["key"], one["state"]) for one in more["objects"]]
    assert states == [("in/a.ndjson", "nothingToDo"), ("in/b.ndjson", "made")], more
    same(world, *RIGHT, LATER)


def run_what_failed(world):
    """What failed comes again with a spec that takes it, by hand and through the pipelines."""
    place, strict = world.put("raw/a.ndjson", lines(*[WRONG] * 20)), world.put("strict.toml", spec(rejected="1%"))
    world.refused("run", place, "--spec", strict, "--lake", world.lake(), code="too_many_rejected")
    told = ("--lake", world.lake(), "--spec", world.put("lax.toml", spec(rejected="100%")))
    made = world.did("run", "--failed", *told, code=3)
    assert (made["records"], made["rejected"], made["failed"]) == (20, 20, 0), made
    assert world.did("status", world.lake())["failures"] == []


def run_what_failed_in_a_pipeline(world):
    """Without a word on how, it is the pipeline that takes it again, and no table is invented."""
    deployed(world)
    world.file("orders.toml", spec(rejected="1%"))
    world.run("run", world.source("in/a.ndjson", lines(RIGHT[0], *[WRONG] * 20)))
    world.file("orders.toml", spec(rejected="100%"))
    made = world.did("run", "--failed", code=3)
    assert made["rejected"] == 20, made
    assert [table["table"] for table in world.did("status", world.lake())["tables"]] == ["orders"]
    same(world, RIGHT[0])


def run_odd_names(world):
    """A name means itself, whatever is in it: nothing is decoded, and no query cut off."""
    told = ("--spec", world.put("specs/orders.toml", spec()), "--lake", world.lake("my lake"))
    names = ["with space", "plus+per%20cent", "ünï=a&b", "what?#hash", "[it's]*"]
    for number, name in enumerate(names):
        place = world.put(f"raw/odd +%/{name}.ndjson", lines(LATER | {"id": number}))
        assert world.did("run", place, *told)["accepted"] == 1, name
        commits = world.did("status", world.lake("my lake"), place)["commits"]
        assert len(commits) == 1 and world.did("inspect", world.place(f"my lake/{commits[0]['parts'][0]['key']}"))
    whole = world.did("run", world.place("raw/odd +%/"), *told)
    assert (whole["unchanged"], whole["failed"]) == (len(names), 0), whole
    same(world, *(LATER | {"id": number} for number in range(len(names))), lake="my lake")
    assert world.did("verify", world.place(world.commits("my lake")[-1]))["same"]


def run_odd_names_of_a_pipeline(world):
    """The same through a pipeline, from the run to the retraction."""
    below = deployed(world)
    source = world.source("in/a b+c%20ü?#.ndjson", CLEAN)
    world.did("run", source)
    assert world.did("status", source)["lakes"][0]["commits"][0]["source"]["uri"] == source
    assert world.did("backfill", below)["done"] == 1
    assert world.did("retract", source)["object"] == source
    same(world)


def run_compressed(world):
    """What it is shows in its bytes, not in its name."""
    text = "id,amount,day\n" + "".join(f"{row['id']},{row['amount']},{row['day']}\n" for row in RIGHT)
    place = world.put("raw/orders.data", gzip.compress(text.encode()))
    world.did("run", place, "--spec", world.put("specs/orders.toml", spec()), "--lake", world.lake())
    same(world, *RIGHT)
    assert world.did("preview", place)["compression"] == "gzip"


def run_one_lake_by_two_names(world):
    """With and without a slash at its end."""
    loaded(world, CLEAN, 0)
    bare = world.lake().rstrip("/")
    again = world.did("run", world.place("raw/a.ndjson"), "--spec", world.place("specs/orders.toml"), "--lake", bare)
    assert (again["unchanged"], again["failed"]) == (1, 0), again
    assert world.did("status", bare)["commits"] == world.did("fsck", bare)["mended"] + 1 == 1


def run_by_a_release(world):
    made = by_release(world, released(world), body=MIXED, code=3)
    assert made["sources"][0]["release"] == "orders@1.0.0", made
    same(world, *RIGHT)


def serve(world):
    """An upload over HTTP: its rows are in the table, and its raw file is in the lake."""
    with world.serve("--lake", world.lake(), "--spec", world.put("specs/orders.toml", spec())) as serving:
        commit = serving.upload("a.ndjson", MIXED)
        assert (commit["rows"], commit["rejected"], commit["generation"]) == (2, 1, 1), commit
        assert len(serving.ask("api/quarantine")["records"]) == 1
    same(world, *RIGHT)
    assert world.get("lake/_lakegate/raw/a.ndjson") == MIXED
    # Without the server the raw file is a source like any other.
    assert world.did("verify", world.place(world.commits()[0]))["same"]


def serve_a_release(world):
    registry = released(world)
    with world.serve("--lake", world.lake(), "--registry", registry, "--transform", "orders") as serving:
        assert serving.upload("a.ndjson", CLEAN)["release"] == "orders@1.0.0"
    same(world, *RIGHT)


# --- preview, init, inspect, verify -------------------------------------------------------------------


def preview(world):
    """Its receipt is that of the commit which `run` then makes; nothing is written before."""
    place, told = world.put("raw/a.ndjson", MIXED), ("--spec", world.put("specs/orders.toml", spec()))
    promise = world.did("preview", place, *told, "--lake", world.lake(), code=3)
    assert (promise["accepted"], promise["rejected"], promise["rejects"]) == (2, 1, {"type_mismatch": 1}), promise
    assert [row["id"] for row in promise["tables"][0]["rows"]] == ["1", "3"], promise
    assert world.names("lake/") == []
    made = world.did("run", place, *told, "--lake", world.lake(), code=3)["sources"][0]
    receipt = promise["receipt"]
    outputs = [{name: part[name] for name in ("table", "rows", "bytes", "digest")} for part in receipt["outputs"]]
    parts = [{name: part[name] for name in ("table", "rows", "bytes", "digest")} for part in made["parts"]]
    assert outputs == parts, (outputs, parts)
    for name in ("input", "component", "spec", "contracts"):
        assert receipt[name] == made[name], name


def preview_a_release(world):
    registry = released(world, "1.0.0", "1.1.0")
    place = world.put("raw/a.ndjson", CLEAN)
    told = world.did("preview", place, "--registry", registry, "--transform", "orders@1.1.0")
    assert told["release"] == "orders@1.1.0", told
    assert "more" in [column["name"] for column in told["tables"][0]["columns"]], told


def init(world):
    """An object and a prefix propose the same spec, with which `run` takes them."""
    place = world.put("raw/orders.ndjson", CLEAN)
    world.put("raw/more.ndjson", lines(LATER))
    proposed = world.did("init", place, world.place("raw/"), "--table", "orders")
    assert (proposed["records"], proposed["rejected"]) == (5, 0), proposed
    assert 'name = "amount"\ntype = "bigint"' in proposed["spec"], proposed["spec"]
    world.did("run", place, "--spec", world.put("proposed.toml", proposed["spec"]), "--lake", world.lake())
    same(world, *RIGHT)


def init_from_a_spec(world):
    """What a spec says stays, and the samples add to it."""
    spec = world.put("mine.toml", b'[[table]]\nname = "mine"\n\n[[table.column]]\nname = "number"\nfrom = "id"\ntype = "string"\ncast = true\n')
    told = world.did("init", world.put("raw/orders.ndjson", CLEAN), "--spec", spec)
    assert 'name = "number"\nfrom = "id"\ntype = "string"\ncast = true' in told["spec"], told["spec"]
    assert 'name = "amount"\ntype = "bigint"' in told["spec"], told["spec"]


def init_by_a_release(world):
    registry = released(world)
    told = world.did("init", world.put("raw/a.ndjson", CLEAN), "--registry", registry, "--transform", "orders")
    assert told["samples"] == 1, told


def inspect(world):
    """Columns, rows, bytes and bounds as pyarrow has them; a table as well as one file."""
    loaded(world)
    key = world.parts("orders")[0]
    one = world.did("inspect", world.place(key))
    there = pyarrow.parquet.ParquetFile(BytesIO(world.get(key)))
    table = there.read()
    assert one["rows"] == table.num_rows == 2 and one["bytes"] == len(world.get(key)), one
    assert [column["name"] for column in one["columns"]] == table.column_names, one
    for number, column in enumerate(one["columns"]):
        values = table.column(column["name"]).to_pylist()
        bounds = (str(min(values)), str(max(values)))
        assert (column["min"], column["max"], column["nulls"]) == (*bounds, 0), column
        stored = there.metadata.row_group(0).column(number).total_compressed_size
        assert column["stored_bytes"] == stored, column
    world.put("raw/b.ndjson", lines(LATER))
    world.did("run", world.place("raw/b.ndjson"), "--spec", world.place("specs/orders.toml"), "--lake", world.lake())
    whole = world.did("inspect", world.place("lake/orders/"))
    assert (whole["rows"], len(whole["files"])) == (3, 2), whole


def verify(world):
    """A commit record proves its bytes by itself; a promise does with what it names; another input does not."""
    loaded(world)
    record = world.place(world.commits()[0])
    proven = world.did("verify", record)
    assert (proven["same"], proven["files"], proven["differ"]) == (True, 1, []), proven
    told = ("--spec", world.place("specs/orders.toml"))
    promise = world.did("preview", world.place("raw/a.ndjson"), *told, code=3)
    receipt = world.put("promise.json", json.dumps(promise))
    named = (*told, "--lake", world.lake())
    assert world.did("verify", receipt, "--input", world.place("raw/a.ndjson"), *named)["same"]
    other = world.put("raw/other.ndjson", CLEAN)
    assert world.run("verify", receipt, "--input", other, *named).code == 1
    world.put("raw/a.ndjson", CLEAN)
    assert world.run("verify", record).code == 1, "the source was changed"


def verify_by_a_registry(world):
    registry = released(world)
    place = world.put("raw/a.ndjson", CLEAN)
    promise = world.did("preview", place, "--registry", registry, "--transform", "orders")
    receipt = world.put("promise.json", json.dumps(promise))
    assert world.did("verify", receipt, "--input", place, "--registry", registry)["same"]


# --- status -------------------------------------------------------------------------------------------


def status(world):
    """A lake, a table, a source, a prefix, a part file."""
    loaded(world)
    lake, part = world.lake(), world.place(world.parts("orders")[0])
    whole = world.did("status", lake)
    assert [(table["table"], table["rows"], table["files"]) for table in whole["tables"]] == [("orders", 2, 1)], whole
    assert (whole["commits"], whole["rejected"], whole["not_done"], whole["whole"]) == (1, 1, 0, True), whole
    assert world.did("status", lake, "orders")["commits"] == 1
    for subject in (world.place("raw/a.ndjson"), part):
        about = world.did("status", lake, subject)
        assert len(about["commits"]) == 1 and about["is_part_file"] == (subject == part), about
        assert about["commits"][0]["report"]["accepted"] == 2, about
    assert world.did("status", lake, world.place("raw/"))["commits"] == 1
    assert world.refused("status", lake, world.place("elsewhere/"), code="unknown_source") == 1
    assert world.refused("status", lake, world.place("raw/none.ndjson"), code="unknown_source") == 1


def sum_of(answer):
    """Of the one lake: the folder `lake` is answered for by itself, the lakes of lakegate.toml as a list."""
    return answer["lakes"][0] if "lakes" in answer else answer


def status_of_pipelines(world):
    """The same without naming a lake, by lakegate.toml."""
    below = deployed(world)
    source = world.source("in/a.ndjson", MIXED)
    world.did("run", source, code=3)
    for words in ((), ("orders",), ("--pipeline", "orders"), (below,), (world.lake(),)):
        told = sum_of(world.did("status", *words))
        assert (told["commits"], told["rejected"]) == (1, 1), (words, told)
    about = world.did("status", source)["lakes"][0]["commits"]
    assert [(commit["generation"], commit["current"]) for commit in about] == [(1, True)], about


# --- quarantine, contract, fsck -----------------------------------------------------------------------


def quarantine_list(world):
    loaded(world)
    told = world.did("quarantine", "list", "orders", "--lake", world.lake())
    assert (told["open"], told["resolved"], told["next"]) == (1, 0, None), told
    record = told["records"][0]
    assert (record["code"], record["path"], record["line"]) == ("type_mismatch", "/amount", 2), record
    assert record["source"].endswith(world.place("raw/a.ndjson")), record


def quarantine_list_of_pipelines(world):
    """By lakegate.toml, with and without the pipeline's name, in its folder and in one below."""
    deployed(world)
    world.did("run", world.source("in/a.ndjson", MIXED), code=3)
    (world.cwd / "sub").mkdir()
    for below, *words in (
        [""], ["", "--pipeline", "orders"], ["", "--config", "lakegate.toml"],
        ["sub"], ["sub", "--pipeline", "orders"], ["sub", "--config", "../lakegate.toml"],
    ):
        world.below = below
        for what in ("list", "show"):
            assert len(world.did("quarantine", what, "orders", *words)["records"]) == 1, words
        assert world.did("contract", "show", "orders", *words)["live"]
        assert world.did("fsck", *words)["findings"] == [], words
        assert sum_of(world.did("status", *words))["commits"] == 1, words


def quarantine_show(world):
    loaded(world)
    told = world.did("quarantine", "show", "orders", "--lake", world.lake())
    assert json.loads(told["records"][0]["raw"]) == WRONG, told
    again = world.did("quarantine", "show", "orders", told["records"][0]["id"], "--lake", world.lake())
    assert again == told, again


def quarantine_resubmit(world):
    """A record that is mended is in the table, and no longer open."""
    loaded(world)
    told = ("--lake", world.lake(), "--spec", world.place("specs/orders.toml"))
    again = world.did("quarantine", "resubmit", "orders", *told, code=3)
    assert (again["accepted"], again["open"]) == (0, 1), again
    world.file("mended.ndjson", lines(MENDED).decode())
    made = world.did("quarantine", "resubmit", "orders", "--from", "mended.ndjson", *told)
    assert (made["accepted"], made["resubmitted"], made["open"]) == (1, 1, 0), made
    same(world, *RIGHT, MENDED)
    listed = world.did("quarantine", "list", "orders", "--all", "--lake", world.lake())
    # That of the source, and that of the first try.
    assert (listed["open"], listed["resolved"]) == (0, 2), listed
    assert all(record["resolved_by"] for record in listed["records"]), listed


def quarantine_resubmit_by_a_release(world):
    registry = released(world)
    by_release(world, registry, body=MIXED, code=3)
    world.file("mended.ndjson", lines(MENDED).decode())
    told = ("--registry", registry, "--transform", "orders", "--lake", world.lake())
    made = world.did("quarantine", "resubmit", "orders", "--from", "mended.ndjson", *told)
    assert made["open"] == 0, made
    same(world, *RIGHT, MENDED)


def quarantine_resubmit_of_a_pipeline(world):
    deployed(world)
    world.did("run", world.source("in/a.ndjson", MIXED), code=3)
    world.file("mended.ndjson", lines(MENDED).decode())
    world.did("quarantine", "resubmit", "orders", "--from", "mended.ndjson", "--pipeline", "orders")
    same(world, *RIGHT, MENDED)


def texts(*records):
    return [record | {"amount": str(record["amount"])} for record in records]


def contract_change(world):
    """bigint becomes string: the rows are made again, and the record that was rejected for it comes too."""
    loaded(world)
    told = ("--lake", world.lake(), "--spec", world.put("specs/string.toml", spec("string")))
    changed = world.did("contract", "change", "orders", "amount", "string", *told)
    found = [changed[name] for name in ("replayed", "rows_out", "recovered", "rejected")]
    assert found == [1, 3, 1, 0], changed
    same(world, *texts(*RIGHT, WRONG))
    assert world.did("quarantine", "list", "orders", "--lake", world.lake())["open"] == 0


def contract_change_by_a_release(world):
    """With the component of a release and a spec of the new type; then a release of that type fits."""
    registry = released(world, "1.0.0", "2.0.0")
    by_release(world, registry)
    told = ("--lake", world.lake(), "--registry", registry, "--transform", "orders@1.0.0")
    changed = world.did("contract", "change", "orders", "amount", "string", *told, "--spec", world.place("specs/2.0.0.toml"))
    assert (changed["replayed"], changed["rows_out"]) == (1, 2), changed
    same(world, *texts(*RIGHT))
    world.did("promote", "orders", "2.0.0", "--registry", registry, "--lake", world.lake())
    by_release(world, registry, key="raw/b.ndjson")
    same(world, *texts(*RIGHT, *RIGHT))


def contract_show(world):
    loaded(world)
    told = world.did("contract", "show", "orders", "--lake", world.lake())
    kinds = {column["name"]: column["type"] for column in told["columns"]}
    assert kinds == {"id": "bigint", "amount": "bigint", "day": "date"}, told
    assert told["live"] and [one["digest"] for one in told["history"]] == [told["digest"]], told
    assert world.did("contract", "show", "orders", "--digest", told["digest"][:8], "--lake", world.lake()) == told


def contract_diff(world):
    loaded(world)
    world.did("contract", "change", "orders", "amount", "string", "--lake", world.lake(),
              "--spec", world.put("specs/string.toml", spec("string")))
    told = world.did("contract", "diff", "orders", "--lake", world.lake())
    assert told["changes"] == [{"what": "type", "column": "amount", "before": "bigint", "after": "string"}], told


def fsck(world):
    """A part file that was deleted is found, and made again from its source to the byte."""
    loaded(world)
    key = world.parts("orders")[0]
    whole = world.get(key)
    assert world.did("fsck", world.lake())["findings"] == []
    world.delete(key)
    seen = world.did("fsck", world.lake(), "--dry-run")
    assert len(seen["findings"]) == 1 and seen["dry_run"] and not world.parts("orders"), seen
    mended = world.did("fsck", world.lake())
    assert (mended["mended"], mended["left"]) == (1, 0), mended
    assert world.get(key) == whole
    same(world, *RIGHT)
    assert world.did("fsck", world.lake())["findings"] == []


def maintain(world):
    """A closed day becomes one Parquet file, once, and again when a line comes late; the lines stay, and status tells the same."""
    loaded(world)
    (mark,) = world.names("lake/_lakegate/loads/")
    line, day, pipeline = json.loads(world.get(mark)), mark.split("/day=")[1][:10], mark.split("pipeline=")[1].split("/")[0]
    before = world.did("status", world.lake())

    def yesterday(generation):
        """A line of a day that is over."""
        made = line | {"generation": generation, "committed": f"2025-06-30T0{generation}:00:00.000Z"}
        name = mark.rsplit("/", 1)[1].replace("-000001.json", f"-{generation:06}.json")
        world.put(f"lake/_lakegate/loads/pipeline={pipeline}/day=2025-06-30/{name}", json.dumps(made) + "\n")

    def told(*words):
        found = world.did("maintain", "--lake", world.lake(), *words)
        return [(one["day"], one["loads"], one["state"]) for one in found["days"]]

    assert told() == [], "today is not over"
    yesterday(2)
    yesterday(3)
    assert told("--dry-run") == [("2025-06-30", 2, "due")]
    assert told("--before", "2025-06-30") == []
    assert told("--before", "2025-07-01") == [("2025-06-30", 2, "rolled")]
    file = f"lake/_lakegate/history/pipeline={pipeline}/day=2025-06-30/loads.parquet"
    first = world.get(file)
    assert told() == [("2025-06-30", 2, "there")] and world.get(file) == first
    yesterday(4)
    assert told() == [("2025-06-30", 3, "rolled")] and len(world.names("lake/_lakegate/loads/")) == 4
    rows = history_tables.rolled(world.get(file))
    assert sorted(row["generation"] for row in rows) == [2, 3, 4], rows
    for row in rows:
        same = {key: row[key] for key in line if key not in ("generation", "committed", "told")}
        assert same == {key: line[key] for key in same}, (row, line)
    for key in [key for key in world.names("lake/_lakegate/loads/") if "/day=2025-06-30/" in key]:
        world.delete(key)
    assert world.did("status", world.lake()) == before and day > "2025-06-30"
    assert world.did("fsck", world.lake())["findings"] == []
    assert world.refused("maintain", "--lake", world.lake(), "--before", "soon", code="usage") == 2


def fsck_by_a_release(world):
    registry = released(world)
    by_release(world, registry)
    world.delete(world.parts("orders")[0])
    mended = world.did("fsck", world.lake(), "--registry", registry, "--transform", "orders")
    assert (mended["mended"], mended["left"]) == (1, 0), mended
    same(world, *RIGHT)
