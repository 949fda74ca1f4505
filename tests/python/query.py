"""Asks a lake the questions of an SQL file, through DuckDB.

    query.py LAKE queries.sql

Each folder of the lake that holds part files becomes a view. Statements end with `;`, the comment above
one is its title.
"""

import sys
from pathlib import Path

import duckdb

ROWS_SHOWN = 12


def connect(lake):
    """A connection that sees every table of the lake as a view."""
    connection = duckdb.connect()
    for table in tables(lake):
        pattern = str(table / "**" / "*.parquet").replace("'", "''")
        # Files of an evolving table have columns that older ones lack: joined by name.
        connection.execute(
            f'CREATE VIEW "{table.name}" AS SELECT * FROM '
            f"read_parquet('{pattern}', union_by_name = true, hive_partitioning = true)"
        )
    return connection


def tables(lake):
    """The table folders of a lake: those with part files, not the ones Lakegate keeps for itself."""
    folders = (folder for folder in sorted(Path(lake).iterdir()) if folder.is_dir())
    return [f for f in folders if not f.name.startswith("_") and any(f.rglob("*.parquet"))]


def statements(text):
    """Yields (title, statement)."""
    for piece in text.split(";\n"):
        lines = [line for line in piece.strip().splitlines() if line.strip()]
        title = " ".join(line[2:].strip() for line in lines if line.startswith("--"))
        body = "\n".join(line for line in lines if not line.startswith("--"))
        if body:
            yield title, body


def cell(value):
    if value is None:
        return "·"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def show(names, rows):
    """Prints a table: two spaces between columns, numbers to the right."""
    columns = list(zip(*[[cell(value) for value in row] for row in rows[:ROWS_SHOWN]])) or [[] for _ in names]
    widths = [max([len(name), *map(len, column)]) for name, column in zip(names, columns)]
    right = [any(isinstance(row[i], (int, float)) for row in rows) for i in range(len(names))]

    def line(cells):
        return "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right)).rstrip()

    print("    " + line(names))
    print("    " + "  ".join("─" * width for width in widths))
    for row in rows[:ROWS_SHOWN]:
        print("    " + line([cell(value) for value in row]))
    if len(rows) > ROWS_SHOWN:
        print(f"    … {len(rows) - ROWS_SHOWN} more")


def main():
    lake, questions = sys.argv[1:]
    connection = connect(lake)
    for title, statement in statements(Path(questions).read_text(encoding="utf-8")):
        result = connection.execute(statement)
        print(f"\n  {title}")
        show([column[0] for column in result.description], result.fetchall())


if __name__ == "__main__":
    main()
