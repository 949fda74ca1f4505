"""Cases of trouble: killed, throttled, reset, torn, answered by nobody, delivered sixteen times at once.

Whatever happens, the rows are exact for readers that are not of this project, each object has one commit
with one done mark, and the bucket has no open upload. `aws_cases.py` runs them.
"""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from aws_flaky import Flaky
from aws_given import COLUMNS, assert_says, config, numbered, numbered_files, of_both_kinds, pipeline, same_rows
from aws_proxy import Proxy, Rule
from aws_read import Table
from aws_runtime import Function

POINTS = (
    "mid-stage after-stage before-commit after-commit mid-publish after-publish "
    "after-catalog after-notify before-done after-done"
).split()


def exact(rig, wanted, objects, told=""):
    """Rows as wanted, one commit and one done mark an object, no upload left open."""
    same_rows(Table(rig, "numbered").rows(), wanted, COLUMNS)
    marks = rig.keys("_lakegate/loads/pipeline=")
    assert len(rig.commits()) == objects, f"{told}: {rig.commits()}"
    # `…-<object>-<generation>.json` of `…/<object>/<generation>.json`.
    assert sorted(key.split("-")[-2:] for key in marks) == sorted(
        key.split("/")[-2:] for key in rig.commits()
    ), f"{told}: {marks}"
    assert rig.open_uploads() == [], f"{told}: {rig.open_uploads()}"


def killed_at_each_point(rig, _):
    """SIGKILL at a named point, then the event again: rows exact, one commit, nothing left open."""
    rig.make_catalog()
    files = numbered_files(rig)
    wanted, left_open = [], 0
    for number, point in enumerate(POINTS):
        body, rows = of_both_kinds()
        record = rig.put(f"in/{point}.ndjson", body)
        with Function(rig, files, {"LAKEGATE_CRASH_AT": point}) as function:
            assert function.call({"Records": [record]}) is None, f"{point}: it lives\n{function.said()}"
            assert function.process.returncode == -signal.SIGKILL, f"{point}: {function.process.returncode}"
        left_open += len(rig.open_uploads())
        with Function(rig, files) as function:
            answer = function.call({"Records": [record]})
            assert answer and answer.get("objects"), f"{point}: {answer}\n{function.said()}"
            again = function.call({"Records": [record]})
            assert again["objects"][0]["duplicate"], f"{point}: {again}"
        wanted += rows
        same_rows(Table(rig, "numbered").rows(of=f"/{point}-"), rows, COLUMNS)
        assert len(rig.commits()) == number + 1, f"{point}: {rig.commits()}"
        assert rig.open_uploads() == [], f"{point}: {rig.open_uploads()}"
    exact(rig, wanted, len(POINTS))
    told = {body["source"]["uri"] for _, body, _ in rig.received(len(POINTS)) if body["event"] == "success"}
    assert len(told) == len(POINTS), told
    # Some points lie where uploads are open: else nothing of the above was a test of closing them.
    assert left_open > 0
    print(f"killed at {len(POINTS)} points, {left_open} uploads were open then, {len(wanted)} rows exact")


def duplicates_at_once(rig, _):
    """Sixteen deliveries of one object at once: one commit, each row once, nothing left open."""
    rig.make_catalog()
    rig.deploy(numbered_files(rig))
    body, wanted = numbered(800, 12000, bad=(7,), days=1)
    record = rig.put("in/once.ndjson", body)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: rig.invoke({"Records": [record]}), range(16)))
    states = [answer["objects"][0]["state"] for answer in answers if "objects" in answer]
    assert len(states) == 16, answers
    # Whoever finds a commit that is not done yet completes it: any number of them may.
    assert states.count("made") == 1 and set(states) <= {"made", "nothingToDo", "rolledForward"}, states
    exact(rig, wanted, 1, "sixteen at once")
    again = rig.invoke({"Records": [record, record]})["objects"]
    assert [one["duplicate"] for one in again] == [True, True], again
    print(f"16 deliveries at once: {states.count('made')} made it, {len(wanted)} rows exact, one commit")


class Slowed(Rule):
    """Each so-manieth request to S3 is answered by SlowDown, and never asked."""

    def __init__(self, each):
        body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        super().__init__("s3:", answer=(503, body))
        self.each, self.seen, self.count = each, 0, 0

    def takes(self, operation, path):
        self.seen += operation.startswith("s3:")
        slow = operation.startswith("s3:") and self.seen % self.each == 0
        self.count += slow
        return slow


