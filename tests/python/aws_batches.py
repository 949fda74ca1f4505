"""Many objects in one event: side by side, in their order where they have one key, and what becomes of them when a
transform does not end.
"""

import os

from aws_damages import handed_back
from aws_given import COLUMNS, config, numbered, pipeline, same_rows
from aws_proxy import Proxy, longest_chain
from aws_read import Table
from aws_runtime import Function

SPEC = '[[table]]\nname = "numbered"\nmode = "freeze"\n' + "".join(
    f'[[table.column]]\nname = "{name}"\ntype = "{kind}"\n'
    for name, kind in (("id", "bigint"), ("day", "string"), ("noise", "string"))
)


def files_of(rig, limits=""):
    rig.make_catalog()
    text = config(pipeline(rig, "numbered", "in/", "numbered.toml", limits))
    return {"lakegate.toml": text, "numbered.toml": SPEC}


def put_many(rig, count, names="in/{}.ndjson"):
    """Records of events, and the rows of all: 20 KB each, with numbers of their own."""
    records, rows = [], []
    for number in range(count):
        body, wanted = numbered(20, 1000 - 50)
        records.append(rig.put(names.format(number), body))
        rows += wanted
    return records, rows


def at_once(calls):
    """How many requests waited for their answers together at most."""
    return max(sum(came <= moment < went for _, _, came, went in calls) for _, _, moment, _ in calls)


def a_batch_goes_side_by_side(rig, _):
    """Fifty objects wait for S3 together: hardly longer than one does; and each row is there once."""
    with Proxy(rig.through) as proxy, Function(rig, files_of(rig), {"AWS_ENDPOINT_URL": proxy.url}) as function:
        (first,), rows = put_many(rig, 1, "in/first{}.ndjson")
        assert handed_back(function, {"first": first}) == set()  # starts the function, makes lake and table
        (one,), more = put_many(rig, 1, "in/one{}.ndjson")
        rows += more
        proxy.delay, proxy.calls = 0.1, []
        assert handed_back(function, {"one": one}) == set()
        alone = longest_chain(proxy.calls)
        records, more = put_many(rig, 50)
        rows += more
        # Long enough that the stand-in's own time, which answers one after the other, does not hide who waits for whom.
        proxy.delay, proxy.calls = 0.5, []
        before = function.processor_seconds()
        assert handed_back(function, {str(number): record for number, record in enumerate(records)}) == set()
        spent = function.processor_seconds() - before
        together, most = longest_chain(proxy.calls), at_once(proxy.calls)
        proxy.delay = 0
        assert most >= 40, f"of 50 objects no more than {most} requests wait at once"
        # Two uploads under one key: the later one counts, whichever of the two events stands first.
        body, _ = numbered(20, 1000 - 50)
        old = rig.put("in/twice.ndjson", body)
        body, more = numbered(20, 1000 - 50)
        new = rig.put("in/twice.ndjson", body)
        rows += more
        assert handed_back(function, {"new": new, "old": old}) == set()
        same_rows(Table(rig, "numbered").rows(), rows, COLUMNS)
        print(
            f"batch of 50: {most} requests at once, {together} one after the other ({alone} for a lone object), "
            f"{spent * 1000 / 50:.1f} CPU ms an object"
        )


def a_transform_that_does_not_end(rig, _):
    """The rest of its batch goes back, the process ends after the answer, also on one core; the next takes them all."""
    files = files_of(rig, "limits.step_seconds = 1")
    records, rows = put_many(rig, 5)
    named = {str(number): record for number, record in enumerate(records)}
    with Function(rig, files, {"LAKEGATE_SPIN_AT": "push"}) as function:
        for task in os.listdir(f"/proc/{function.process.pid}/task"):
            os.sched_setaffinity(int(task), {0})
        back = handed_back(function, named)
        assert back == set(named), f"{back}\n{function.said()}"
        function.process.wait(timeout=60)
        said = function.said()
        assert "does not end" in said and '"transform_deadline"' in said, said
    assert rig.open_uploads() == []
    with Function(rig, files) as function:
        assert handed_back(function, named) == set()
    same_rows(Table(rig, "numbered").rows(), rows, COLUMNS)
