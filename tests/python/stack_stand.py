"""A stack that stands on the stand-in for AWS, and its crawler, played.

`lakegate stack init` and `stack render` make the template, `stack_deploy.py` deploys it: the function runs under the
rendered role, behind the rendered trigger. Only the waiting of state machines is cut short where a case asks for it.
What the stand-in leaves out of a crawler is done by `Played`, as Glue does it.
"""

import contextlib
import json
import tempfile
import threading
import time
import tomllib
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pyarrow.parquet
import stack_deploy
import stack_template
from aws_rig import ACCOUNT, REGION, Rig, until
from check_lake import ARROW_TYPES
from stack_judge import Stacks, with_trigger

GLUE_TYPES = {arrow: kind for kind, arrow in ARROW_TYPES.items()}
# Stacks that are made at once.
LANES = 4
# How long what a starved machine does in a second may take.
SECONDS = 240
# What a state machine waits here, in place of its own seconds.
SHORT = 1


class Stack(Rig):
    """A rig whose parts the template made; a queue of its own hears all topics."""

    def __init__(self, rig, arguments, like, trigger, change=None):
        """`change` gets the folder before it is rendered."""
        self.like, self.trigger = like, trigger
        self.name(rig.endpoint, f"{like[:14]}-{trigger[:4]}".strip("-") + rig.id[-9:], arguments.zip)
        self.database, self.pipeline = self.id.replace("-", "_"), "sales" if like == "sales" else "orders"
        with tempfile.TemporaryDirectory() as folder:
            stacks = Stacks(arguments.lakegate, Path(folder))
            folder = stacks.init(self.id, like)
            with_trigger(folder, trigger)
            if change:
                change(folder)
            stacks.render(folder)
            template = stack_template.load(folder / "stack")
            shorten(template)
            self.template = template["Resources"]
            (folder / "stack/template.yaml").write_text(stack_template.dump(template))
            # What `package --config` puts beside the program.
            self.files = {path.name: path.read_text() for path in folder.glob("*.toml")}
            self.config = tomllib.loads(self.files["lakegate.toml"])
            began = time.monotonic()
            self.stack = stack_deploy.deploy(self.client, folder / "stack", self.zip(self.files), self.id)
        print(f"{self.id}: {len(self.stack.resources)} resources in {time.monotonic() - began:.1f} s")
        self.notices = self.queue("notices")
        for topic in self.of_type("AWS::SNS::Topic"):
            if topic != "Alarms":
                self.subscribe(self.notices, self.stack.resources[topic])
        crawlers = self.of_type("AWS::Glue::Crawler")
        self.crawler = self.stack.resources[crawlers[0]] if crawlers else None
        catalog = self.config["pipeline"][self.pipeline]["catalog"]
        # Whether a state machine starts the crawler; whether success is told when that is through.
        self.crawls = bool(self.crawler) and trigger == "step-functions" and catalog.get("start") != "arrival"
        self.waits = self.crawls or bool(catalog.get("wait"))

    def of_type(self, kind):
        """Logical ids of what was deployed."""
        return [name for name, one in self.template.items() if one["Type"] == kind and name in self.stack.resources]

    def variables(self):
        """The function's environment."""
        return self.client("lambda").get_function_configuration(FunctionName=self.id)["Environment"]["Variables"]

    def queues(self):
        """Messages in each queue of the stack, by logical id."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = {}
        for queue in self.of_type("AWS::SQS::Queue"):
            name = self.template[queue]["Properties"]["QueueName"]
            url = self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
            counts = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            found[queue] = sum(int(counts[name]) for name in names)
        return found

    def quiet(self):
        """Nothing waits anywhere, nothing was put aside, and nothing is left half done."""
        until("empty queues", lambda: not any(self.queues().values()), SECONDS)
        assert self.open_uploads() == [], self.open_uploads()

    def heard_of(self, **counts):
        """Bodies of the notices by event, each with `at`, when it was told: so many of each, and no others."""
        found = []

        def all_there():
            found.extend(self.envelopes())
            return len(found) >= sum(counts.values())

        until(f"notices {counts}", all_there, SECONDS)
        told = {}
        for one in found:
            body = json.loads(one["Message"]) | {"at": datetime.fromisoformat(one["Timestamp"]).timestamp()}
            told.setdefault(body["event"], []).append(body)
        assert {event: len(bodies) for event, bodies in told.items()} == counts, told
        return told

    # --- state machines -------------------------------------------------------------------------------

    def machine(self, name=None):
        """The ARN of a machine: the pipeline's, or the one with this logical id."""
        return self.stack.resources[name or f"Machine{self.pipeline.capitalize()}"]

    def executions(self, count, machine=None):
        """The executions of a machine, ended, at least so many: oldest first."""
        states = self.client("stepfunctions")

        def ended():
            pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.machine(machine))
            there = [one for page in pages for one in page["executions"]]
            return len(there) >= count and all(one["status"] != "RUNNING" for one in there) and there

        found = until(f"{count} executions", ended, SECONDS)
        found = [states.describe_execution(executionArn=one["executionArn"]) for one in found]
        return sorted(found, key=lambda one: one["startDate"])

    def start(self, given, machine=None):
        """The execution, ended, of what is given as text."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=self.machine(machine), input=given)["executionArn"]

        def ended():
            seen = states.describe_execution(executionArn=arn)
            return seen["status"] != "RUNNING" and seen

        return until("an execution", ended, SECONDS)

    def history(self, execution, kind):
        """Details of one kind of an execution's events, in order: `stateEntered`, `taskSucceeded`, `taskFailed`."""
        states, name = self.client("stepfunctions"), f"{kind}EventDetails"
        pages = states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
        return [event[name] for page in pages for event in page["events"] if name in event]

    def entered(self, execution):
        """Names of the states that an execution went through, in order."""
        return [one["name"] for one in self.history(execution, "stateEntered")]

    def failed(self, execution):
        """Names of the errors of its tasks, in order."""
        return [one["error"] for one in self.history(execution, "taskFailed")]

    def logged(self):
        """The lines of the function's log that are JSON, in order."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{self.id}")
        lines = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def metrics(self, name):
        """Values of a metric in the function's log, in order."""
        return [one[name] for one in self.logged() if "_aws" in one and name in one]

    def targets_of(self, event):
        """Targets of this stack's rules that take an event."""
        events, found = self.client("events"), []
        for rule in events.list_rules(NamePrefix=self.id)["Rules"]:
            pattern = rule.get("EventPattern")
            if pattern and events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]:
                found += events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        return found