def sixteen_functions_at_once(rig, _):
    """Sixteen objects at once, each with a column that no other has: one contract, one table, one day, and SlowDown."""
    rig.make_catalog()
    text = config(pipeline(rig, "numbered", "in/", None, 'contract = "learn"'))
    wanted, columns = [], ["id", "noise", "day"] + [f"only_{number}" for number in range(16)]
    records = []
    for number in range(16):
        _, rows = numbered(50, 100, days=1)
        rows = [row | {"id": 100 * number + row["id"], f"only_{number}": row["id"]} for row in rows]
        records.append(rig.put(f"in/{number}.ndjson", "\n".join(json.dumps(row) for row in rows).encode()))
        wanted += [dict.fromkeys(columns) | row for row in rows]
    files = {"lakegate.toml": text}
    slowed = Slowed(5)
    with Proxy(rig.endpoint, [slowed]) as proxy, ExitStack() as all_ended, ThreadPoolExecutor(16) as pool:
        one = lambda _: Function(rig, files, {"AWS_ENDPOINT_URL": proxy.url})  # noqa: E731
        functions = [all_ended.enter_context(function) for function in map(one, range(16))]
        list(pool.map(lambda n: delivered(functions[n], records[n], f"object {n}", most=8), range(16)))
    table = Table(rig, "numbered")
    same_rows(table.rows(), wanted, columns)
    assert table.types["only_0"] == "bigint" and len(table.types) == len(columns), table.types
    assert len(rig.commits()) == 16 and rig.open_uploads() == [] and slowed.count > 16, (rig.commits(), slowed.count)
    print(f"16 functions at once: {len(wanted)} rows exact in {len(columns)} columns, {slowed.count} requests slowed down")


def faults(rig):
    """(name, rules of microburst). An SDK gives a request five attempts; none of these fails five times."""
    now_and_then, often = {"sequence": {"fail": 1, "pass": 2}}, {"sequence": {"fail": 2, "pass": 1}}
    s3, glue, get = {"service": "s3"}, {"service": "glue"}, {"operation": "GetObject"}
    cut = {"request": {"cut_upload": {"after_frac": 0.5}}}
    return (
        ("SlowDown", [s3 | now_and_then | {"error": {"code": "SlowDown", "status": 503}}]),
        ("reset", [s3 | now_and_then | {"reset": True}]),
        ("torn GET", [s3 | get | often | {"response": {"abort_frac": 0.5}}]),
        # The body ends half way as if that were all of it.
        ("short GET", [s3 | get | often | {"resource": rig.raw, "response": {"truncate_frac": 0.5}}]),
        # Parts of an upload, too: they are PUTs to it.
        ("torn PUT", [s3 | now_and_then | {"operation": "PutObject"} | cut]),
        ("throttled catalog", [glue | often | {"error": {"code": "ThrottlingException", "status": 400}}]),
    )


def throttled_reset_and_torn(rig, _):
    """SlowDown, resets, and bodies cut short on the way: rows exact, nothing twice, nothing left open."""
    rig.make_catalog()
    files = numbered_files(rig)
    wanted, objects = [], 0
    for name, rules in faults(rig):
        begun = time.monotonic()
        with Flaky(rig.endpoint, rules) as flaky, Function(rig, files, {"AWS_ENDPOINT_URL": flaky.url}) as function:
            body, rows = of_both_kinds()
            deliveries = delivered(function, rig.put(f"in/{objects}.ndjson", body), name)
            fired = flaky.fired()
        wanted += rows
        objects += 1
        exact(rig, wanted, objects, name)
        hits = sum(fired.values())
        assert hits >= 3, f"{name}: only {fired}"
        seconds = time.monotonic() - begun
        print(f"{name}: {hits} faults, {deliveries} deliveries, {seconds:.1f} s: {fired}")


def delivered(function, record, told, most=3):
    """Delivers until it is made, as a queue does; how many times."""
    for count in range(1, most + 1):
        answer = function.call({"Records": [record]})
        assert answer is not None, f"{told}: it died\n{function.said()}"
        if "objects" in answer:
            assert answer["objects"][0]["state"] in ("made", "rolledForward"), f"{told}: {answer}"
            return count
    raise AssertionError(f"{told}: {answer}\n{function.said()}")


