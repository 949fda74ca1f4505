"""The function as deployed, one case a function: `aws_cases.py CASE --ministack URL --zip FILE …`.

A case ends without a word when all is as it should be. `tests/e2e/aws.rs` runs each of them; `--list` says
which there are.
"""

import argparse
import inspect
import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import check_lake
import duckdb
import pyarrow
from aws_read import Table, folder_rows
from aws_rig import POLICY, Rig, until
from aws_runtime import Function
from check_lake import canonical

EXAMPLES = Path(__file__).parents[1] / "examples"


def pipeline(rig, name, source, spec=None, more="", catalog=True):
    """A section of `lakegate.toml` with everything that a rig has."""
    told = f'spec = "{spec}"' if spec else f'table = "{name}"'
    tables = f'[pipeline.{name}.catalog]\nkind = "glue"\ndatabase = "{rig.database}"\n' if catalog else ""
    return f"""
[pipeline.{name}]
source = "s3://{rig.raw}/{source}"
{told}
lake = "s3://{rig.lake}/"
{more}
{tables}
[pipeline.{name}.notify]
success = "{rig.topic}"
failure = "{rig.topic}"
quarantine = "{rig.topic}"
"""


def config(*pipelines):
    return "version = 1\n" + "".join(pipelines)


def spec_of(example):
    return (EXAMPLES / example / "transform.toml").read_text()


def same_rows(found, wanted, columns):
    found, wanted = canonical(found, columns), canonical(wanted, columns)
    missing, extra = [row for row in wanted if row not in found], [row for row in found if row not in wanted]
    assert found == wanted, f"{len(found)} rows, wanted {len(wanted)}; missing {missing[:3]}, too many {extra[:3]}"


# --- cases ----------------------------------------------------------------------------------------------


def direct_invoke(rig, _):
    """Zip → function → an S3 notification by hand → Parquet in the lake."""
    more = 'contract = "learn"'
    rig.deploy({"lakegate.toml": config(pipeline(rig, "orders", "orders/", "orders.toml", more, catalog=False)),
                "orders.toml": spec_of("orders")})
    example = EXAMPLES / "orders"
    answers = []
    for name in ("orders_ETL.json", "orders_ETL_february.json"):
        record = rig.put(f"orders/2025 first/{name}", (example / name).read_bytes())
        answers += rig.invoke({"Records": [record]})["objects"]
    types, wanted = check_lake.expect_orders(example)["orders"]
    same_rows(folder_rows(rig, "orders"), wanted, list(types))
    assert [one["state"] for one in answers] == ["made", "made"], answers
    assert sum(one["rows"] for one in answers) == len(wanted), answers
    assert rig.open_uploads() == []
    assert rig.invoke({"Records": [record]})["objects"][0]["duplicate"]



def pipelines_of_the_examples(rig):
    """Configuration and specs of all five, each with a prefix, a folder of the lake and tables of its own."""
    learn = 'contract = "learn"'
    sections, files = [], {}
    for name, source, catalog, more in (
        ("orders", "orders_json_incoming/", "glue", learn),
        ("orders-staged", "raw_orders_data/", "crawler", ""),
        ("orders-auto", "auto/", "glue", f'{learn}\ntable = "orders"'),
        ("orders-contract", "contract/", "glue", ""),
        ("sales", "sales/orders/", "glue", 'suffix = ".csv"'),
    ):
        tables = f'kind = "glue"\ndatabase = "{rig.database}"'
        if prefix_of(name):
            tables += f'\ntable_prefix = "{prefix_of(name)}"'
        if catalog == "crawler":
            tables = f'kind = "crawler"\ncrawler = "{rig.crawler}"'
        if name != "orders-auto":
            files[f"specs/{name}.toml"] = spec_of(name)
            more += f'\nspec = "specs/{name}.toml"'
        sections.append(f"""
[pipeline.{name}]
source = "s3://{rig.raw}/{source}"
lake = "s3://{rig.lake}/{name}/"
{more}
[pipeline.{name}.catalog]
{tables}
[pipeline.{name}.notify]
success = "{rig.topic}"
failure = "{rig.topic}"
quarantine = "{rig.topic}"
""")
    # The question that the pipeline was built for names the table so.
    files["specs/sales.toml"] = files["specs/sales.toml"].replace('name = "sales"', 'name = "processed_orders"')
    return files | {"lakegate.toml": config(*sections)}


