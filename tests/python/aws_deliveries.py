"""Objects that are delivered while one of their calls is struck, delivered again as a queue does, and judged.

Not for which scenarios there are (`aws_sweep.py`), nor for what a strike does (`aws_strikes.py`). Each object has a
pipeline, a lake and tables of its own, so that nothing is known of them to the function that meets them: it makes
every call that a delivery can make.
"""

import json
import signal
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aws_given import COLUMNS, NUMBERED
from aws_judge import WRONG, Lakes, judge
from aws_proxy import Proxy
from aws_rig import FUNCTION_SECONDS, ROOT
from aws_runtime import Function
from aws_strikes import KINDS, PASSING, Strike

# Deliveries after which a queue would give an object up.
MOST = 3
# What a function keeps free at the end of an invocation for cleaning up (`CLEAN_UP` in `client.rs`).
CLEAN_UP = 10
# What is counted of the deliveries themselves.
JUDGED = WRONG | {
    "untold": "notices that nobody got, or got under more than one id",
    "late": "deliveries that had not ended when the invocation did",
    "blamed": "deliveries that ended in an error that is not said to pass",
    "again": "deliveries too many after trouble that one more attempt at the call mends",
    "stuck": "objects without an answer after the last delivery, or that the next one does not call a duplicate",
}
GOOD = ("made", "replaced", "rolledForward", "nothingToDo")


@dataclass
class Given:
    """An event, and what is to be there in the end."""

    record: dict
    # Of the table, all versions that count; and the text of the lines in quarantine.
    rows: list
    rejected: list
    commits: int = 1
    failures: int = 0
    # Notices by event, each with an id of its own.
    notices: dict = field(default_factory=lambda: {"success": 1, "quarantine": 1})
    states: tuple = GOOD


@dataclass
class Scenario:
    name: str
    # (bench, place) → Given; puts the object there and makes what comes before it.
    given: object
    spec: str = NUMBERED
    more: str = ""
    kinds: tuple = tuple(KINDS)
    # Patterns: of the calls that are struck, and of the first that is not. The rest is the same in other scenarios.
    only: str = ""
    until: str = ""
    # Takes away what was judged: the stand-in holds it in memory.
    heavy: bool = False


def section(rig, database, place, more):
    return f"""
[pipeline.{place}]
source = "s3://{rig.raw}/{place}/"
spec = "numbered.toml"
lake = "s3://{rig.lake}/{place}/"
{more.replace("BUCKET", rig.releases).replace("PLACE", place)}
[pipeline.{place}.catalog]
kind = "glue"
database = "{database}"
table_prefix = "{place}_"

[pipeline.{place}.notify]
success = "{rig.topic}"
failure = "{rig.topic}"
quarantine = "{rig.topic}"
"""


class Bench:
    """A function behind a proxy, another one that asks the services directly, and places that are new to both."""

    def __init__(self, rig, scenario, name, count):
        self.rig, self.scenario, self.name = rig, scenario, name
        self.places = [f"{name}x{number:03}" for number in range(count)]
        self.database = f"{rig.database}_{name}"
        rig.client("glue").create_database(DatabaseInput={"Name": self.database})

    def files(self, places):
        sections = [section(self.rig, self.database, place, self.scenario.more) for place in places]
        return {"lakegate.toml": "version = 1\n" + "".join(sections), "numbered.toml": self.scenario.spec}

    def __enter__(self):
        files = self.files(self.places)
        with ExitStack() as held:
            self.proxy = held.enter_context(Proxy(self.rig.endpoint))
            self.function = held.enter_context(self.process(files, AWS_ENDPOINT_URL=self.proxy.url))
            self.maker = held.enter_context(self.process(files))
            self.held = held.pop_all()
        return self

    def __exit__(self, *_):
        self.held.close()

    def process(self, files, **environment):
        """Under no role: one that allows so many pipelines what they need takes long to look through."""
        keys = {name.upper(): value for name, value in ROOT.items() if name.startswith("aws_")}
        return Function(self.rig, files, keys | environment)

    def put(self, place, body, name="x"):
        return self.rig.put(f"{place}/{name}.ndjson", body)

    def made(self, record):
        answer = self.maker.call({"Records": [record]})
        assert ended(answer) and answer["objects"][0]["state"] in ("made", "replaced"), answer

    def killed(self, place, record):
        """Another process won the commit of this object and died."""
        with self.process(self.files([place]), LAKEGATE_CRASH_AT="after-commit") as function:
            assert function.call({"Records": [record]}) is None, function.said()
            assert function.process.returncode == -signal.SIGKILL, function.process.returncode

    def backdate(self, place, seconds):
        """Makes the commits of a place older than they are, as if so much time had gone by since."""
        for key in self.rig.keys(f"{place}/_lakegate/commits/"):
            record = json.loads(self.rig.s3.get_object(Bucket=self.rig.lake, Key=key)["Body"].read())
            before = datetime.fromisoformat(record["committed"]) - timedelta(seconds=seconds)
            record["committed"] = before.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self.rig.s3.put_object(Bucket=self.rig.lake, Key=key, Body=json.dumps(record).encode())


