"""Where the cases of `aws_verbs.py` happen: one and the same case in a folder and in a bucket.

A `World` belongs to one case. It hides its home: what is put is a file below a folder of its own or an object in a
bucket of its own, and the case has but the place's name, which it gives to `lakegate`. Sources of pipelines are
always objects, since a pipeline takes only those; so a world in a folder has a bucket as well.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
import uuid
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import boto3
import duckdb
import pyarrow
import pyarrow.parquet
from aws_read import Table
from botocore.config import Config
from check_lake import canonical

HOMES = ("folder", "ministack", "moto")
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
# `aws_read.py` shares one connection to DuckDB, which refuses a second call at once.
READING = Lock()
# Longer than anything here takes on a slow machine.
WAIT_SECONDS = 120


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    json: dict
    stderr: str


class Folder:
    """Things in a folder, by paths that begin where the command runs."""

    def __init__(self, root):
        self.root = Path(root)

    def place(self, key):
        return key or "."

    def write(self, key, body):
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def read(self, key):
        return (self.root / key).read_bytes()

    def delete(self, key):
        (self.root / key).unlink()

    def names(self, prefix):
        paths = sorted(path for path in self.root.rglob("*") if path.is_file())
        names = [path.relative_to(self.root).as_posix() for path in paths]
        return [name for name in names if name.startswith(prefix)]


@cache
def client(service, endpoint):
    """One for all worlds: to make one costs more than most cases."""
    settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}, max_pool_connections=50)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.session.Session().client(service, endpoint_url=endpoint, config=settings, **keys)


class Bucket:
    """Things in a bucket, by URI."""

    def __init__(self, endpoint, name):
        self.s3, self.name = client("s3", endpoint), name
        self.s3.create_bucket(Bucket=name)

    def place(self, key):
        return f"s3://{self.name}/{key}"

    def write(self, key, body):
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def read(self, key):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def delete(self, key):
        self.s3.delete_object(Bucket=self.name, Key=key)

    def names(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(thing["Key"] for page in pages for thing in page.get("Contents", []))


class World:
    """One case's files, objects and commands. Keys are names in its home: `lake/orders/x.parquet`."""

    def __init__(self, home, arguments, calls):
        self.home, self.calls, self.binary = home, calls, str(Path(arguments.lakegate).resolve())
        self._folder = tempfile.TemporaryDirectory(prefix="lakegate-verbs-")
        self.cwd = Path(self._folder.name)
        # Where commands run: the folder itself, or one below it.
        self.below = ""
        self.endpoint = arguments.moto if home == "moto" else arguments.ministack
        self.bucket = Bucket(self.endpoint, f"verbs-{uuid.uuid4().hex[:12]}")
        self.store = Folder(self.cwd) if home == "folder" else self.bucket
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAKEGATE_"))}
        self.environment = outside | KEYS | {"AWS_ENDPOINT_URL": self.endpoint, "NO_COLOR": "1"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    # --- things in the home ---------------------------------------------------------------------------

    def place(self, key):
        """What the command line calls it; a prefix ends in `/`."""
        return self.store.place(key)

    def lake(self, name="lake"):
        return self.place(f"{name}/")

    def put(self, key, body):
        self.store.write(key, body if isinstance(body, bytes) else body.encode())
        return self.place(key)

    def get(self, key):
        return self.store.read(key)

    def delete(self, key):
        self.store.delete(key)

    def names(self, prefix=""):
        return self.store.names(prefix)

    def parts(self, table, lake="lake"):
        return [name for name in self.names(f"{lake}/{table}/") if name.endswith(".parquet")]

    def commits(self, lake="lake"):
        return self.names(f"{lake}/_lakegate/commits/")

    # --- the catalog: in a bucket's home ---------------------------------------------------------------

    def make_catalog(self):
        """Its database, and where lineage goes, as keys of a pipeline."""
        self.database = self.bucket.name.replace("-", "_")
        self.client("glue").create_database(DatabaseInput={"Name": self.database})
        tables = f'[pipeline.orders.catalog]\nkind = "glue"\ndatabase = "{self.database}"\n'
        return f'{tables}[pipeline.orders.lineage]\nwrite_to = "{self.bucket.place("lineage/")}"\n'

    @property
    def s3(self):
        return self.bucket.s3

    def client(self, service):
        return client(service, self.endpoint)

    def queried(self, table="orders"):
        """The table as Athena would have it: what the catalog lists, and nothing else."""
        with READING:
            found = Table(self, table)
            found.check_partitions()
            return found.types, found.rows()

    # --- things that are always here, or always in a bucket -------------------------------------------

    def file(self, name, text):
        """A file that a person edits."""
        (self.cwd / name).write_text(text)
        return name

    def source(self, key, body):
        """An object that a pipeline takes."""
        self.bucket.write(key, body)
        return self.bucket.place(key)

    # --- commands -------------------------------------------------------------------------------------

    def run(self, *words):
        """Runs the command; its answer is JSON."""
        self.calls.append((self.home, words))
        words = (*words, "--json")
        ran = subprocess.run(
            [self.binary, *words], cwd=self.cwd / self.below, env=self.environment, capture_output=True, text=True,
            timeout=WAIT_SECONDS,
        )
        try:
            answer = json.loads(ran.stdout)
        except ValueError:
            raise AssertionError(f"{words} printed no JSON, {ran.returncode}\n{ran.stdout}{ran.stderr}") from None
        return Ran(ran.returncode, answer, ran.stderr)

    def did(self, *words, code=0):
        """What it answers, where it ends as it should."""
        ran = self.run(*words)
        assert ran.code == code, f"{' '.join(words)} ended with {ran.code}, not {code}\n{str(ran.json)[:500]}\n{ran.stderr}"
        return ran.json

    def refused(self, *words, code):
        """Its exit code, where it ends with this problem."""
        ran = self.run(*words)
        found = ran.json.get("error", {}).get("code")
        told = f"{ran.code}, {found}, not {code}\n{str(ran.json)[:500]}\n{ran.stderr}"
        assert found == code, f"{' '.join(words)} ended with {told}"
        return ran.code

    def serve(self, *words):
        self.calls.append((self.home, ("serve", *words)))
        return Serving(self, words)

    # --- what is in the tables ------------------------------------------------------------------------

    def rows(self, table, lake="lake"):
        """All rows, by DuckDB and by pyarrow, which must see the same."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, key in enumerate(self.parts(table, lake)):
                paths.append(f"{folder}/{number}.parquet")
                Path(paths[-1]).write_bytes(self.get(key))
            if not paths:
                return []
            with duckdb.connect() as connection:
                read = connection.sql(f"SELECT * FROM read_parquet({paths}, union_by_name = true)")
                rows = [dict(zip(read.columns, row)) for row in read.fetchall()]
            tables = [pyarrow.parquet.read_table(path) for path in paths]
            arrow = pyarrow.concat_tables(tables, promote_options="default").to_pylist()
            columns = list(rows[0])
            assert canonical(rows, columns) == canonical(arrow, columns), f"DuckDB {rows}\npyarrow {arrow}"
        return rows


class Serving:
    """`lakegate serve` as long as the block lasts."""

    def __init__(self, world, words):
        words = [world.binary, "serve", *words, "--port", "0", "--json"]
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            words, cwd=world.cwd, env=world.environment, stdout=subprocess.PIPE, stderr=self.said, text=True
        )

    def __enter__(self):
        line = self.process.stdout.readline()
        assert line, f"it did not start: {self._words()}"
        self.began = json.loads(line)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()

    def _words(self):
        self.process.wait()
        self.said.seek(0)
        return self.said.read()

    def ask(self, path, body=None):
        method = "GET" if body is None else "PUT"
        request = urllib.request.Request(f"{self.began['address']}{path}", body, method=method)
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.loads(answer.read())

    def upload(self, name, body):
        """Uploads a raw file and waits for its commit."""
        self.ask(f"api/raw/{name}", body)
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = [one for one in self.ask("api/commits")["commits"] if one["name"] == name and one["done"]]
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"{name} was not taken in {WAIT_SECONDS} s: {self.ask('api/failures')}")
