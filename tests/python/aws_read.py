"""Reads tables back from a stand-in for AWS the way Athena would: over what the catalog lists, and nothing else.

Only boto3, DuckDB and pyarrow: nothing of Lakegate takes part.
"""

import tempfile
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlparse

import duckdb
import pyarrow.parquet
from check_lake import ARROW_TYPES, DUCKDB_TYPES, canonical

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def place(uri):
    parts = urlparse(uri)
    return parts.netloc, parts.path.lstrip("/")


def files_in(s3, uri):
    """Keys of the part files directly in a folder, as Athena sees them: not those with `_` or `.` in front."""
    bucket, prefix = place(uri)
    prefix = prefix.rstrip("/") + "/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [thing["Key"] for page in pages for thing in page.get("Contents", [])]
    names = [(key, key[len(prefix) :]) for key in keys]
    return bucket, [key for key, name in names if "/" not in name and name[:1] not in ("_", ".", "")]


class Table:
    """A table of the catalog: declared types, and rows by two readers."""

    def __init__(self, rig, name):
        self.rig, self.glue = rig, rig.client("glue")
        self.entry = self.glue.get_table(DatabaseName=rig.database, Name=name)["Table"]
        self.columns = self._columns(self.entry["StorageDescriptor"])
        self.keys = {key["Name"]: key["Type"] for key in self.entry.get("PartitionKeys", [])}
        pages = self.glue.get_paginator("get_partitions").paginate(DatabaseName=rig.database, TableName=name)
        self.partitions = [one for page in pages for one in page["Partitions"]]

    @staticmethod
    def _columns(storage):
        return {column["Name"]: column["Type"] for column in storage["Columns"]}

    @property
    def types(self):
        """Declared: columns in order, the partition's last."""
        return self.columns | self.keys

    def places(self):
        """(folder, partition values) of exactly what the catalog lists."""
        if not self.keys:
            return [(self.entry["StorageDescriptor"]["Location"], [])]
        return [(one["StorageDescriptor"]["Location"], one["Values"]) for one in self.partitions]

    def check_partitions(self):
        """Each partition has the table's columns, so that no query ends in a mismatch."""
        for one in self.partitions:
            assert self._columns(one["StorageDescriptor"]) == self.columns, one
            assert "Columns" in one["StorageDescriptor"]

    def rows(self, of=""):
        """Rows by DuckDB; pyarrow must see the same, and the files' types must be the declared ones.

        Only of the files that have `of` in their key.
        """
        by_duckdb, by_arrow = [], []
        with tempfile.TemporaryDirectory() as folder:
            for number, (uri, values) in enumerate(self.places()):
                bucket, keys = files_in(self.rig.s3, uri)
                partition = dict(zip(self.keys, map(self._typed, self.keys.values(), values)))
                for index, key in enumerate(key for key in keys if of in key):
                    path = Path(folder) / f"{number}-{index}.parquet"
                    self.rig.s3.download_file(bucket, key, str(path))
                    by_duckdb += [row | partition for row in self._duckdb(path)]
                    by_arrow += [row | partition for row in self._arrow(path)]
        filled = [{name: None for name in self.types} | row for row in by_duckdb]
        other = [{name: None for name in self.types} | row for row in by_arrow]
        assert canonical(filled, list(self.types)) == canonical(other, list(self.types))
        return filled

    @staticmethod
    def _typed(kind, value):
        if value == HIVE_NULL:
            return None
        return {"date": date.fromisoformat, "bigint": int}.get(kind, unquote)(value)

    def _duckdb(self, path):
        relation = duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)")
        for name, kind in zip(relation.columns, map(str, relation.types)):
            assert kind == DUCKDB_TYPES[self.columns[name]], (name, kind, self.columns[name])
        return [dict(zip(relation.columns, row)) for row in relation.fetchall()]

    def _arrow(self, path):
        content = pyarrow.parquet.read_table(path, partitioning=None)
        for field in content.schema:
            assert field.type == ARROW_TYPES[self.columns[field.name]], field
        return content.to_pylist()


def folder_rows(rig, table):
    """Rows of a table that no catalog has: all part files below its folder, by DuckDB."""
    keys = [key for key in rig.keys(f"{table}/") if key.endswith(".parquet")]
    with tempfile.TemporaryDirectory() as folder:
        for key in keys:
            path = Path(folder) / key
            path.parent.mkdir(parents=True, exist_ok=True)
            rig.s3.download_file(rig.lake, key, str(path))
        if not keys:
            return []
        pattern = f"{folder}/{table}/**/*.parquet"
        relation = duckdb.sql(f"SELECT * FROM read_parquet('{pattern}', union_by_name = true, hive_partitioning = true)")
        return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def quarantined(rig, name):
    """What a table of quarantined lines holds, read as the catalog declares it."""
    entry = rig.client("glue").get_table(DatabaseName=rig.database, Name=name)["Table"]
    storage = entry["StorageDescriptor"]
    types = DUCKDB_TYPES | {"boolean": "BOOLEAN"}
    columns = {column["Name"]: types[column["Type"]] for column in storage["Columns"]}
    bucket, keys = files_in(rig.s3, storage["Location"])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, key in enumerate(keys):
            path = f"{folder}/{number}.jsonl"
            rig.s3.download_file(bucket, key, path)
            read = f"read_json('{path}', format = 'newline_delimited', columns = {columns})"
            relation = duckdb.sql(f"SELECT * FROM {read}")
            rows += [dict(zip(relation.columns, row)) for row in relation.fetchall()]
    return rows
