"""Bad releases as deployed: every damage of a registry below a function that runs and one that starts, and pipelines
that cannot be set up at all.

The law: objects go on with the last known good release; where there is none, they are handed back, recorded by nobody,
and what is said names the piece, the release and the command that mends it. Then that command is run, and they are made.
All pipelines are those of one function and write to one table: a release that harms its neighbours is found as well.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aws_given import COLUMNS as NUMBERED_COLUMNS
from aws_given import NUMBERED, Command, assert_says, config, numbered, pipeline, same_rows
from aws_read import folder_rows
from aws_registries import BEFORE, PROMOTED, Whole, damages
from aws_releases import COLUMNS, Publisher, spec
from aws_rig import until
from aws_runtime import Function

# How long a function that runs leaves a release alone that it could not take over (`RETRY` in `follow.rs`), and that a
# pipeline which was refused is left alone (`RETRY` in `ready.rs`).
RELEASE_RETRY, PIPELINE_RETRY = 30, 10
# At most one look at a channel in this time.
LOOK = 1
TRUSTED = ("--trust", "release.key.pub")


def damage_hurts_nobody(rig, arguments):
    """Each piece of a promoted release, and the channel, in each way: promoted to a function, met at its start, in use."""
    whole = Whole(rig, arguments)
    rows = damages(whole)
    each(rows, lambda row: row.promote(BEFORE))
    files = {"lakegate.toml": config(*(row.section for row in rows))}
    with Function(rig, files, tables=["orders"]) as running:
        for row in rows:
            assert row.take(running) == BEFORE, f"{row.name}\n{running.said()}"
        each(rows, lambda row: row.promote(PROMOTED))
        for row in rows:
            if row.code == "channel_replayed":
                row.by_hand()
            row.damage()
        refused = goes_on(running, rows)
        with Function(rig, files, tables=["orders"]) as fresh:
            for row in rows:
                starts_or_says(fresh, row)
            tried = time.monotonic()
            each(rows, lambda row: row.mend())
            time.sleep(max(0, tried + PIPELINE_RETRY - time.monotonic()))
            for row in rows:
                if row.code:
                    until(f"{row.name} to start", lambda: row.take(fresh, again=True) == PROMOTED)
        time.sleep(max(0, refused + RELEASE_RETRY - time.monotonic()))
        for row in rows:
            until(f"{row.name} to take over", lambda: row.take(running) == PROMOTED)
        in_use(running, rows)
    made = [{"id": number, "made_by": version} for row in rows for number, version in row.made.items()]
    same_rows(folder_rows(rig, "orders"), made, COLUMNS)
    nothing_is_left(rig)
    for row in rows:
        print(f"{row.piece} {row.how}: {'; '.join(row.told)}")
    print(f"{len(rows)} damages, {len(made)} objects, each made once, by the release that was said")


def nothing_is_left(rig):
    """No object is recorded as one that failed, and no upload is open."""
    failures = rig.keys("_lakegate/failures/")
    assert failures == [] and rig.open_uploads() == [], (failures, rig.open_uploads())


def each(rows, do):
    """For every row, some at a time: most of it is other processes."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(do, rows))


def goes_on(running, rows):
    """A function that runs, and the release that was promoted is damaged: the one before stays, and it is said why.

    Answers when the last one was refused.
    """
    def refusals():
        return [line for line in lines(running) if line.get("stage") in ("swap_refused", "channel_refused")]

    # A document that was read before is there again: that another one was there meanwhile, the function cannot know.
    refused = [row for row in rows if row.code not in ("", "channel_replayed")]
    for row in rows:
        version = row.take(running)
        assert version == BEFORE or not row.code, f"{row.name}: {version}"
    until("all refusals", lambda: len(refusals()) >= len(refused))
    last = time.monotonic()
    for row in rows:
        if not row.code:
            until(f"{row.name} to take over", lambda: row.take(running) == PROMOTED)
            row.told.append(f"running: {PROMOTED}")
            continue
        assert row.take(running) == BEFORE, row.name
        trouble = row.news()
        assert (trouble is not None) == (row in refused), f"{row.name}: {trouble}"
        row.told.append(f"running: {BEFORE}, {trouble['code'] if trouble else 'nothing to see'}")
        if trouble:
            assert trouble["code"] in row.code.split(), f"{row.name}: {trouble}"
            said = [line for line in refusals() if trouble["message"] in line["message"]]
            assert said and said[0]["level"] == "ERROR", f"{row.name}: {trouble} is not in the log\n{running.said()}"
            row.check_says(trouble["message"], " ".join(line["hint"] for line in said))
    # Each is told once, however many objects come.
    assert len(refusals()) == len(refused), running.said()
    assert '"swapFailures"' in running.said()
    return last


