"""Measures the function as deployed, and says what came out in one line. Nothing is judged here but the rows.

    aws_measure.py put_to_queryable --zip FILE [--objects 100] [--bytes 20000] [--every 0.5]
    aws_measure.py memory --zip FILE [--megabytes 100] [--dates 365]

`put_to_queryable`: from the return of `put_object` over bucket notification, queue, function and catalog to
the notice, which is only sent once the rows can be queried; the notice's time is the one that its queue gave
it. The stand-in looks into the queue when something is sent, and runs batches of up to ten objects.

`memory`: the most memory that one process of `bootstrap` had over one object, and its processor seconds.

The stand-ins are started where `--ministack` does not name one that runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from aws_given import COLUMNS, numbered, numbered_files, same_rows
from aws_read import Table
from aws_rig import Rig, until
from aws_runtime import Function


def put_to_queryable(rig, arguments):
    """p50, p95 and the longest, in milliseconds."""
    rig.make_catalog()
    queue = rig.queue("events", {"VisibilityTimeout": "600"})
    rig.deploy(numbered_files(rig), queue)
    rig.notify_queue(queue, "in/")
    rows_each = max(1, arguments.bytes // 1000)
    # The first one starts the function and makes the table; it does not count.
    body, wanted = numbered(rows_each, 1000 - 50)
    rig.put("in/first.ndjson", body)
    sent_times(rig, 1)
    put, begun = {}, time.monotonic()
    for number in range(arguments.objects):
        time.sleep(max(0, begun + number * arguments.every - time.monotonic()))
        body, rows = numbered(rows_each, 1000 - 50)
        wanted += rows
        rig.put(f"in/{number}.ndjson", body)
        put[f"s3://{rig.raw}/in/{number}.ndjson"] = time.time()
    sent = sent_times(rig, arguments.objects)
    took = sorted(1000 * (sent[uri] - moment) for uri, moment in put.items())
    same_rows(Table(rig, "numbered").rows(), wanted, COLUMNS)
    share = lambda part: f"{took[min(len(took) - 1, int(part * len(took)))]:.0f} ms"
    print(
        f"put to queryable: {len(took)} objects of {len(body) / 1000:.0f} KB, one every {arguments.every} s: "
        f"p50 {share(0.5)}, p95 {share(0.95)}, max {took[-1]:.0f} ms; {surroundings(arguments)}"
    )


def sent_times(rig, count):
    """When the notice of each object was sent: {URI: seconds}."""
    sqs, found = rig.client("sqs"), {}

    def ask():
        answer = sqs.receive_message(
            QueueUrl=rig.notices, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["SentTimestamp"]
        )
        for message in answer.get("Messages", []):
            body = json.loads(json.loads(message["Body"])["Message"])
            assert body["event"] == "success", body
            found[body["source"]["uri"]] = int(message["Attributes"]["SentTimestamp"]) / 1000
            sqs.delete_message(QueueUrl=rig.notices, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    until(f"{count} notices", ask, 600)
    return found


def memory(rig, arguments):
    """High water and processor seconds of one process over one object with many partitions."""
    rig.make_catalog()
    first, pad = date(2025, 1, 1), "x" * 60
    size, number = 0, 0
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        while size < arguments.megabytes * 1_000_000:
            # Every date comes again and again, in an order that is not sorted.
            day = first + timedelta(days=number * 2654435761 % 2**32 % arguments.dates)
            noise = f"{number * 48271 % 2147483647:010}{pad}"
            size += file.write(f'{{"id": {number}, "noise": "{noise}", "day": "{day}"}}\n')
            number += 1
        file.flush()
        rig.s3.upload_file(file.name, rig.raw, "in/large.ndjson")
    head = rig.s3.head_object(Bucket=rig.raw, Key="in/large.ndjson")
    record = rig.record("in/large.ndjson", head["ContentLength"], head["ETag"])
    with Function(rig, numbered_files(rig)) as function:
        begun = time.monotonic()
        answer = function.call({"Records": [record]})
        seconds, high, cpu = time.monotonic() - begun, function.high_water(), function.processor_seconds()
        start = function.start_seconds
    assert answer and answer.get("objects") and answer["objects"][0]["rows"] == number, answer
    print(
        f"memory: {size / 1e6:.0f} MB of NDJSON, {number} rows in {arguments.dates} partitions: high water "
        f"{high / 2**20:.0f} MiB, {cpu:.1f} processor seconds, {seconds:.1f} s, start to first poll "
        f"{1000 * start:.0f} ms; {surroundings(arguments)}"
    )


def surroundings(arguments):
    return f"{arguments.zip.name}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["put_to_queryable", "memory"])
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--ministack")
    parser.add_argument("--objects", type=int, default=100)
    parser.add_argument("--bytes", type=int, default=20_000)
    parser.add_argument("--every", type=float, default=0.5)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--dates", type=int, default=365)
    arguments = parser.parse_args()
    peers = None
    if not arguments.ministack:
        script = Path(__file__).with_name("aws_peers.py")
        peers = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        arguments.ministack = json.loads(peers.stdout.readline())["ministack"]
    try:
        measure = {"put_to_queryable": put_to_queryable, "memory": memory}[arguments.what]
        measure(Rig(arguments.ministack, arguments.what, arguments.zip), arguments)
    finally:
        if peers:
            peers.stdin.close()
            peers.wait()


if __name__ == "__main__":
    main()
