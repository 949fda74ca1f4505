"""State machines of whole stacks in trouble, and the comparison that a schedule starts.

Each case deploys a stack as `lakegate stack render` writes it; only waiting is cut short. Not for how well roles of
machines and rules fit, which the stand-in does not look at: `stack_wiring.py`.
"""

import json
import threading
from datetime import datetime

from aws_given import EXAMPLES, Command, same_rows
from aws_proxy import Proxy, Rule
from aws_read import Table
from aws_rig import until
from check_lake import TWELVE, order_rows
from stack_cases import put_all, rows_are_there, tables_of
from stack_judge import change
from stack_stand import SECONDS, Played, standing

ORDERS = ("orders", "step-functions")
ONE = EXAMPLES / "orders/orders_ETL.json"
SLOW = (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
# Attempts of the function's own client at one call.
ATTEMPTS = 5


def put(stack, name, body=None):
    """Puts an object into the source of the example `orders`; its URI."""
    key = f"orders_json_incoming/{name}"
    stack.s3.put_object(Bucket=stack.raw, Key=key, Body=ONE.read_bytes() if body is None else body)
    return f"s3://{stack.raw}/{key}"


def rows_of_one(stack):
    """The rows of one file are in the table, once."""
    same_rows(Table(stack, "orders").rows(), list(order_rows(ONE)), list(TWELVE))


def machine_in_passing_trouble(rig, arguments):
    """S3 asks for patience for longer than the function's client has it: the machine calls again."""
    with standing(rig, arguments, ORDERS) as [stack], Proxy(stack.endpoint) as proxy:
        stack.client("lambda").update_function_configuration(
            FunctionName=stack.id, Environment={"Variables": stack.variables() | {"AWS_ENDPOINT_URL_S3": proxy.url}})
        slow = Rule("s3:GetObject", f"/{stack.raw}/", ATTEMPTS + 1, SLOW)
        proxy.rules = [slow]
        put(stack, "one.json")
        [execution] = stack.executions(1)
        assert execution["status"] == "SUCCEEDED" and stack.entered(execution)[-1] == "Queryable", execution
        failed = stack.failed(execution)
        assert failed and set(failed) == {"Lakegate.PassingTrouble"}, failed
        assert len(slow.hits) == ATTEMPTS + 1, slow.hits
        stack.heard_of(success=1)
        stack.quiet()
        rows_of_one(stack)


def machine_and_an_object_at_fault(rig, arguments):
    """The function records and tells it; the machine ends by its name, tries nothing again and tells nothing."""
    with standing(rig, arguments, ORDERS) as [stack]:
        uri = put(stack, "bad.json", b'[{"order_id": 1, ')
        [execution] = stack.executions(1)
        assert execution["status"] == "FAILED" and execution["error"] == "Lakegate.BadInput", execution
        assert stack.entered(execution) == ["Take", "AtFault"], stack.entered(execution)
        assert stack.failed(execution) == ["Lakegate.BadInput"], stack.failed(execution)
        told = stack.heard_of(failure=1)
        assert told["failure"][0]["source"]["uri"] == uri, told
        stack.quiet()
        assert len(stack.keys("orders_parquet_datalake/_lakegate/failures/")) == 1, stack.keys()
        assert stack.received() == []


def machine_tells_what_no_function_could(rig, arguments):
    """The database is gone: the machine tells it, the object has not failed, and once it is back all is well."""
    with standing(rig, arguments, ORDERS) as [stack]:
        stack.client("glue").delete_database(Name=stack.database)
        uri = put(stack, "one.json")
        [execution] = stack.executions(1)
        assert execution["status"] == "FAILED" and execution["error"] == "Lakegate.OwnFault", execution
        assert stack.entered(execution)[-2:] == ["TellFailure", "Failed"], stack.entered(execution)
        [told] = stack.heard_of(failure=1)["failure"]
        assert (told["version"], told["pipeline"], told["source"]["uri"]) == (1, "orders", uri), told
        assert told["code"] == "Lakegate.OwnFault" and stack.database in told["message"], told
        assert told["execution"] == execution["executionArn"], told
        assert stack.keys("orders_parquet_datalake/_lakegate/failures/") == [], stack.keys()
        stack.make_catalog()
        again = stack.start(execution["input"])
        assert again["status"] == "SUCCEEDED" and stack.entered(again)[-1] == "Queryable", again
        stack.heard_of(success=1)
        stack.quiet()
        rows_of_one(stack)


def machine_and_an_event_that_comes_twice(rig, arguments):
    """The second execution finds that it has nothing to do, to crawl or to tell."""
    with standing(rig, arguments, ORDERS) as [stack]:
        put(stack, "one.json")
        [first] = stack.executions(1)
        assert first["status"] == "SUCCEEDED", first
        stack.heard_of(success=1)
        second = stack.start(first["input"])
        assert second["status"] == "SUCCEEDED" and stack.entered(second) == ["Take", "WhatCame", "Duplicate"], second
        stack.quiet()
        rows_of_one(stack)
        # Both at once, of an object that is new to them.
        stack.client("events").disable_rule(Name=f"{stack.id}-orders")
        body = (EXAMPLES / "orders/orders_ETL_february.json").read_bytes()
        put(stack, "february.json", body)
        event = json.loads(first["input"])
        version = stack.s3.head_object(Bucket=stack.raw, Key="orders_json_incoming/february.json")
        event["detail"]["object"] |= {
            "key": "orders_json_incoming/february.json", "size": len(body), "etag": version["ETag"].strip('"'),
            "version-id": version["VersionId"],
        }
        threads = [threading.Thread(target=stack.start, args=(json.dumps(event),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = sorted(stack.entered(one)[-1] for one in stack.executions(5))
        assert ended == ["Duplicate"] * 3 + ["Queryable"] * 2, ended
        stack.heard_of(success=1)
        rows_are_there(stack)
        assert stack.received() == []


def machine_and_a_busy_crawler(rig, arguments):
    """Somebody else's run is waited for; what is told is told once a run has ended that may have seen the file."""
    with (
        standing(rig, arguments, ("sales", "step-functions")) as [stack],
        Played(stack, *tables_of("sales")) as crawler,
    ):
        over = threading.Event()
        busy = threading.Thread(target=keep_busy, args=(stack, over))
        busy.start()
        try:
            until("a run of the crawler", lambda: crawler.seen()["State"] == "RUNNING")
            began = put_all(stack)
            until("machines that wait", lambda: waiting(stack) == len(began), SECONDS)
        finally:
            over.set()
            busy.join()
        executions = stack.executions(len(began))
        for one in executions:
            assert one["status"] == "SUCCEEDED" and stack.entered(one)[-1] == "Queryable", one
        # One of them might have come in between two runs.
        assert any("Glue.CrawlerRunningException" in stack.failed(one) for one in executions), executions
        for body in stack.heard_of(success=len(began))["success"]:
            assert any(end <= body["at"] + 1 for _, end in crawler.runs), (crawler.runs, body)
        crawler.rest()
        rows_are_there(stack)
        is_crawled(stack)


def keep_busy(stack, over):
    """Starts the crawler whenever it does not run."""
    glue = stack.client("glue")
    while not over.wait(0.02):
        try:
            glue.start_crawler(Name=stack.crawler)
        except glue.exceptions.CrawlerRunningException:
            pass


def waiting(stack):
    """How many executions wait for the crawler, or did."""
    there = stack.client("stepfunctions").list_executions(stateMachineArn=stack.machine())["executions"]
    return sum("WaitForCrawler" in stack.entered(one) for one in there)


def is_crawled(stack):
    """Where the machine goes by what Glue says: the stand-in compares no times by path, and so takes any run."""
    definition = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.machine())["definition"]
    choice = json.loads(definition)["States"]["IsCrawled"]
    published, before, after = (f"2025-01-05T10:00:0{second}Z" for second in ("1.500", "0.000", "2.000"))
    for state, last, goes in (
        ("RUNNING", {"StartTime": after, "Status": "SUCCEEDED"}, "WaitForCrawler"),
        ("STOPPING", {"StartTime": after, "Status": "SUCCEEDED"}, "WaitForCrawler"),
        ("READY", None, "StartCrawler"),
        ("READY", {"StartTime": before, "Status": "SUCCEEDED"}, "StartCrawler"),
        ("READY", {"StartTime": before, "Status": "FAILED"}, "StartCrawler"),
        ("READY", {"StartTime": after, "Status": "SUCCEEDED"}, "Tell"),
        ("READY", {"StartTime": after, "Status": "FAILED"}, "CrawlerFailed"),
        ("READY", {"StartTime": after, "Status": "CANCELLED"}, "CrawlerFailed"),
    ):
        crawler = {"State": state} | ({"LastCrawl": last} if last else {})
        data = {"published": {"at": published}, "crawler": {"Crawler": crawler}}
        there = next((one["Next"] for one in choice["Choices"] if holds(one, data)), choice["Default"])
        assert there == goes, (state, last, there)


def holds(rule, data):
    """Whether a rule of a Choice holds, by the Amazon States Language."""
    if "Or" in rule:
        return any(holds(one, data) for one in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data)
    if "IsPresent" in rule:
        try:
            at(rule["Variable"], data)
        except KeyError:
            return not rule["IsPresent"]
        return rule["IsPresent"]
    value = at(rule["Variable"], data)
    if "TimestampLessThanPath" in rule:
        return datetime.fromisoformat(value) < datetime.fromisoformat(at(rule["TimestampLessThanPath"], data))
    return value == rule["StringEquals"]


def at(path, data):
    for name in path.removeprefix("$.").split("."):
        data = data[name]
    return data


def schedules_of_a_stack(rig, arguments):
    """What is not in the tables is found by the machine that a schedule starts; another one asks how late a load is."""
    with standing(rig, arguments, ("orders", "sqs", expect_monthly)) as [stack]:
        put(stack, "one.json")
        put(stack, "bad.json", b'[{"order_id": 1, ')
        stack.heard_of(success=1, failure=1)
        stack.s3.put_bucket_notification_configuration(Bucket=stack.raw, NotificationConfiguration={})
        missed = put(stack, "missed.json", (EXAMPLES / "orders/orders_ETL_february.json").read_bytes())
        target = scheduled(stack, "reconcile")
        assert target["Arn"] == stack.machine("Reconcile"), target
        # What failed is missing at once. What came a moment ago is on its way, unless somebody says that it is not.
        assert compared(stack, target["Input"]) == 1
        ask = {"lakegate": "reconcile", "pipeline": "orders", "cursor": None, "graceSeconds": 0}
        found = stack.invoke(ask)
        whys = {one["source"].rpartition("/")[2]: one["why"] for one in found["examples"]}
        assert (found["missing"], whys) == (2, {"bad.json": "failed", "missed.json": "new"}), found
        Command(stack, arguments, stack.files)("backfill", missed)
        rows_are_there(stack)
        assert stack.invoke(ask)["missing"] == 1
        late = scheduled(stack, "orders-due")
        assert late["Arn"].endswith(f":function:{stack.id}"), late
        told = stack.invoke(json.loads(late["Input"]))
        assert told["due"] is False and told["secondsSinceLastLoad"] < SECONDS, told
        assert stack.metrics("secondsSinceLastLoad") == [told["secondsSinceLastLoad"]], told
        stack.quiet()


def expect_monthly(folder):
    change(folder, "[pipeline.orders]\n", '[pipeline.orders]\nexpect_every = "30 days"\n')


def scheduled(stack, name):
    """The target of a schedule."""
    [target] = stack.client("events").list_targets_by_rule(Rule=f"{stack.id}-{name}")["Targets"]
    return target


def compared(stack, given):
    """How many objects the comparison finds missing, as the function's metric has it."""
    before = len(stack.metrics("missingObjects"))
    execution = stack.start(given, "Reconcile")
    assert execution["status"] == "SUCCEEDED" and stack.failed(execution) == [], execution
    answers = [json.loads(one["output"])["Payload"] for one in stack.history(execution, "taskSucceeded")]
    # Each part is asked for with the cursor of the one before; the last one has none.
    assert answers and [one["next"] is None for one in answers] == [False] * (len(answers) - 1) + [True], answers
    counted = stack.metrics("missingObjects")[before:]
    assert sum(counted) == sum(one["missing"] for one in answers), (counted, answers)
    return sum(counted)