def lines(function):
    return [json.loads(line) for line in function.said().splitlines() if line.startswith("{")]


def starts_or_says(fresh, row):
    """A function that starts where a piece is damaged: it goes on without what it does not need, or says what to do."""
    said = row.take(fresh)
    if not row.code:
        assert said == PROMOTED, f"{row.name}: {said}"
        row.told.append(f"fresh: {PROMOTED}")
        return
    where = f"pipeline_refused: pipeline {row.name}: "
    assert where in said, f"{row.name}: {said}"
    row.check_says(said, said)
    row.told.append(f"fresh: handed back, {said.split(where)[1].split('; ')[0]}")


def in_use(running, rows):
    """The release in use is damaged once more below a function that runs: it has no need of it, and only looks at the
    channel."""
    for row in rows:
        row.damage()
    time.sleep(LOOK)
    channels = [row for row in rows if row.piece == "channel"]
    for row in rows:
        assert row.take(running) == PROMOTED, row.name
        trouble = row.news()
        assert (trouble is not None) == (row in channels), f"{row.name}: {trouble}"
        assert not trouble or trouble["code"] in row.code.split(), f"{row.name}: {trouble}"
        row.told.append(f"in use: {PROMOTED}" + (f", {trouble['code']}" if trouble else ""))
    for row in channels:
        row.put(row.kept)
    time.sleep(LOOK)
    for row in channels:
        assert row.take(running) == PROMOTED and row.news() is None, f"{row.name}: {row.news()}"


class Beside:
    """A function with a pipeline that nothing is wrong with, and two that follow channels which cannot be used yet."""

    def __init__(self, rig, arguments):
        self.rig, self.registry = rig, f"s3://{rig.releases}/"
        files = {"shut.toml": spec("1.0.0"), "open.toml": spec("1.0.0").replace('mode = "freeze"', "")}
        # Without a configuration: with it, `promote` refuses what the function would refuse.
        self.lakegate = Command(rig, arguments, files)
        self.lakegate("keygen", "--out", "release.key")
        self.publish("waiting", "1.0.0", "shut.toml", "--first")
        self.publish("open", "1.0.0", "open.toml", *TRUSTED)
        self.promote("open", "1.0.0")
        follows = [f"""
[pipeline.{name}]
source = "s3://{rig.raw}/{name}/"
lake = "s3://{rig.lake}/"
channel = "{name}"
registry = "{self.registry}"
trust = ["release.key.pub"]
notify = {{ failure = "{rig.topic}" }}
""" for name in ("waiting", "open")]
        self.files = {
            "lakegate.toml": config(pipeline(rig, "fine", "fine/", "numbered.toml", catalog=False), *follows),
            "numbered.toml": NUMBERED,
            "release.key.pub": (Path(self.lakegate.folder.name) / "release.key.pub").read_text(),
        }

    def publish(self, name, version, text, *more):
        at = ["--registry", self.registry, "--key", "release.key"]
        self.lakegate("publish", name, "--version", version, "--spec", text, "--no-code", *at, *more)

    def promote(self, name, version):
        self.lakegate("promote", name, version, "--registry", self.registry, "--key", "release.key", *TRUSTED)


def handed_back(function, records):
    """Names of the objects that a queue is told to deliver again, out of a batch of these."""
    sent = [
        {"messageId": name, "eventSource": "aws:sqs", "body": json.dumps({"Records": [record]})}
        for name, record in records.items()
    ]
    answer = function.call({"Records": sent})
    assert answer and "batchItemFailures" in answer, f"{answer}\n{function.said()}"
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


