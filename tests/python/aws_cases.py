"""The function as deployed, one case a function: `aws_cases.py CASE --ministack URL --zip FILE …`.

A case ends without a word when all is as it should be. `tests/e2e/aws.rs` runs each of them; `--list` says
which there are.
"""

import argparse
import inspect
import json
import sys
from pathlib import Path

import aws_batches
import aws_checks
import aws_damages
import aws_faults
import aws_limits
import aws_operator
import aws_permissions
import aws_releases
import aws_sweep
import aws_tasks
import aws_verbs
import check_lake
import duckdb
import pyarrow
import stack_backfill
import stack_cases
import stack_check
import stack_machine_cases
from aws_given import (
    COLUMNS, EXAMPLES, Command, assert_says, config, expected_of_the_examples, left, numbered, numbered_files, pipeline,
    quarantined_orders, same_rows, spec_of,
)
from aws_proxy import Proxy, longest_chain
from aws_read import Table, folder_rows
from aws_recorded import Recorder, judge
from aws_rig import Rig, until
from aws_runtime import Function


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


def examples_as_deployed(rig, arguments):
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
    quarantined_orders(rig, "orders_contract_orders_contract_quarantine")
    ask_the_questions(rig, [row for name, _, _, rows in expected_of_the_examples() if name == "sales" for row in rows])
    assert rig.open_uploads() == []
    recorded_is_all(rig, arguments.recorder.made)


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


def recorded_is_all(rig, made):
    """Nothing went past the recorder: the stand-in's own trail of the role, which lacks some, has no others."""
    names = {"ListObjects": "ListObjectsV2"}
    trail = {names.get(name, name) for name in (call.split(":")[1] for call in rig.calls())}
    recorded = {call.name.split(" ")[0] for call in made}
    assert trail and trail <= recorded, trail - recorded


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
    same_rows(Table(rig, "numbered").rows(), wanted, COLUMNS)
    assert rig.keys("failed/") == ["failed/in/bad.json"], rig.keys("failed/")
    # A state machine that asks for one object gets an error that it can catch by name.
    answer = rig.invoke({"bucket": rig.raw, "key": "in/bad.json"})
    assert answer["errorType"] == "Lakegate.BadInput", answer


def what_is_missing_is_named(rig, _):
    """Missing bucket, crawler and topic, a wrong configuration: the message has the resource and the call."""
    rig.make_catalog()
    record = rig.put("in/x.ndjson", numbered(3, 20)[0])
    good = numbered_files(rig)
    crawler = f'[pipeline.numbered.catalog]\nkind = "crawler"\ncrawler = "{rig.crawler}"\n'
    plain = numbered_files(rig, catalog=False)["lakegate.toml"]
    gone = {
        "the bucket": (f"s3://{rig.lake}/", f"s3://{rig.lake}-gone/", [f"{rig.lake}-gone", "create the bucket"]),
        "the topic": (f'success = "{rig.topic}', f'success = "{rig.topic}-gone', [f"{rig.topic}-gone", "sns:Publish"]),
        "the database": (f'"{rig.database}"', f'"{rig.database}_gone"', [f"{rig.database}_gone", "glue:"]),
        "the crawler": (good["lakegate.toml"], plain + crawler, [rig.crawler, "glue:StartCrawler"]),
        "a key": ("version = 1", "version = 1\ncolour = 7", ["colour", "lakegate.toml:2:1"]),
    }
    for what, (old, new, words) in gone.items():
        assert old in good["lakegate.toml"], what
        files = good | {"lakegate.toml": good["lakegate.toml"].replace(old, new, 1)}
        with Function(rig, files) as function:
            answer = function.call({"Records": [record]})
        assert_says(answer, "Lakegate.OwnFault", *words)
        print(f"{what}: {answer['errorMessage'][:300]}")
    # All is repaired: the same event is made, and nobody keeps it as a failed object.
    with Function(rig, good) as function:
        answer = function.call({"Records": [record]})
    assert answer["objects"][0]["state"] in ("made", "rolledForward", "nothingToDo"), answer
    assert rig.keys("_lakegate/failures/") == [], rig.keys("_lakegate/failures/")