@dataclass
class Outcome:
    """What came of one object."""

    place: str
    given: Given
    strike: Strike
    deliveries: int = 0
    # What the first one took.
    seconds: float = 0
    wrong: Counter = field(default_factory=Counter)
    said: list = field(default_factory=list)

    def told(self):
        wrong = {name: count for name, count in self.wrong.items() if count}
        call = self.strike.struck or f"{self.strike.target} (not made)"
        return f"{self.place}: {self.strike.kind} at {call}: {wrong}, {self.deliveries} deliveries\n  {self.said}"


class Job:
    """One kind of trouble at some calls of a scenario."""

    def __init__(self, rig, scenario, name, kind, targets, seconds):
        self.rig, self.scenario, self.name, self.kind, self.targets = rig, scenario, name, kind, targets
        # What a delivery has if the service is silent.
        self.seconds = seconds
        self.outcomes = []

    def run(self):
        with Bench(self.rig, self.scenario, self.name, len(self.targets)) as bench:
            for place, target in zip(bench.places, self.targets):
                given, strike = self.scenario.given(bench, place), Strike(place, self.kind, target)
                self.outcomes.append(self.deliver(bench, Outcome(place, given, strike)))
                if self.scenario.heavy:
                    self.judge(Lakes(self.rig, place, bench.database), self.outcomes[-1:]).take_away()
        if not self.scenario.heavy:
            self.judge(Lakes(self.rig, self.name, bench.database), self.outcomes)
        return self

    def missed(self):
        """Those whose delivery never made the call that was to be struck."""
        return [outcome for outcome in self.outcomes if not outcome.strike.struck]

    @staticmethod
    def judge(lakes, outcomes):
        for outcome in outcomes:
            outcome.wrong += judge(lakes, outcome.place, outcome.given, [*COLUMNS, "more"])
        return lakes

    def deliver(self, bench, outcome):
        """Under the strike, then without one until an answer comes; then once more, to one who knows nothing of it."""
        event, given = {"Records": [outcome.given.record]}, outcome.given
        answer = self.struck(bench, outcome, event)
        while not ended(answer) and outcome.deliveries < MOST:
            self.blame(outcome, answer)
            answer = bench.function.call(event)
            outcome.deliveries += 1
        self.blame(outcome, answer)
        outcome.wrong["again"] += outcome.deliveries - 1 if self.kind in PASSING else 0
        outcome.wrong["stuck"] += not ended(answer) or answer["objects"][0]["state"] not in given.states
        again = bench.maker.call(event)
        same = ended(again) and (again["objects"][0]["duplicate"] or again["objects"][0]["state"] == "failed")
        outcome.wrong["stuck"] += not same
        if not same:
            outcome.said.append(again)
        return outcome

    def struck(self, bench, outcome, event):
        """The first delivery. A service that is silent speaks again when the invocation should have ended."""
        proxy, function = bench.proxy, bench.function
        proxy.rules = [outcome.strike]
        function.seconds = CLEAN_UP + self.seconds if self.kind == "silent" else FUNCTION_SECONDS
        end = threading.Timer(function.seconds, proxy.let_go)
        end.start()
        begun = time.monotonic()
        answer = function.call(event)
        outcome.seconds = time.monotonic() - begun
        outcome.wrong["late"] += outcome.seconds > function.seconds
        end.cancel()
        proxy.let_go()
        function.seconds, outcome.deliveries = FUNCTION_SECONDS, 1
        return answer

    @staticmethod
    def blame(outcome, answer):
        """All that is done to a call may pass: neither the object nor the set-up is at fault."""
        assert answer is not None, f"it died: {outcome.told()}"
        outcome.said.append(answer)
        outcome.wrong["blamed"] += not ended(answer) and answer.get("errorType") != "Lakegate.PassingTrouble"


def ended(answer):
    return "objects" in answer