def a_pipeline_that_is_refused_fails_alone(rig, arguments):
    """A channel without a release, and one whose release the configuration must refuse: their objects are handed back by
    name, those of the third pipeline are made; once both are mended, the same process takes them."""
    beside = Beside(rig, arguments)
    wanted = {
        "waiting": ["the channel waiting has no stable release", "`lakegate promote waiting VERSION`"],
        "open": ["the spec of open@1.0.0 leaves types to be learned", "declare every column", "`contract = \"learn\"`"],
    }
    records = {name: rig.put(f"{name}/1.ndjson", b'{"id":1}') for name in wanted}
    rows = []

    def fine(number):
        body, more = numbered(9, 100, month=number)
        rows.extend(more)
        return {"fine": rig.put(f"fine/{number}.ndjson", body)}

    with Function(rig, beside.files, tables=["orders"]) as function:
        refused = {line["pipeline"]: line for line in lines(function) if line.get("stage") == "pipeline_refused"}
        assert handed_back(function, records | fine(1)) == set(wanted), function.said()
        for name, words in wanted.items():
            answer = function.call({"Records": [records[name]]})
            assert_says(answer, "Lakegate.OwnFault", f"{name}/1.ndjson: pipeline_refused: pipeline {name}: ")
            for said in (answer["errorMessage"], f"{refused[name]['message']}; {refused[name]['hint']}"):
                assert all(word in said for word in words), f"{said}: {words}"
            print(answer["errorMessage"])
        # What helps is what was said: a promotion, and a release that declares every type.
        beside.promote("waiting", "1.0.0")
        beside.publish("open", "1.0.1", "shut.toml", *TRUSTED)
        beside.promote("open", "1.0.1")
        mended = time.monotonic()
        assert handed_back(function, fine(2)) == set()
        until("both to be taken", lambda: handed_back(function, records) == set())
        print(f"taken {time.monotonic() - mended:.1f} s after they were mended, by the process that refused them")
    same_rows(folder_rows(rig, "numbered"), rows, NUMBERED_COLUMNS)
    same_rows(folder_rows(rig, "orders"), [{"id": 1, "made_by": "1.0.0"}] * 2, COLUMNS)
    nothing_is_left(rig)
    told = [notice["event"] for _, notice, _ in rig.received(2)]
    assert told == ["success"] * 2, told
    assert '"failuresOwn":1' in function.said(), function.said()


def a_bad_canary_is_taken_back(rig, arguments):
    """A canary fails its first three objects, then takes none any more: not in this process, and not in the next one."""
    publisher = Publisher(rig, arguments)
    check = '\n[[table.check]]\nname = "none"\nsql = "id < 0"\n'
    (publisher.folder / "1.1.0.toml").write_text(spec("1.1.0") + check)
    sample = publisher.folder / "sample.ndjson"
    publisher.publish("1.0.0")
    sample.write_text('{"id":-1}\n')
    publisher.publish("1.1.0")
    publisher.promote("1.0.0")
    publisher.promote("1.1.0", "--canary", "50%", "--abort-above", "failed=20%")
    files = {"lakegate.toml": publisher.config, "release.key.pub": publisher.public}
    records = [rig.put(f"in/{number}.ndjson", json.dumps({"id": number}).encode()) for number in range(40)]

    def states(function, some):
        answers = [function.call({"Records": [record]}) for record in some]
        return [answer["objects"][0]["state"] for answer in answers], function.said()

    with Function(rig, files, tables=["orders"]) as function:
        first, said = states(function, records[:30])
        aborted = [line for line in lines(function) if line.get("stage") == "canary_aborted"]
    assert first.count("failed") == 3 and first.count("made") == 27, first
    assert len(aborted) == 1 and "3 of " in aborted[0]["message"] and aborted[0]["level"] == "ERROR", aborted
    assert '"swapFailures":1' in said, said
    with Function(rig, files, tables=["orders"]) as function:
        failed = [record for record, state in zip(records, first) if state == "failed"]
        again, said = states(function, records[30:] + failed)
    assert set(again) == {"made"} and "canary_aborted" in said, (again, said)
    made = [{"id": number, "made_by": "1.0.0"} for number in range(40)]
    same_rows(folder_rows(rig, "orders"), made, COLUMNS)
    print(aborted[0]["message"])
