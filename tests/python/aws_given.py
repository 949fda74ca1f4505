"""What the cases give to the function and how they judge what comes of it: configurations, objects, rows.

Not for cases themselves, nor for what is deployed around the function (`aws_rig.py`).
"""

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64encode
from pathlib import Path

from aws_read import quarantined
from check_lake import EXPECTED, canonical

EXAMPLES = Path(__file__).parents[1] / "examples"


def pipeline(rig, name, source, spec=None, more="", catalog=True):
    """A section of `lakegate.toml` with everything that a rig has."""
    told = f'spec = "{spec}"' if spec else f'table = "{name}"'
    tables = f'[pipeline.{name}.catalog]\nkind = "glue"\ndatabase = "{rig.database}"\n' if catalog else ""
    return f"""
[pipeline.{name}]
source = "s3://{rig.raw}/{source}"
{told}
lake = "s3://{rig.lake}/"
{more}
{tables}
[pipeline.{name}.notify]
success = "{rig.topic}"
failure = "{rig.topic}"
quarantine = "{rig.topic}"
"""


def config(*pipelines):
    return "version = 1\n" + "".join(pipelines)


def spec_of(example):
    return (EXAMPLES / example / "transform.toml").read_text()


def same_rows(found, wanted, columns):
    found, wanted = canonical(found, columns), canonical(wanted, columns)
    if found != wanted:
        missing, extra = [row for row in wanted if row not in found], [row for row in found if row not in wanted]
        some = f"missing {str(missing[:3])[:500]}, too many {str(extra[:3])[:500]}"
        raise AssertionError(f"{len(found)} rows, wanted {len(wanted)}; {some}")


def expected_of_the_examples():
    """(pipeline, table, types, rows) as plain Python reads them from the raw files."""
    for example, expect in EXPECTED.items():
        folder = EXAMPLES / example
        with tempfile.TemporaryDirectory() as copy:
            if example == "orders-contract":  # nobody mends the record in quarantine here
                shutil.copy(folder / "orders.ndjson", copy)
                (Path(copy) / "fixed.ndjson").touch()
                folder = Path(copy)
            for table, (types, rows) in expect(folder).items():
                yield example, "processed_orders" if example == "sales" else table, types, rows


def quarantined_orders(rig, table):
    """The quarantine of `orders-contract` by what Glue says of it: the raw lines, and why each was rejected."""
    found = quarantined(rig, table)
    raw = (EXAMPLES / "orders-contract/orders.ndjson").read_text().splitlines()
    why = {5: "check_failed", 10: "check_failed", 14: "type_mismatch", 18: "unknown_column"}
    assert {line["line"]: line["code"] for line in found} == why and len(found) == len(why), found
    assert all(line["raw"] == raw[line["line"] - 1] for line in found), found
    assert len({line["id"] for line in found}) == 1 and not any(line["failed"] for line in found), found
    assert all(line["source"].endswith("/orders.ndjson") and line["time"] for line in found), found


def left(rig, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = rig.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def numbered(records, bytes_each, bad=(), days=3, month=1):
    """NDJSON that does not compress, so that part files reach the size of a multipart's part."""
    noise = [b64encode(os.urandom(bytes_each * 3 // 4)).decode() for _ in range(records)]
    rows = [{"id": n, "day": f"2025-{month:02}-0{n % days + 1}", "noise": noise[n]} for n in range(records)]
    lines = ["nonsense" if row["id"] in bad else json.dumps(row) for row in rows]
    return "\n".join(lines).encode(), [row for row in rows if row["id"] not in bad]


# Columns that a comparison of rows looks at.
COLUMNS = ["id", "noise", "day"]


def of_both_kinds(bad=(3,), month=1):
    """One part file of several parts of a multipart upload, and two that are put by one request each."""
    large, rows = numbered(800, 12000, bad, 1, month)
    small, more = numbered(9, 200, month=month)
    return large + b"\n" + small, rows + more


NUMBERED = """
[output]
max_rejected = "50%"

[[table]]
name = "numbered"
mode = "freeze"
partition_by = ["day"]

[[table.column]]
name = "id"
type = "bigint"

[[table.column]]
name = "noise"
type = "string"

[[table.column]]
name = "day"
type = "string"
"""


def numbered_files(rig, **more):
    text = config(pipeline(rig, "numbered", "in/", "numbered.toml", **more))
    return {"lakegate.toml": text, "numbered.toml": NUMBERED}


def assert_says(answer, *words):
    text = json.dumps(answer)
    lacking = [word for word in words if word not in text]
    assert "errorType" in answer and not lacking, f"no {lacking} in {answer}"


class Command:
    """`lakegate`, by hand, through the deployed configuration."""

    def __init__(self, rig, arguments, files):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.binary = arguments.lakegate
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        self.environment = os.environ | keys | {"AWS_ENDPOINT_URL": rig.endpoint, "NO_COLOR": "1"}

    def __call__(self, *words, code=0):
        ran = subprocess.run(
            [self.binary, *words], cwd=self.folder.name, env=self.environment, capture_output=True, text=True
        )
        assert code is None or ran.returncode == code, f"{words} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return json.loads(ran.stdout) if "--json" in words and ran.stdout else ran.stdout + ran.stderr
