"""Tasks of a state machine that tells and crawls by itself, and crawlers that the arrival of part files starts.

The machine is not there: what it would do with an answer, the cases do. Not for how one is rendered.
"""

import json
import signal

from aws_given import COLUMNS, assert_says, left, numbered, numbered_files, same_rows
from aws_read import Table, folder_rows
from aws_rig import ACCOUNT, REGION, until
from aws_runtime import Function

TOPICS = {"LAKEGATE_TOPICS": f"arn:aws:sns:{REGION}:{ACCOUNT}:"}


def execution(name):
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:numbered:{name}"


def created(record):
    """What EventBridge has for the object of an S3 notification's record, whose key needs no decoding."""
    s3 = record["s3"]
    thing = {name: s3["object"][name] for name in ("key", "size", "sequencer")} | {"etag": s3["object"]["eTag"]}
    detail = {"bucket": {"name": s3["bucket"]["name"]}, "object": thing}
    return {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-01-02T03:04:05Z", "detail": detail}


def ended(crawler):
    detail = {"crawlerName": crawler, "state": "Succeeded"}
    return {"source": "aws.glue", "detail-type": "Glue Crawler State Change", "detail": detail}


def asked(function, event, name):
    """The answer about the one object of a task."""
    answer = function.call({"event": event, "execution": execution(name)})
    assert answer and len(answer.get("objects", ())) == 1, f"{answer}\n{function.said()}"
    return answer["objects"][0]


def is_left(answer, state, *events):
    """The task may tell of these, and of no more."""
    told = [notice["attributes"]["event"]["StringValue"] for notice in answer["notices"]]
    assert (answer["state"], answer["duplicate"], told) == (state, False, list(events)), answer


def is_nothing(answer, state, duplicate):
    assert (answer["state"], answer["duplicate"], answer["notices"]) == (state, duplicate, []), answer
    assert "crawler" not in answer, answer


def files_of(rig, crawler=None):
    """A pipeline whose topic is named without its ARN."""
    files = numbered_files(rig, catalog=not crawler)
    files["lakegate.toml"] = files["lakegate.toml"].replace(rig.topic, rig.id)
    if crawler:
        files["lakegate.toml"] += f'[pipeline.numbered.catalog]\nkind = "crawler"\ncrawler = "{rig.crawler}"\n{crawler}\n'
    return files


def marks(rig):
    """What the done marks say was told."""
    bodies = [rig.s3.get_object(Bucket=rig.lake, Key=key)["Body"] for key in rig.keys("_lakegate/loads/")]
    return [json.loads(body.read())["told"] for body in bodies]


def crawled(rig):
    """Whether the crawler runs, and when the last run that has ended began."""
    crawler = rig.client("glue").get_crawler(Name=rig.crawler)["Crawler"]
    return crawler["State"] != "READY", (crawler.get("LastCrawl") or {}).get("StartTime")


def at_rest(rig):
    """When the last run began, once it has ended."""
    until("the crawler to end", lambda: not crawled(rig)[0])
    return crawled(rig)[1]


def a_task_is_told_once(rig, _):
    """Its execution publishes; asked again it is told the same, and every other execution nothing."""
    rig.make_catalog()
    files = files_of(rig)
    body, rows = numbered(20, 200, bad=(3,))
    good = created(rig.put("in/good.ndjson", body))
    with Function(rig, files, TOPICS) as function:
        first = asked(function, good, "first")
        is_left(first, "made", "success", "quarantine")
        assert "crawler" not in first and first["rejected"] == 1, first
        again = asked(function, good, "first")
        is_left(again, "nothingToDo", "success", "quarantine")
        assert again["notices"] == first["notices"], (first, again)
        is_nothing(asked(function, good, "second"), "nothingToDo", True)
        assert rig.received() == [], "the host told by itself"
        assert [mark["execution"] for mark in marks(rig)] == [execution("first")], marks(rig)
        for notice in first["notices"]:
            rig.client("sns").publish(
                TopicArn=notice["topicArn"], Subject=notice["subject"], Message=notice["message"],
                MessageAttributes=notice["attributes"],
            )
        told = {body["event"]: attributes for _, body, attributes in rig.received(2)}
        assert told["success"]["pipeline"] == "numbered" and told["quarantine"]["has_rejects"] == "true", told
        refused_tasks(rig, function)
        marker = {"bucket": rig.raw, "key": "in/folder/", "size": 0}
        is_nothing(asked(function, marker, "folder"), "ignored", False)
    same_rows(Table(rig, "numbered").rows(), rows, COLUMNS)


def refused_tasks(rig, function):
    """Bad input is recorded and told by the host; a task that is about no one object is refused."""
    event = created(rig.put("in/bad.json", b'[{"id": 1, '))
    answer = function.call({"event": event, "execution": execution("bad")})
    assert_says(answer, "Lakegate.BadInput", "syntax_error")
    assert [body["event"] for _, body, _ in rig.received(1)] == ["failure"]
    two = {"Items": [{"bucket": rig.raw, "key": key} for key in ("in/good.ndjson", "in/bad.json")]}
    for event, words in ((two, "names 2"), (ended("any"), "names 0")):
        assert_says(function.call({"event": event, "execution": execution("odd")}), "Lakegate.BadInput", words)


def a_task_whose_answer_is_lost(rig, _):
    """Whatever the function had done when it died, the same execution is left its notices, and once only."""
    rig.make_catalog()
    files, wanted = files_of(rig), []
    for number, point in enumerate(("after-stage", "after-commit", "before-done", "after-done")):
        body, rows = numbered(20, 50 + number)
        event, wanted = created(rig.put(f"in/{point}.ndjson", body)), wanted + rows
        with Function(rig, files, TOPICS | {"LAKEGATE_CRASH_AT": point}) as function:
            assert function.call({"event": event, "execution": execution(point)}) is None, function.said()
            assert function.process.returncode == -signal.SIGKILL, function.process.returncode
        state = {"after-stage": "made", "after-done": "nothingToDo"}.get(point, "rolledForward")
        with Function(rig, files, TOPICS) as function:
            is_left(asked(function, event, point), state, "success")
            is_nothing(asked(function, event, "another"), "nothingToDo", True)
    assert rig.received() == [], "the host told by itself"
    same_rows(Table(rig, "numbered").rows(), wanted, COLUMNS)


def a_task_leaves_the_crawler(rig, _):
    """The machine runs it; of a version that somebody else left undone the host starts it, and tells."""
    rig.make_crawler()
    files = files_of(rig, "wait = true")
    body, _ = numbered(3, 20)
    record = rig.put("in/x.ndjson", body)
    with Function(rig, files, TOPICS) as function:
        for state in ("made", "nothingToDo"):
            answer = asked(function, created(record), "first")
            is_left(answer, state, "success")
            assert answer["crawler"] == rig.crawler, answer
        is_nothing(asked(function, created(record), "second"), "nothingToDo", True)
        assert crawled(rig) == (False, None) and rig.received() == [], crawled(rig)
    record = rig.put("in/x.ndjson", numbered(4, 20)[0])
    with Function(rig, files, TOPICS | {"LAKEGATE_CRASH_AT": "after-publish"}) as function:
        assert function.call({"Records": [record]}) is None, function.said()
    body, rows = numbered(5, 20)
    with Function(rig, files, TOPICS) as function:
        answer = asked(function, created(rig.put("in/x.ndjson", body)), "third")
        is_left(answer, "replaced", "success")
        assert json.loads(answer["notices"][0]["message"])["generation"] == 3, answer
    assert [body["generation"] for _, body, _ in rig.received(1)] == [2]
    assert at_rest(rig), "nobody started the crawler for the second version"
    same_rows(folder_rows(rig, "numbered"), rows, COLUMNS)


def tell_of_part_files(rig, queue):
    """The lake's bucket, by EventBridge."""
    rig.s3.put_bucket_notification_configuration(
        Bucket=rig.lake, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    detail = {"bucket": {"name": [rig.lake]}, "object": {"key": [{"suffix": ".parquet"}]}}
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
    rig.client("events").put_rule(Name=f"{rig.id}-parts", EventPattern=json.dumps(pattern))
    rig.client("events").put_targets(Rule=f"{rig.id}-parts", Targets=[{"Id": "queue", "Arn": rig.arn(queue)}])


def part_files_that_arrive_start_a_crawler(rig, _):
    """Published → S3 → EventBridge → SQS → started; once more after the run that they met, and no more."""
    rig.make_crawler()
    queue = rig.queue("events", {"VisibilityTimeout": "600"})
    rig.deploy(files_of(rig, 'start = "arrival"'), queue, TOPICS)
    tell_of_part_files(rig, queue)
    body, rows = numbered(9, 50)
    # Who waits with the notice only looks: the run is the one that the part files start.
    with Function(rig, files_of(rig, 'start = "arrival"\nwait = true'), TOPICS) as function:
        answer = function.call({"Records": [rig.put("in/x.ndjson", body)]})
    assert answer["objects"][0]["state"] == "made", f"{answer}\n{rig.said()}"
    assert [mark["catalog"]["crawler"]["run"] for mark in marks(rig)] == ["left"], marks(rig)
    assert marks(rig)[0]["catalog"]["crawler"]["ready"], marks(rig)
    assert [body["event"] for _, body, _ in rig.received(1)] == ["success"]
    until("the queue to be empty", lambda: left(rig, queue) == 0)
    same_rows(folder_rows(rig, "numbered"), rows, COLUMNS)
    parts = [key for key in rig.keys("numbered/") if key.endswith(".parquet")]
    assert len(parts) == 3, parts
    # Its end may be told more than once; a mark that the other part files set asks for one run.
    rig.invoke(ended(rig.crawler))
    last = at_rest(rig)
    rig.invoke(ended(rig.crawler))
    assert crawled(rig) == (False, last), "started once more for nobody"
    rig.client("glue").start_crawler(Name=rig.crawler)
    arrivals = [created(rig.record(key, 9, "0" * 32, bucket=rig.lake)) for key in parts]
    answer = rig.invoke(arrivals)
    assert [one["state"] for one in answer["objects"]] == ["arrived"] * 3, answer
    met = at_rest(rig)
    rig.invoke(ended(rig.crawler))
    again = at_rest(rig)
    assert last < met < again, (last, met, again)
    rig.invoke(ended(rig.crawler))
    assert crawled(rig) == (False, again), "started once more for nobody"
    # What is no part file, a loop or not, starts nothing.
    own = created(rig.record("_lakegate/x.parquet", 9, "0" * 32, bucket=rig.lake))
    assert rig.invoke([own])["objects"][0]["state"] == "refused"
    assert crawled(rig) == (False, again)


def a_crawler_that_does_not_end_in_time(rig, _):
    """Nobody starts it: the notice goes out when the wait is over, as with any crawler."""
    rig.make_crawler()
    with Function(rig, files_of(rig, 'start = "arrival"\nwait = 2'), TOPICS) as function:
        answer = function.call({"Records": [rig.put("in/x.ndjson", numbered(3, 20)[0])]})
    assert answer["objects"][0]["state"] == "made", answer
    assert not marks(rig)[0]["catalog"]["crawler"]["ready"], marks(rig)
    assert len(rig.received(1)) == 1 and crawled(rig) == (False, None)