def shorten(template):
    """State machines wait a second where they would wait longer."""
    for one in template["Resources"].values():
        if one["Type"] == "AWS::StepFunctions::StateMachine":
            shorten_states(one["Properties"]["Definition"])


def shorten_states(value):
    if isinstance(value, list):
        for one in value:
            shorten_states(one)
    elif isinstance(value, dict):
        if value.get("Type") == "Wait" and "Seconds" in value:
            value["Seconds"] = SHORT
        if "IntervalSeconds" in value:
            value["IntervalSeconds"] = SHORT
        for one in value.values():
            shorten_states(one)


@contextlib.contextmanager
def standing(rig, arguments, *wanted):
    """Stacks of (example, trigger) or (example, trigger, change), made at once; what they said, if a case fails."""
    with ThreadPoolExecutor(LANES) as pool:
        stacks = list(pool.map(lambda one: Stack(rig, arguments, *one), wanted))
    try:
        yield stacks
    except BaseException:
        for stack in stacks:
            print(f"--- {stack.id}: {stack.queues()}\n{stack.invoke({'Records': []})}\n{stack.said()}\n---")
            for machine in stack.of_type("AWS::StepFunctions::StateMachine"):
                for one in stack.client("stepfunctions").list_executions(
                        stateMachineArn=stack.stack.resources[machine])["executions"]:
                    seen = stack.client("stepfunctions").describe_execution(executionArn=one["executionArn"])
                    print(machine, seen["status"], stack.entered(one), seen.get("error"), seen.get("cause"))
        raise


