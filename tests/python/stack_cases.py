"""Whole stacks end to end: each example behind each trigger, as `lakegate stack render` writes them.

Objects are put, and nothing else: what the template made takes them to rows, partitions and notices. Not for what a
state machine does in trouble (`stack_machine_cases.py`), nor for what the stand-in takes and does not look at
(`stack_deploy.py` lists it).
"""

import contextlib
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

from aws_given import EXAMPLES, expected_of_the_examples, quarantined_orders, same_rows
from aws_read import Table
from stack_judge import TRIGGERS
from stack_stand import LANES, Played, standing

# Of each example: folder, files, how often each is put, and the notices that come of them.
GIVEN = {
    "orders": ("orders", "*.json", 1, {"success": 2}),
    "orders-staged": ("orders-staged/raw_orders_data", "*", 1, {"success": 2}),
    "crawler-on-arrival": ("orders-auto", "*.json", 3, {"success": 3}),
    "orders-contract": ("orders-contract", "orders.ndjson", 1, {"success": 1, "quarantine": 1}),
    "sales": ("sales/sales/orders", "**/*.csv", 1, {"success": 2}),
}
# The stand-in's clock has seconds where the test's has more.
COARSE = 1


def objects_of(like):
    """(key below the source, path) of what is put."""
    folder, pattern, copies, _ = GIVEN[like]
    for path in sorted((EXAMPLES / folder).glob(pattern)):
        for copy in range(copies):
            name = path.relative_to(EXAMPLES / folder)
            yield str(name.with_stem(f"{name.stem}-{copy}") if copy else name), path


def expected_of(like):
    """(table, types, rows) as plain Python reads them from what is put."""
    example = GIVEN[like][0].split("/")[0]
    for name, table, types, rows in expected_of_the_examples():
        if name == example:
            yield table, types, rows * GIVEN[like][2]


def tables_of(like):
    return [table for table, _, _ in expected_of(like)]


def put_all(stack):
    """Puts the example's files; when each began to be put, by URI."""
    began = {}
    prefix = stack.config["pipeline"][stack.pipeline]["source"].removeprefix(f"s3://{stack.raw}/")
    for key, path in objects_of(stack.like):
        began[f"s3://{stack.raw}/{prefix}{key}"] = time.time()
        stack.s3.upload_file(str(path), stack.raw, prefix + key)
    return began


def rows_are_there(stack):
    """What Glue lists is what the files say, by readers that are not of this project."""
    for name, types, wanted in expected_of(stack.like):
        table = Table(stack, name)
        if stack.crawler:
            # A crawler takes what folders say for texts.
            assert table.columns | dict.fromkeys(table.keys, "string") == types | dict.fromkeys(table.keys, "string")
        else:
            assert table.types == types, (name, table.types, types)
        table.check_partitions()
        same_rows(table.rows(), wanted, list(types))


def crawled(stack, crawler, began, told):
    """No run began for nothing, one began after the last file was there, and what waits for a run was told after it."""
    written = [
        stack.s3.head_object(Bucket=stack.lake, Key=key)["LastModified"].timestamp()
        for key in stack.keys() if key.endswith(".parquet")
    ]
    runs = crawler.runs
    new = lambda before, begin: any(before - COARSE <= one <= begin + COARSE for one in written)  # noqa: E731
    idle = [begin for (before, _), (begin, _) in zip(runs, runs[1:]) if not new(before, begin)]
    # An arrival may be told after the run has begun that saw the file: the mark then asks for one more, however many come.
    assert len(idle) <= (stack.like == "crawler-on-arrival"), (runs, written)
    # The stand-in's state machines do not compare times by path, and so take any run for one that saw the file.
    if not stack.crawls:
        assert runs[-1][0] >= max(written) - COARSE, (runs, written)
    for body in told["success"] if stack.waits else []:
        put = began[body["source"]["uri"]]
        assert any(begin >= put - COARSE and end <= body["at"] + COARSE for begin, end in runs), (runs, put, body)


def taken(stack):
    """From objects to notices, behind one trigger."""
    with contextlib.ExitStack() as around:
        crawler = around.enter_context(Played(stack, *tables_of(stack.like))) if stack.crawler else None
        began = put_all(stack)
        told = stack.heard_of(**GIVEN[stack.like][3])
        assert {body["source"]["uri"] for body in told["success"]} == set(began), told
        stack.quiet()
        if crawler:
            crawler.rest()
            crawled(stack, crawler, began, told)
    if stack.trigger == "step-functions":
        for one in stack.executions(len(began)):
            states = stack.entered(one)
            assert one["status"] == "SUCCEEDED" and states[-2:] == ["Tell", "Queryable"], (one, states)
            assert ("IsCrawled" in states) == stack.crawls, states
    assert stack.received() == []
    # Not all that is denied stops an object.
    trouble = [one for one in stack.logged() if one.get("level") in ("WARN", "ERROR")]
    assert trouble == [], trouble


def behind_each_trigger(rig, arguments, like):
    with standing(rig, arguments, *((like, trigger) for trigger in TRIGGERS)) as stacks:
        with ThreadPoolExecutor(LANES) as pool:
            list(pool.map(taken, stacks))
        # One after the other: there is one DuckDB.
        for stack in stacks:
            rows_are_there(stack)
        return stacks


def stacks_of_orders(rig, arguments):
    """Nested JSON, tables in Glue."""
    behind_each_trigger(rig, arguments, "orders")


def stacks_of_orders_staged(rig, arguments):
    """A crawler that the host starts; one of the keys has a space and a plus."""
    behind_each_trigger(rig, arguments, "orders-staged")


def stacks_of_crawler_on_arrival(rig, arguments):
    """Part files start the crawler: several at once are one run, and at most one more after it."""
    behind_each_trigger(rig, arguments, "crawler-on-arrival")


def stacks_of_orders_contract(rig, arguments):
    """Two tables, a quarantine that is a table too, lineage."""
    for stack in behind_each_trigger(rig, arguments, "orders-contract"):
        quarantined_orders(stack, "orders_quarantine")
        assert [key for key in stack.keys("lineage/")], stack.keys()


def stacks_of_sales(rig, arguments):
    """Partitions by day, a crawler; a state machine tells what can be queried."""
    behind_each_trigger(rig, arguments, "sales")