# (operation, pattern of the path): what must have come through exactly once although nobody heard so.
LOST = (
    ("glue:CreateTable", ""),
    ("glue:BatchCreatePartition", ""),
    ("sns:Publish", ""),
    ("s3:PutObject", "/_lakegate/tables/numbered/schema.json$"),
    ("s3:PutObject", "/_lakegate/commits/.*json$"),
    ("s3:PutObject", "/_lakegate/loads/.*json$"),
    ("s3:PutObject", "/_lakegate/quarantine/"),
    ("s3:PutObject", "/numbered/day=.*parquet$"),
    ("s3:CreateMultipartUpload", ""),
    ("s3:UploadPart", ""),
    ("s3:CompleteMultipartUpload", ""),
)
# Asked once a table, not once an object.
FIRST = ("glue:CreateTable", "schema.json")


def lost_replies(rig, _):
    """Done, but never heard of: rows exact, one commit, nothing left open, for each kind of request."""
    rig.make_catalog()
    files = numbered_files(rig)
    wanted = []
    with Proxy(rig.through) as proxy, Function(rig, files, {"AWS_ENDPOINT_URL": proxy.url}) as function:
        rules = [Rule(operation, of) for operation, of in LOST]
        first = [rule for rule in rules if any(word in rule.operation + rule.of for word in FIRST)]
        rounds = [first] + [[rule] for rule in rules if rule not in first]
        for number, proxy.rules in enumerate(rounds):
            told = ", ".join(f"{rule.operation} {rule.of}".strip() for rule in proxy.rules)
            large = "Upload" in told
            make = of_both_kinds if large else lambda bad, month: numbered(20, 200, bad, month=month)
            body, rows = make(bad=(3,), month=number + 1)
            deliveries = delivered(function, rig.put(f"in/{number}.ndjson", body), told)
            wanted += rows
            for rule in proxy.rules:
                assert len(rule.hits) == 1 and rule.hits[0] < 300, f"{rule.operation} {rule.of}: {rule.hits}"
            exact(rig, wanted, number + 1, told)
            print(f"lost the reply to {told}: {deliveries} deliveries, {len(rows)} rows exact")
    events = [body["event"] for _, body, _ in rig.received(number + 1)]
    assert events.count("success") in (len(rounds), len(rounds) + 1), events


KEY = "arn:aws:kms:us-east-1:000000000000:key/1f2e3d4c-0000-4000-8000-00000000abcd"


def key_is_denied(action):
    """What S3 answers to who may write the object but not use its key."""
    said = (
        "User: arn:aws:sts::000000000000:assumed-role/lakegate/lakegate is not authorized to perform: "
        f"{action} on resource: {KEY} because no identity-based policy allows the {action} action"
    )
    return 403, f"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>{said}</Message></Error>"


def a_denied_key_is_named(rig, _):
    """Whatever asks for the KMS key first: the message has key, call and permission; repaired, it is made."""
    rig.make_catalog()
    files = numbered_files(rig)
    wanted, made = [], 0
    with Proxy(rig.through) as proxy, Function(rig, files, {"AWS_ENDPOINT_URL": proxy.url}) as function:
        for operation, bucket, action, (body, rows) in (
            ("s3:PutObject", rig.lake, "kms:GenerateDataKey", numbered(20, 200, month=1)),
            ("s3:CreateMultipartUpload", rig.lake, "kms:GenerateDataKey", of_both_kinds(month=2)),
            ("s3:GetObject", rig.raw, "kms:Decrypt", numbered(20, 200, month=3)),
        ):
            record = rig.put(f"in/{made}.ndjson", body)
            rule = Rule(operation, f"^/{bucket}/", times=1000, answer=key_is_denied(action))
            proxy.rules = [rule]
            answer = function.call({"Records": [record]})
            assert_says(answer, operation, KEY, f"allow {action}")
            assert rule.hits, operation
            assert len(rig.commits()) == made and rig.open_uploads() == [], (rig.commits(), rig.open_uploads())
            proxy.rules = []
            assert delivered(function, record, operation) == 1
            wanted += rows
            made += 1
            exact(rig, wanted, made, operation)
            print(f"{operation} refused {len(rule.hits)} times: {answer['errorType']}: {answer['errorMessage'][:400]}")