class Played:
    """What Glue does when a run of the crawler ends, and the stand-in does not: it makes tables, and tells EventBridge.

    `runs` has what was seen: (begin, end) in seconds, in their order.
    """

    def __init__(self, stack, *tables):
        self.stack, self.tables, self.runs = stack, tables, []
        self.over, self.failed = threading.Event(), None
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if self.failed and not kind:
            raise self.failed

    def watch(self):
        try:
            while not self.over.wait(0.2):
                seen = self.seen()
                begin = seen["LastCrawl"]["StartTime"].timestamp() if seen.get("LastCrawl") else None
                if begin and begin not in [begun for begun, _ in self.runs]:
                    for table in self.tables:
                        self.register(table)
                    # 0 where the next run has begun: then it is not known how long this one took.
                    self.runs.append((begin, begin + seen["CrawlElapsedTime"] / 1000))
                    self.tell(seen["LastCrawl"]["Status"].capitalize())
        except Exception as error:
            self.failed = error

    def seen(self):
        return self.stack.client("glue").get_crawler(Name=self.stack.crawler)["Crawler"]

    def rest(self):
        """Waits until it runs no more, and the function has heard of the end of each run: it may start the next one."""
        def calm():
            if self.failed:
                raise self.failed
            heard = [one for one in self.stack.logged() if one.get("stage") == "crawler"]
            if len(heard) < len(self.runs):
                return False
            seen = self.seen()
            last = seen.get("LastCrawl") if seen["State"] == "READY" else None
            return last and last["StartTime"].timestamp() in [begin for begin, _ in self.runs]

        until("a crawler at rest", calm, SECONDS)

    def register(self, table):
        """The table as a crawler infers it: columns of the first file, partitions by their folders, as texts."""
        stack, glue = self.stack, self.stack.client("glue")
        targets = [one["Path"] for one in self.seen()["Targets"]["S3Targets"]]
        [target] = [path for path in targets if path.rstrip("/").endswith(f"/{table}")]
        prefix = target.removeprefix(f"s3://{stack.lake}/").rstrip("/") + "/"
        keys = [key for key in stack.keys(prefix) if key.endswith(".parquet")]
        if not keys:
            return
        columns = {}
        with tempfile.TemporaryDirectory() as folder:
            for key in keys:
                path = Path(folder) / "part.parquet"
                stack.s3.download_file(stack.lake, key, str(path))
                schema = pyarrow.parquet.read_schema(path)
                columns |= {field.name: GLUE_TYPES[field.type] for field in schema}
        columns = [{"Name": name, "Type": kind} for name, kind in columns.items()]
        folders = sorted({key.removeprefix(prefix).rpartition("/")[0] for key in keys})
        names = [part.partition("=")[0] for part in folders[0].split("/") if part]
        storage = {"Columns": columns, "Location": target}
        entry = {"Name": table, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE",
                 "PartitionKeys": [{"Name": name, "Type": "string"} for name in names]}
        there = [one["Name"] for one in glue.get_tables(DatabaseName=stack.database)["TableList"]]
        (glue.update_table if table in there else glue.create_table)(DatabaseName=stack.database, TableInput=entry)
        if names:
            listed = glue.get_partitions(DatabaseName=stack.database, TableName=table)["Partitions"]
            listed = [one["Values"] for one in listed]
            wanted = [(folder, [part.partition("=")[2] for part in folder.split("/")]) for folder in folders]
            new = [{"Values": values, "StorageDescriptor": storage | {"Location": f"{target.rstrip('/')}/{folder}/"}}
                   for folder, values in wanted if values not in listed]
            glue.batch_create_partition(DatabaseName=stack.database, TableName=table, PartitionInputList=new)

    def tell(self, state):
        """The event, to whom the stack's rules send it: the stand-in lets nobody put events of AWS's own."""
        event = {
            "version": "0", "id": str(uuid.uuid4()), "detail-type": "Glue Crawler State Change", "source": "aws.glue",
            "account": ACCOUNT, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": REGION,
            "resources": [], "detail": {"crawlerName": self.stack.crawler, "state": state},
        }
        targets = self.stack.targets_of(event)
        assert targets, f"no rule takes {event}"
        for target in targets:
            self.stack.client("lambda").invoke(
                FunctionName=target["Arn"], InvocationType="Event", Payload=json.dumps(event).encode())
