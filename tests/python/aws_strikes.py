"""The kinds of trouble that a single call can have, and the rule that brings one of them to one call of a delivery.

Not for how it is done at HTTP (`aws_proxy.py`), nor for what a delivery is struck for (`aws_sweep.py`).
"""

import json
import re

from aws_proxy import LOST, Fault

XML = "application/xml"
# Seconds of silence before a connection is closed. The function's clients wait for an answer for 60 seconds
# (`ANSWER` in `client.rs`). To them a connection that closes without a word is the same as one that was silent for
# too long: the SDK files both under transient errors, tries both again, after the same pauses, and whoever asked
# meets both as passing trouble. What only real silence shows, that a delivery ends in time, has a kind of its own.
SILENT = 0.3
# Longer than any delivery that is kept waiting may take; `Proxy.let_go` ends it with the delivery.
UNTIL_THE_END = 60


def refused(operation, status, code):
    """A service's no as it writes it: S3 and SNS in XML, Glue in JSON."""
    service, message = operation.split(":")[0], "struck by a test"
    if service == "glue":
        return status, "application/x-amz-json-1.1", json.dumps({"__type": code, "Message": message})
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == "sns":
        return status, XML, f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}</ErrorResponse>'
    return status, XML, f'<?xml version="1.0" encoding="UTF-8"?>{error}'


def is_s3(operation):
    return operation.startswith("s3:")


def timed_out(_operation, _method):
    return Fault(asked=0, silent=SILENT, arrives="none")


def silent(_operation, _method):
    return Fault(asked=0, silent=UNTIL_THE_END, arrives="none")


def throttled(operation, _method):
    return Fault(asked=0, answer=refused(operation, 503, "SlowDown" if is_s3(operation) else "ServiceUnavailable"))


def conflict(operation, _method):
    """Glue has no 409: it says so by the error's name."""
    if operation.startswith("glue:"):
        return Fault(asked=0, answer=refused(operation, 400, "ConcurrentModificationException"))
    return Fault(asked=0, answer=refused(operation, 409, "ConditionalRequestConflict"))


def done_before(operation, method):
    """What a second attempt meets when the first was done and nobody heard of it.

    That is a 412 where S3 is told to write something; Glue and SNS have none, and are asked a second time.
    """
    if not is_s3(operation):
        return Fault(asked=2)
    asked = 0 if method in ("GET", "HEAD") else 1
    return Fault(asked=asked, answer=refused(operation, 412, "PreconditionFailed"))


def lost(_operation, _method):
    return LOST


def torn(_operation, _method):
    """Half of a PUT's body comes to the service, else half of the answer to who asked."""
    return Fault(arrives="half")


# "503 on" fails every attempt of the same call until the delivery has ended, and so does "silent".
KINDS = {
    "timeout": timed_out,
    "503": throttled,
    "503 on": throttled,
    "409": conflict,
    "412": done_before,
    "lost": lost,
    "torn": torn,
    "silent": silent,
}
LASTING = ("503 on", "silent")
# One more attempt, which the SDK makes by itself, mends them: they cost no delivery.
PASSING = ("timeout", "503", "lost", "torn")


def call_of(operation, path, place):
    """A call by a name that it has in every place: without digests, times and numbers of runs."""
    path = path.replace(place, "*")
    path = re.sub(r"/loads/.*", "/loads/*", path)
    path = re.sub(r"/[^/]*-(\d+\.parquet)$", r"/*-\1", path)
    return f"{operation} {re.sub('[0-9a-f]{8,}', '*', path)}"


class Strike:
    """A rule of `Proxy` for one delivery: strikes the call that is its target, (name, which one of that name)."""

    def __init__(self, place, kind=None, target=None):
        self.place, self.kind, self.target = place, kind, target
        # Names of all calls in the order in which they arrived, and of the one that was struck, so many times.
        self.arrived, self.struck, self.faults = [], None, 0
        # What the service said to that, or was said in its place.
        self.hits = []

    def takes(self, operation, path):
        name = call_of(operation, path, self.place)
        call = name, self.arrived.count(name)
        self.arrived.append(name)
        if call == self.target:
            self.struck = name
        taken = call == self.target or (self.kind in LASTING and name == self.struck)
        self.faults += taken
        return taken

    def fault(self, operation, method):
        return KINDS[self.kind](operation, method)