def prefix_of(pipeline):
    return "" if pipeline == "sales" else pipeline.replace("-", "_") + "_"


def objects_of_the_examples():
    """(key, file) of every raw file."""
    for example, prefix, pattern in (
        ("orders", "orders_json_incoming/", "*.json"),
        ("orders-staged/raw_orders_data", "raw_orders_data/", "*"),
        ("orders-auto", "auto/", "*.json"),
        ("orders-contract", "contract/", "orders.ndjson"),
        ("sales/sales/orders", "sales/orders/", "**/*.csv"),
    ):
        folder = EXAMPLES / example
        for path in sorted(folder.glob(pattern)):
            yield f"{prefix}{path.relative_to(folder)}", path


def expected_of_the_examples():
    """(pipeline, table, types, rows) as plain Python reads them from the raw files."""
    for example, expect in check_lake.EXPECTED.items():
        folder = EXAMPLES / example
        with tempfile.TemporaryDirectory() as copy:
            if example == "orders-contract":  # nobody mends the record in quarantine here
                shutil.copy(folder / "orders.ndjson", copy)
                (Path(copy) / "fixed.ndjson").touch()
                folder = Path(copy)
            for table, (types, rows) in expect(folder).items():
                yield example, "processed_orders" if example == "sales" else table, types, rows


def examples_as_deployed(rig, _):
    """put_object → notification → SQS → function → Parquet → Glue or crawler → SNS, for the five pipelines."""
    rig.make_catalog()
    rig.make_crawler()
    queue = rig.queue("events", {"VisibilityTimeout": "600"})
    rig.deploy(pipelines_of_the_examples(rig), queue)
    rig.notify_queue(queue)
    objects = list(objects_of_the_examples())
    for key, path in objects:
        rig.s3.upload_file(str(path), rig.raw, key)
    # One for each object, and one for the quarantine of `orders-contract` and of each bad file of sales.
    notices = rig.received(len(objects))
    until("the queue to be empty", lambda: left(rig, queue) == 0)
    notices += rig.received()
    told = {(body["event"], attributes["pipeline"]) for _, body, attributes in notices}
    assert {pipeline for event, pipeline in told if event == "success"} == set(check_lake.EXPECTED), told
    assert not [body for _, body, _ in notices if body["event"] == "failure"], notices
    assert ("quarantine", "orders-contract") in told, told
    for example, name, types, wanted in expected_of_the_examples():
        if example == "orders-staged":
            crawler = rig.client("glue").get_crawler(Name=rig.crawler)["Crawler"]
            # It was started: it still runs, or it has run.
            assert crawler["State"] != "READY" or crawler.get("LastCrawl"), crawler
            same_rows(folder_rows(rig, f"{example}/{name}"), wanted, list(types))
            continue
        table = Table(rig, prefix_of(example) + name)
        assert table.types == types, (example, table.types, types)
        table.check_partitions()
        same_rows(table.rows(), wanted, list(types))
    ask_the_questions(rig, [row for name, _, _, rows in expected_of_the_examples() if name == "sales" for row in rows])
    assert rig.open_uploads() == []
    only_documented_calls(rig)


def ask_the_questions(rig, sales):
    """The sales pipeline's own questions, verbatim but for the table's name, over what Glue lists."""
    def answers(rows, table):
        rows = pyarrow.Table.from_pylist(rows)
        connection = duckdb.connect()
        connection.register(table, rows)
        questions = (EXAMPLES / "sales/queries.sql").read_text().replace("FROM sales", f"FROM {table}")
        return [connection.sql(one).fetchall() for one in questions.split(";") if one.strip()]

    asked = answers(Table(rig, "processed_orders").rows(), "processed_orders")
    assert asked == answers(sales, "sales") and asked[0], asked


