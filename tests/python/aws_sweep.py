"""Each call of each kind of delivery, struck by kinds of trouble: the second level of the torture.

The first level, `tests/e2e/torture.rs`, strikes the calls of a simulated storage; here it is the requests of the
real clients of S3, Glue and SNS, with their attempts, pauses and time limits. For each scenario one delivery without
trouble says which calls there are. Then each of them is struck by kinds of trouble (`aws_strikes.py`), every time for an
object that nobody has touched before (`aws_deliveries.py`), and `aws_judge.py` counts what is there in the end.

All of it takes a quarter of an hour of both cores. So by default a kind strikes every fourth call, each kind others: each
call is struck by a quarter of the kinds, and each kind strikes a quarter of the calls. `LAKEGATE_SWEEP=all` strikes each by each,
as every night does.

The index of a call is that of the delivery without trouble. Some calls are on their way at the same time, so that
in another delivery the same index may be another call; therefore a call is found again by its name, and by which
one of that name it is.
"""

import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count

from aws_deliveries import JUDGED, Given, Job, Scenario
from aws_given import NUMBERED, numbered
from aws_rig import Rig
from aws_strikes import KINDS, PASSING

# Jobs at once: a struck delivery spends most of its time waiting, be it for the SDK's next attempt.
LANES = 20
# Jobs that the calls are dealt to where one delivery takes seconds: a service that is silent costs all the time
# that the delivery has, one that fails on and on the four pauses between five attempts.
DEALS = {"503 on": 6, "silent": 6}
# How long a commit of another process is left alone before it is given up (`PATIENCE_MS` in `lake.rs`).
PATIENCE = 60
JOBS = count()

EVOLVING = NUMBERED.partition("[[table]]")[0] + '[[table]]\nname = "numbered"\npartition_by = ["day"]\n'
APPENDING = NUMBERED.replace("[output]", '[output]\non_reupload = "append"')


def small(month=1):
    """Two part files and a quarantine, each put by one request."""
    return numbered(9, 150, bad=(3,), days=2, month=month)


@cache
def bulk():
    """The same for every object, since it takes time to make."""
    return numbered(720, 12000, days=1)


def large(month=1):
    """A part file that is uploaded in parts, one that is not, and a quarantine."""
    (much, rows), (body, more) = bulk(), small(month)
    return much + b"\n" + body, rows + more


def first(bench, place):
    body, rows = small()
    return Given(bench.put(place, body), rows, ["nonsense"])


def large_beside_another(bench, place):
    """Lake, tables and catalog entries are there already."""
    before = first(bench, place)
    bench.made(before.record)
    body, rows = large(month=2)
    return twice(bench.put(place, body, "y"), before.rows + rows, ["nonsense"] * 2)


def left_undone(bench, place):
    given = first(bench, place)
    bench.killed(place, given.record)
    return given


def large_left_undone(bench, place):
    given = large_beside_another(bench, place)
    bench.killed(place, given.record)
    return given


def delivered_twice(bench, place):
    given = first(bench, place)
    bench.made(given.record)
    return given


def twice(record, rows, rejected):
    return Given(record, rows, rejected, commits=2, notices={"success": 2, "quarantine": 2})


def replaced(bench, place):
    bench.made(first(bench, place).record)
    body, rows = small(month=2)
    return twice(bench.put(place, body), rows, ["nonsense"])


def appended(bench, place):
    before = first(bench, place)
    bench.made(before.record)
    body, rows = small(month=2)
    return twice(bench.put(place, body), before.rows + rows, ["nonsense"] * 2)


def left_undone_and_added_to(bench, place):
    """A version whose commit was left undone, and the next one, which is to be added to it."""
    before = left_undone(bench, place)
    bench.backdate(place, PATIENCE + 1)
    body, rows = small(month=2)
    return twice(bench.put(place, body), before.rows + rows, ["nonsense"] * 2)


def grown(bench, place):
    """Another object of the same days, whose records have a column more."""
    before = first(bench, place)
    bench.made(before.record)
    body, rows = small()
    body = body.replace(b'"noise"', b'"more": 1, "noise"')
    rows = before.rows + [row | {"more": 1} for row in rows]
    return twice(bench.put(place, body, "y"), rows, ["nonsense"] * 2)