def what_is_denied_is_named(_, arguments):
    """A policy without one action: the message has the resource, the call and the permission to add."""
    for action, resource in (
        ("s3:GetObject", "lake"),
        ("s3:PutObject", "lake"),
        ("s3:ListBucket", "lake"),
        ("glue:CreateTable", "database"),
        ("glue:BatchCreatePartition", "database"),
        ("sns:Publish", "topic"),
    ):
        rig = Rig(arguments.ministack, action.split(":")[1].lower(), arguments.zip)
        rig.make_catalog()
        record = rig.put("in/x.ndjson", numbered(3, 20)[0])
        rig.deploy(numbered_files(rig), without=(action,))
        answer = rig.invoke({"Records": [record]})
        assert_says(answer, "Lakegate.OwnFault", action, getattr(rig, resource), f"allow {action} on arn:aws:")
        assert rig.keys("_lakegate/failures/") == [], rig.keys("_lakegate/failures/")
        print(f"without {action}: {answer['errorMessage'][:300]}")


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
        same_rows(Table(rig, "numbered").rows(), [row for name in names for row in wanted[name]], COLUMNS)

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
    text = lakegate("run", f"s3://{rig.raw}/in/missing.ndjson", code=1)
    assert "there is no such object" in text, text


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
    same_rows(table.rows(), wanted, COLUMNS)
    assert rig.open_uploads() == []


def requests_of_an_object(rig, _):
    """What one object of 20 KB asks of AWS, warm, with catalog and notice; and that a re-upload asks little more."""
    rig.make_catalog()
    columns = "".join(f'[[table.column]]\nname = "{name}"\ntype = "{kind}"\n' for name, kind in
                      (("id", "bigint"), ("day", "string"), ("noise", "string")))
    files = {"lakegate.toml": config(pipeline(rig, "plain", "in/", "plain.toml")),
             "plain.toml": f'[[table]]\nname = "plain"\nmode = "freeze"\n{columns}'}
    with Proxy(rig.through) as proxy, Function(rig, files, {"AWS_ENDPOINT_URL": proxy.url}) as function:

        def asked(name, month):
            body, _ = numbered(20, 1000 - 50, month=month)
            record = rig.put(f"in/{name}.ndjson", body)
            proxy.calls = []
            answer = function.call({"Records": [record]})
            assert answer["objects"][0]["state"] in ("made", "replaced"), answer
            # Whether the pipeline is held is asked once a second, however many objects come.
            return [call for call in proxy.calls if "/_lakegate/paused/" not in call[1]]

        def told(calls):
            return "\n".join(f"{operation} {path}" for operation, path, _, _ in calls)

        asked("first", 1)  # starts the function, makes lake and table
        proxy.delay = 0.1
        before = len(function.said().encode())
        first = asked("one", 1)
        logged = len(function.said().encode()) - before
        kinds = [operation for operation, _, _, _ in first]
        chain = longest_chain(first)
        assert len(first) <= 9 and kinds.count("s3:PutObject") <= 3, told(first)
        assert "s3:ListObjectsV2" not in kinds and "s3:HeadObject" not in kinds, told(first)
        assert chain <= 6, f"{chain}:\n{told(first)}"
        again = asked("one", 2)
        assert len(again) <= len(first) + 4, told(again)
        for month in range(3, 13):
            late = asked("one", month)
        assert len(late) <= len(first) + 4, told(late)
        print(
            f"requests: {len(first)} for a first delivery, {kinds.count('s3:PutObject')} of them PUT, at most {chain} "
            f"one after the other; {len(again)} for a re-upload, {len(late)} for the eleventh; {logged} bytes of log"
        )


CASES = {
    name: case
    for module in (
        sys.modules[__name__], aws_batches, aws_checks, aws_damages, aws_faults, aws_limits, aws_operator,
        aws_permissions, aws_releases, aws_sweep, aws_tasks, aws_verbs, stack_backfill, stack_cases, stack_check, stack_machine_cases,
    )
    for name, case in list(vars(module).items())
    if inspect.isfunction(case) and case.__module__ == module.__name__
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
    arguments.cases = set(CASES)
    rig = Rig(arguments.ministack, arguments.case, arguments.zip)
    with Recorder(arguments.ministack) as arguments.recorder:
        rig.through = arguments.recorder.url
        try:
            CASES[arguments.case](rig, arguments)
        except BaseException:
            print(f"--- the function's log\n{rig.said()}\n---")
            raise
    # Each object of a sweep has a lake of its own, on prefixes that no configuration of the rig names.
    if CASES[arguments.case].__module__ != aws_sweep.__name__:
        judge(arguments.case, rig, arguments.recorder.made)


if __name__ == "__main__":
    main()