def left(rig, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = rig.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def only_documented_calls(rig):
    """The role has the documented policy and nothing was refused; here is that nothing else was even tried."""
    documented = {
        action for statement in json.loads(POLICY.read_text())["Statement"] for action in statement["Action"]
    }
    # What S3 calls its operations, where the permission has another name.
    permission = {
        "s3:HeadObject": "s3:GetObject",
        "s3:CreateMultipartUpload": "s3:PutObject",
        "s3:UploadPart": "s3:PutObject",
        "s3:CompleteMultipartUpload": "s3:PutObject",
        "s3:ListObjectsV2": "s3:ListBucket",
        "s3:ListObjects": "s3:ListBucket",
        "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
        "s3:HeadBucket": "s3:ListBucket",
    }
    calls = rig.calls()
    assert any(name.startswith("s3:") for name in calls), calls
    others = {name: times for name, times in calls.items() if permission.get(name, name) not in documented}
    assert not others, f"undocumented calls: {others}"


def event_bridge(rig, _):
    """EventBridge keys come raw: a plus and a space stay what they are."""
    rig.make_catalog()
    queue = rig.queue("events", {"VisibilityTimeout": "600"})
    text = config(pipeline(rig, "orders", "orders/", "orders.toml", 'contract = "learn"'))
    rig.deploy({"lakegate.toml": text, "orders.toml": spec_of("orders")}, queue)
    rig.notify_event_bridge(queue)
    example = EXAMPLES / "orders"
    key = "orders/a+b c%2Fd/orders_ETL.json"
    rig.put(key, (example / "orders_ETL.json").read_bytes())
    rig.put("orders/second.json", (example / "orders_ETL_february.json").read_bytes())
    notices = rig.received(2)
    objects = {body["source"]["uri"] for _, body, _ in notices}
    assert f"s3://{rig.raw}/{key}" in objects, notices
    types, wanted = check_lake.expect_orders(example)["orders"]
    table = Table(rig, "orders")
    assert table.types == types, table.types
    same_rows(table.rows(), wanted, list(types))


def numbered(records, bytes_each, bad=(), days=3):
    """NDJSON that does not compress, so that part files reach the size of a multipart's part."""
    noise = [os.urandom(bytes_each // 2).hex() for _ in range(records)]
    rows = [{"id": n, "day": f"2025-01-0{n % days + 1}", "noise": noise[n]} for n in range(records)]
    lines = ["nonsense" if row["id"] in bad else json.dumps(row) for row in rows]
    return "\n".join(lines).encode(), [row for row in rows if row["id"] not in bad]


NUMBERED = """
[output]
max_rejected = "50%"

[[table]]
name = "numbered"
mode = "freeze"
partition_by = ["day"]

[[table.column]]
name = "id"
type = "bigint"

[[table.column]]
name = "noise"
type = "string"

[[table.column]]
name = "day"
type = "string"
"""


def numbered_files(rig, **more):
    text = config(pipeline(rig, "numbered", "in/", "numbered.toml", **more))
    return {"lakegate.toml": text, "numbered.toml": NUMBERED}


def duplicates_at_once(rig, _):
    """Sixteen deliveries of one object at once: one commit, each row once, nothing left open."""
    rig.make_catalog()
    rig.deploy(numbered_files(rig))
    body, wanted = numbered(1200, 12000, bad=(7,), days=1)
    record = rig.put("in/once.ndjson", body)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: rig.invoke({"Records": [record]}), range(16)))
    states = [answer["objects"][0]["state"] for answer in answers if "objects" in answer]
    assert len(states) == 16, answers
    # Whoever finds a commit that is not done yet completes it: any number of them may.
    assert states.count("made") == 1 and set(states) <= {"made", "nothingToDo", "rolledForward"}, states
    assert len(rig.commits()) == 1, rig.commits()
    table = Table(rig, "numbered")
    same_rows(table.rows(), wanted, ["id", "noise", "day"])
    assert rig.open_uploads() == []
    again = rig.invoke({"Records": [record, record]})["objects"]
    assert [one["duplicate"] for one in again] == [True, True], again


POINTS = (
    "mid-stage after-stage before-commit after-commit mid-publish after-publish "
    "after-catalog after-notify before-done after-done"
).split()


BEFORE_COMMIT = POINTS[:3]


def killed_at_each_point(rig, _):
    """The process dies at a named point and the event comes again: rows exact, one commit, nothing left open."""
    rig.make_catalog()
    files = numbered_files(rig)
    wanted = []
    for number, point in enumerate(POINTS):
        # Files of one part and of several: those are kept in memory, these in uncompleted uploads.
        body, rows = numbered(1200, 12000, bad=(3,), days=1) if number % 2 else numbered(60, 200, bad=(3,))
        record = rig.put(f"in/{point}.ndjson", body)
        with Function(rig, files, {"LAKEGATE_CRASH_AT": point}) as function:
            assert function.call({"Records": [record]}) is None, f"{point}: it lives\n{function.said()}"
        with Function(rig, files) as function:
            answer = function.call({"Records": [record]})
            assert answer and answer.get("objects"), f"{point}: {answer}\n{function.said()}"
            again = function.call({"Records": [record]})
            assert again["objects"][0]["duplicate"], f"{point}: {again}"
        wanted += rows
        same_rows(Table(rig, "numbered").rows(of=f"/{point}-"), rows, ["id", "noise", "day"])
        assert len(rig.commits()) == number + 1, f"{point}: {rig.commits()}"
        # Killed before the commit, its uploads belong to nobody: the bucket's rule for stale multiparts ends them.
        orphans = [key for key in rig.open_uploads() if not any(f"/{one}-" in key for one in BEFORE_COMMIT)]
        assert orphans == [], f"{point}: {orphans}"
    same_rows(Table(rig, "numbered").rows(), wanted, ["id", "noise", "day"])
    told = {body["source"]["uri"] for _, body, _ in rig.received(len(POINTS)) if body["event"] == "success"}
    assert len(told) == len(POINTS), told


def bad_input(rig, _):
    """Bad input is recorded, told and not tried again; the object beside it in the batch is not held up."""
    rig.make_catalog()
    queue = rig.queue("events", {"VisibilityTimeout": "600"})
    failed = f'[pipeline.numbered.failed]\ncopy_to = "s3://{rig.lake}/failed/"'
    files = numbered_files(rig)
    files["lakegate.toml"] += failed
    rig.deploy(files, queue)
    rig.notify_queue(queue, "in/")
    body, wanted = numbered(10, 100)
    rig.put("in/bad.json", b'[{"id": 1, "day": "2025-01-01", ')
    rig.put("in/good.ndjson", body)
    notices = rig.received(2)
    until("the queue to be empty", lambda: left(rig, queue) == 0)
    events = {body["event"]: body for _, body, _ in notices}
    assert events["failure"]["source"]["uri"].endswith("/in/bad.json"), notices
    assert events["success"]["source"]["uri"].endswith("/in/good.ndjson"), notices
    for subject, body, attributes in notices:
        assert subject and len(subject) <= 100, subject
        assert attributes["pipeline"] == "numbered", attributes
    same_rows(Table(rig, "numbered").rows(), wanted, ["id", "noise", "day"])
    assert rig.keys("failed/") == ["failed/in/bad.json"], rig.keys("failed/")
    # A state machine that asks for one object gets an error that it can catch by name.
    answer = rig.invoke({"bucket": rig.raw, "key": "in/bad.json"})
    assert answer["errorType"] == "Lakegate.BadInput", answer


def what_is_missing_is_named(rig, _):
    """Denied, missing bucket, missing crawler: the message has the resource, the call and the permission to add."""
    record = rig.put("in/x.ndjson", numbered(3, 20)[0])
    files = numbered_files(rig, catalog=False)
    rig.deploy(files, without=("Lake",))
    assert_says(rig.invoke({"Records": [record]}), "s3:HeadObject", rig.lake, "allow s3:")

    other = f"{rig.lake}-elsewhere"
    files["lakegate.toml"] = config(pipeline(rig, "numbered", "in/", "numbered.toml", catalog=False)).replace(
        f"s3://{rig.lake}/", f"s3://{other}/"
    )
    with Function(rig, files) as function:
        assert_says(function.call({"Records": [record]}), other)

    crawler = f'[pipeline.numbered.catalog]\nkind = "crawler"\ncrawler = "{rig.crawler}"\n'
    files["lakegate.toml"] = config(pipeline(rig, "numbered", "in/", "numbered.toml", catalog=False)) + crawler
    with Function(rig, files) as function:
        assert_says(function.call({"Records": [record]}), rig.crawler, "glue:StartCrawler")


def assert_says(answer, *words):
    text = json.dumps(answer)
    lacking = [word for word in words if word not in text]
    assert "errorType" in answer and not lacking, f"no {lacking} in {answer}"


class Command:
    """`lakegate`, by hand, through the deployed configuration."""

    def __init__(self, rig, arguments, files):
        self.folder = tempfile.TemporaryDirectory()
        self.binary = arguments.lakegate
        for name, text in files.items():
            path = Path(self.folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        self.environment = os.environ | keys | {"AWS_ENDPOINT_URL": rig.endpoint, "NO_COLOR": "1"}

    def __call__(self, *words, code=0):
        ran = subprocess.run(
            [self.binary, *words], cwd=self.folder.name, env=self.environment, capture_output=True, text=True
        )
        assert ran.returncode == code, f"{words} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return json.loads(ran.stdout) if "--json" in words and ran.stdout else ran.stdout + ran.stderr


def by_hand(rig, arguments):
    """run, backfill, pause, resume, retract and status through `lakegate.toml`."""
    rig.make_catalog()
    files = numbered_files(rig)
    lakegate = Command(rig, arguments, files)
    wanted = {}
    for name in ("a", "b", "c"):
        body, wanted[name] = numbered(20, 50)
        rig.put(f"in/{name}.ndjson", body)

    def rows(*names):
        same_rows(Table(rig, "numbered").rows(), [row for name in names for row in wanted[name]], ["id", "noise", "day"])

    uri = f"s3://{rig.raw}/in/"
    ran = lakegate("run", f"{uri}a.ndjson", "--config", "lakegate.toml", "--json")
    assert [one["state"] for one in ran["objects"]] == ["made"], ran
    rows("a")
    dry = lakegate("backfill", uri, "--config", "lakegate.toml", "--dry-run", "--json")
    assert dry["to_take"] == [f"{uri}b.ndjson", f"{uri}c.ndjson"] and dry["done"] == 1, dry
    rows("a")
    lakegate("pause", "numbered")
    rig.deploy(files)
    record = rig.put("in/b.ndjson", rig.s3.get_object(Bucket=rig.raw, Key="in/b.ndjson")["Body"].read())
    assert rig.invoke({"Records": [record]})["objects"][0]["state"] == "paused"
    rows("a")
    lakegate("resume", "numbered")
    assert lakegate("backfill", uri, "--json")["failed"] == 0
    rows("a", "b", "c")
    lakegate("retract", f"{uri}b.ndjson")
    rows("a", "c")
    # The event once more does not bring them back.
    lakegate("backfill", uri)
    rows("a", "c")
    status = lakegate("status", f"{uri}a.ndjson")
    assert "numbered" in status, status
    text = lakegate("run", f"s3://{rig.raw}/in/missing.ndjson")
    assert "not there" in text, text


def another_catalog_and_another_s3(_, arguments):
    """moto has the second say about sizes of parts and about the catalog."""
    rig = Rig(arguments.moto, "moto", arguments.zip)
    rig.make_catalog()
    lakegate = Command(rig, arguments, numbered_files(rig))
    wanted = []
    for name in ("a", "b"):
        body, rows = numbered(3000, 16000, bad=(5,))
        rig.put(f"in/{name}.ndjson", body)
        wanted += rows
        ran = lakegate("run", f"s3://{rig.raw}/in/{name}.ndjson", "--json", code=3)
        assert ran["rejected"] == 1, ran
    table = Table(rig, "numbered")
    table.check_partitions()
    assert table.types == {"id": "bigint", "noise": "string", "day": "string"}, table.types
    same_rows(table.rows(), wanted, ["id", "noise", "day"])
    assert rig.open_uploads() == []


CASES = {
    name: case for name, case in list(globals().items()) if inspect.isfunction(case)
    and list(inspect.signature(case).parameters) in (["rig", "_"], ["rig", "arguments"], ["_", "arguments"])
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=sorted(CASES))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--ministack")
    parser.add_argument("--moto")
    parser.add_argument("--zip", type=Path)
    parser.add_argument("--lakegate", type=Path)
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(CASES))
        return
    rig = Rig(arguments.ministack, arguments.case, arguments.zip)
    try:
        CASES[arguments.case](rig, arguments)
    except BaseException:
        print(f"--- the function's log\n{rig.said()}\n---")
        raise


if __name__ == "__main__":
    main()