def bad(bench, place):
    """An object that ends too soon: it failed, and nothing else did."""
    record = bench.put(place, b'[{"id": 1, "day": "2025-01-01", ')
    return Given(record, [], [], commits=0, failures=1, notices={"failure": 1}, states=("failed",))


def dry(rig, scenario):
    """What a delivery without trouble does."""
    outcome = Job(rig, scenario, f"s{next(JOBS):03}", None, [None], 0).run().outcomes[0]
    assert outcome.deliveries == 1 and not outcome.wrong.total(), outcome.told()
    return outcome


def targets(scenario, names):
    """The calls that are to be struck, each as (name, which one of that name)."""
    ends = (number for number, name in enumerate(names) if scenario.until and re.search(scenario.until, name))
    calls = [(name, names[:number].count(name)) for number, name in enumerate(names[: next(ends, None)])]
    return [call for call in calls if re.search(scenario.only, call[0])]


def jobs_of(rig, scenario, outcome):
    calls = targets(scenario, outcome.strike.arrived)
    # For the calls that are answered, on a machine that has other things to do, too.
    patience = max(4, 10 * outcome.seconds)
    every = 1 if os.environ.get("LAKEGATE_SWEEP") == "all" else min(4, len(scenario.kinds))
    for number, kind in enumerate(scenario.kinds):
        struck = calls[number % every :: every]
        deals = min(DEALS.get(kind, 1), len(struck))
        for deal in range(deals):
            yield Job(rig, scenario, f"s{next(JOBS):03}", kind, struck[deal::deals], patience)


def sweep(rig, *scenarios):
    """All of it, with a report; every number in it is counted from what happened."""
    for service in ("s3", "glue", "sqs", "sns"):
        rig.client(service)
    begun = time.monotonic()
    known = [(scenario, dry(rig, scenario)) for scenario in scenarios]
    jobs = [job for scenario, outcome in known for job in jobs_of(rig, scenario, outcome)]
    with ThreadPoolExecutor(LANES) as pool:
        # Those that take longest go first.
        done = list(pool.map(Job.run, sorted(jobs, key=lambda job: -DEALS.get(job.kind, 0))))
        done += pool.map(Job.run, second_goes(rig, done))
    outcomes = [outcome for job in done for outcome in job.outcomes]
    notices(rig, outcomes)
    for scenario, outcome in known:
        report(scenario, outcome, [job for job in done if job.scenario is scenario])
    faults, deliveries = (sum(numbers) for numbers in zip(*((one.strike.faults, one.deliveries) for one in outcomes)))
    print(f"{len(outcomes)} objects, {faults} faults, {deliveries} deliveries in {time.monotonic() - begun:.0f} s")
    missed = [f"{one.told()} after {len(one.strike.arrived)} calls" for job in done for one in job.missed()]
    print("".join(f"ended before its call was made, and had a second go: {told}\n" for told in missed), end="")
    wrong = [outcome.told() for outcome in outcomes if outcome.wrong.total()]
    assert not wrong, "\n".join([f"{len(wrong)} objects came to something else:", *wrong[:20]])
    made = {(job.scenario.name, job.kind, one.strike.target) for job in done for one in job.outcomes if one.strike.struck}
    planned = {(job.scenario.name, job.kind, target) for job in done for target in job.targets}
    assert made == planned, f"never struck, since their index lies beyond the calls that were made: {planned - made}"


def second_goes(rig, jobs):
    """A machine that was held up may have spent the time of an invocation before the service was to be silent."""
    for job in jobs:
        if missed := job.missed():
            targets = [outcome.strike.target for outcome in missed]
            yield Job(rig, job.scenario, f"s{next(JOBS):03}", job.kind, targets, 5 * job.seconds)


def notices(rig, outcomes):
    """Each event of each object was told, and each time by the same id of its own and of its run."""
    told = {}
    for body in rig.heard():
        place = body["source"]["uri"].split("/")[3]
        told.setdefault((place, body["event"]), set()).add((body["noticeId"], body["id"]))
    for outcome in outcomes:
        for event in ("success", "quarantine", "failure"):
            ids = told.get((outcome.place, event), ())
            outcome.wrong["untold"] += abs(len(ids) - outcome.given.notices.get(event, 0))


