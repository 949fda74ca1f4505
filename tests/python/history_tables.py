"""The load history as Athena would read it: the tables and questions of `history.json`, by DuckDB, over a lake's lines.

`history.json` is what `host-lambda/lake/src/history.rs` makes, held to it by a unit test. Here nothing is learned from the
files: columns are read by the types that the tables declare. Not for Glue or Athena themselves.
"""

import json
import re
import tempfile
from pathlib import Path

import duckdb

TABLES = json.loads(Path(__file__).with_name("history.json").read_text())
SCALARS = {"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "boolean": "BOOLEAN"}


def duckdb_type(athena):
    """`array<struct<a:bigint>>` as DuckDB has it."""
    if inner := re.fullmatch(r"array<(.*)>", athena):
        return f"{duckdb_type(inner[1])}[]"
    if inner := re.fullmatch(r"struct<(.*)>", athena):
        fields = [field.split(":") for field in inner[1].split(",")]
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(kind)}' for name, kind in fields) + ")"
    return SCALARS[athena]


def rows_of(table, files):
    """A table's rows over files, as an expression of DuckDB."""
    columns = ", ".join(f"'{column['name']}': '{duckdb_type(column['type'])}'" for column in table["columns"])
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_json([{listed}], format = 'newline_delimited', columns = {{{columns}}}, hive_partitioning = false, filename = true)"


class History:
    """Both tables of a pipeline over a lake in a folder."""

    def __init__(self, lake, pipeline):
        self.sql = duckdb.connect()
        # What Trino calls so.
        self.sql.execute("CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ)")
        self.sql.execute("CREATE SCHEMA d")
        self.files = {}
        for name in ("loads", "failures"):
            table = TABLES[name]
            place = table["location"].replace("LAKE", str(lake)).replace("pipeline=p/", f"pipeline={pipeline}/")
            folder = Path(place if name == "loads" else place.replace("/p/", f"/{pipeline}/"))
            self.files[name] = sorted(folder.rglob("*.json"))
            days = ", regexp_extract(filename, 'day=([0-9-]+)/', 1) AS day" if table["partition_keys"] else ""
            types = [(column["name"], duckdb_type(column["type"])) for column in table["columns"]]
            typed = ", ".join(f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in types)
            rows = rows_of(table, self.files[name]) if self.files[name] else f"(SELECT {typed}, '' AS filename WHERE false)"
            self.sql.execute(f"CREATE TABLE d.p_{name} AS SELECT * EXCLUDE filename{days} FROM {rows}")

    def nulls(self, name):
        """Columns that are null somewhere although the table says that every row has a value."""
        filled = [column["name"] for column in TABLES[name]["columns"] if column["filled"]]
        counts = ", ".join(f'count(*) - count("{column}")' for column in filled)
        found = self.sql.execute(f"SELECT {counts} FROM d.p_{name}").fetchone()
        return [column for column, count in zip(filled, found) if count]

    def ask(self, question):
        """Answers of one of the questions, a dict a row."""
        sql = next(one["sql"] for one in TABLES["questions"] if one["name"] == question)
        answer = self.sql.execute(sql)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row)) for row in answer.fetchall()]


def check(checks, name, lake):
    """A lake's lines are rows of the tables, whole, and every question has an answer."""
    for folder in sorted((lake / "_lakegate" / "loads").iterdir()):
        pipeline = folder.name.removeprefix("pipeline=")
        history = History(lake, pipeline)
        lines = [json.loads(file.read_text()) for file in history.files["loads"]]
        told = f"{name}, {pipeline}"
        checks.same(f"{told}: rows", history.sql.execute("SELECT count(*) FROM d.p_loads").fetchone()[0], len(lines))
        for table in ("loads", "failures"):
            checks.same(f"{told}: columns of {table} that are null", history.nulls(table), [])
        known = {column["name"] for column in TABLES["loads"]["columns"]}
        checks.same(f"{told}: fields that are no column", sorted({field for line in lines for field in line} - known), [])
        wanted = sum(line["rows"] for line in lines if "void" not in line and line["reason"] != "retract")
        found = sum(row["rows_written"] for row in history.ask("what_came_in"))
        checks.same(f"{told}: rows that came in", found, wanted)
        for question in TABLES["questions"]:
            history.ask(question["name"])


def rolled(file):
    """Rows of a rolled day, read as the table declares it: columns by DuckDB's names for their types."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as kept:
        kept.write(file)
        kept.flush()
        found = duckdb.sql(f"SELECT * FROM read_parquet('{kept.name}', hive_partitioning = false)")
        types = list(zip(found.columns, (str(kind).replace('"', "") for kind in found.types)))
        wanted = [(column["name"], duckdb_type(column["type"]).replace('"', "")) for column in TABLES["rolled"]["columns"]]
        assert types == wanted, f"{types}\n{wanted}"
        return [dict(zip(found.columns, row)) for row in found.fetchall()]