def report(scenario, dry_one, jobs):
    heads = ["kind", "struck", "of", "faults", "1 delivery", "2", "3", *JUDGED]
    lines = [heads]
    for kind in [*scenario.kinds, "all"]:
        these = [outcome for job in jobs for outcome in job.outcomes if kind in (job.kind, "all")]
        deliveries = Counter(one.deliveries for one in these)
        wrong = sum((one.wrong for one in these), Counter())
        numbers = [sum(bool(one.strike.struck) for one in these), len(these), sum(one.strike.faults for one in these)]
        lines.append([kind, *numbers, deliveries[1], deliveries[2], deliveries[3], *(wrong[name] for name in JUDGED)])
    calls, struck = len(dry_one.strike.arrived), Counter(one.strike.struck for one in these if one.strike.struck)
    print(f"\n{scenario.name}: {calls} calls, {len(targets(scenario, dry_one.strike.arrived))} of them struck")
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(heads))]
    for line in lines:
        print("  ".join(str(cell).rjust(width) for cell, width in zip(line, widths)))
    operations = Counter()
    for name, times in struck.items():
        operations[name.split()[0]] += times
    print("  struck: " + ", ".join(f"{name} {times}" for name, times in sorted(operations.items())))


def calls_of_a_first_delivery(rig, _):
    """A lake, a table and its catalog entry come to be with the object."""
    sweep(rig, Scenario("first object of a lake", first))


def calls_of_a_bad_object(rig, _):
    """It fails, is told and copied, and nothing else comes of it."""
    sweep(rig, Scenario("bad object", bad, more='failed = { copy_to = "s3://BUCKET/PLACE/" }'))


def calls_of_a_large_delivery(_, arguments):
    """Uploads in parts are made, completed and swept: trouble that one more attempt mends."""
    of_large(arguments, Scenario("large object", large_beside_another, heavy=True, kinds=PASSING))


def calls_of_a_large_delivery_that_fails(_, arguments):
    """The same under trouble that lasts, or is no reason to try the call again."""
    kinds = tuple(kind for kind in KINDS if kind not in PASSING)
    of_large(arguments, Scenario("large object", large_beside_another, heavy=True, kinds=kinds))


def calls_of_a_large_one_left_undone(_, arguments):
    """Uploads are there and wait for being completed, or are made again for those that are not."""
    of_large(arguments, Scenario("large one left undone", large_left_undone, heavy=True, only="Upload"))


def of_large(arguments, scenario):
    """By moto: MiniStack takes a second to check the parts of one upload."""
    sweep(Rig(arguments.moto, "calls_of_large", arguments.zip), scenario)


def calls_of_a_version_that_replaces(rig, _):
    """The rows of the version before go."""
    sweep(rig, Scenario("re-upload that replaces", replaced))


def calls_of_a_version_that_is_added(rig, _):
    """The rows of the version before stay."""
    sweep(rig, Scenario("re-upload that is added", appended, spec=APPENDING))


def calls_of_what_is_there_already(rig, _):
    """Done already: nothing comes twice. Committed and left undone: it is made and published again."""
    sweep(rig, Scenario("duplicate", delivered_twice), Scenario("small one left undone", left_undone))


def calls_of_a_growing_table(rig, _):
    """Types are learned, and a column comes in: the contract is swapped, the catalog follows."""
    sweep(rig, Scenario("new column", grown, spec=EVOLVING, more='contract = "learn"'))


def calls_of_a_late_version(rig, _):
    """The version before was left undone longer than anybody works on it: both count, since both can be read."""
    rig.s3.put_bucket_versioning(Bucket=rig.raw, VersioningConfiguration={"Status": "Enabled"})
    # From there on it is what is added to any version.
    own = "PutObject .*/commits/.*/000002.json"
    sweep(rig, Scenario("added to one left undone", left_undone_and_added_to, spec=APPENDING, until=own))
