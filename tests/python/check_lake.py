"""Checks what the example pipelines wrote, with readers that know nothing of Lakegate.

    check_lake.py --examples tests/examples --lakes FOLDER

For every table: DuckDB's rows, pyarrow's rows, and the rows that plain Python computes from the raw files
must be the same, and so must the columns' types. Closing line: `check result: N passed, N failed`.
"""

import argparse
import csv
import json
import sys
from datetime import date
from pathlib import Path

import duckdb
import history_tables
import pyarrow
import pyarrow.parquet

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


# --- what the raw files say, in plain Python --------------------------------------------------------


def records(*paths):
    """The records of JSON documents and NDJSON files."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ndjson":
            yield from (json.loads(line) for line in text.splitlines() if line.strip())
        else:
            yield from json.loads(text)


def exploded(record):
    """The order's products; one empty product where there is none, so that no order vanishes."""
    return record.get("products") or [{}]


def order_rows(*paths):
    """The twelve columns, one row per product, and the coupon that came later."""
    for record in records(*paths):
        customer, coupon = record.get("customer") or {}, record.get("coupon") or {}
        for item in exploded(record):
            yield {
                "order_id": record["order_id"],
                "order_date": record["order_date"],
                "total_amount": float(record["total_amount"]),
                "customer_id": customer.get("customer_id"),
                "customer_name": customer.get("name"),
                "email": customer.get("email"),
                "address": customer.get("address"),
                "product_id": item.get("product_id"),
                "product_name": item.get("name"),
                "category": item.get("category"),
                "price": item.get("price"),
                "quantity": item.get("quantity"),
                "coupon_code": coupon.get("code"),
                "coupon_percent": coupon.get("percent"),
            }


TWELVE = {
    "order_id": "bigint",
    "order_date": "string",
    "total_amount": "double",
    "customer_id": "bigint",
    "customer_name": "string",
    "email": "string",
    "address": "string",
    "product_id": "string",
    "product_name": "string",
    "category": "string",
    "price": "double",
    "quantity": "bigint",
}


def expect_orders(folder):
    rows = order_rows(folder / "orders_ETL.json", folder / "orders_ETL_february.json")
    return {"orders": (TWELVE | {"coupon_code": "string", "coupon_percent": "bigint"}, list(rows))}


def expect_staged(folder):
    new_names = {
        "email": "customer_email",
        "address": "customer_address",
        "category": "product_category",
        "price": "product_price",
        "quantity": "product_quantity",
    }
    order = (
        "order_id order_date customer_id customer_name customer_email customer_address "
        "product_id product_category product_name product_price product_quantity"
    ).split()
    renamed = [
        {new_names.get(name, name): value for name, value in row.items()}
        for row in order_rows(*sorted((folder / "raw_orders_data").iterdir()))
    ]
    types = {new_names.get(name, name): kind for name, kind in TWELVE.items()}
    return {"orders_data_parquet": ({name: types[name] for name in order}, renamed)}


def expect_auto(folder):
    """The twelve columns again: names as short as they are unambiguous, in the order of the file."""
    return {"orders": (TWELVE, list(order_rows(folder / "orders.json")))}


def expect_contract(folder):
    """Good records and the mended one; a rejected record leaves both tables alone."""
    known = {"order_id", "order_date", "total_amount", "customer", "products"}

    def good(record):
        return (
            set(record) == known
            and "@" in record["customer"]["email"]
            and all(item["price"] > 0 and isinstance(item["quantity"], int) for item in record["products"])
        )

    accepted = [one for one in records(folder / "orders.ndjson", folder / "fixed.ndjson") if good(one)]
    orders = [
        {
            "order_id": one["order_id"],
            "order_date": one["order_date"],
            "total_amount": float(one["total_amount"]),
            "customer_id": str(one["customer"]["customer_id"]),
            "customer_name": one["customer"]["name"],
            "email": one["customer"]["email"],
            "address": one["customer"]["address"],
        }
        for one in accepted
    ]
    items = [
        {"order_id": one["order_id"], "product_name": item["name"]} | {k: item[k] for k in item if k != "name"}
        for one in accepted
        for item in one["products"]
    ]
    types = TWELVE | {"order_id": "string", "customer_id": "string"}
    item_columns = "order_id product_id product_name category price quantity".split()
    return {
        "orders": ({name: types[name] for name in list(TWELVE)[:7]}, orders),
        "order_items": ({name: types[name] for name in item_columns}, items),
    }


def expect_sales(folder):
    """Lines without an empty field whose numbers and dates are such, with their amount."""
    rows = []
    for path in sorted(folder.rglob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                try:
                    quantity, price = int(line["quantity"]), float(line["price"])
                    day = date.fromisoformat(line["order_date"])
                except ValueError:
                    continue
                if all(line.values()):
                    amount = {"quantity": quantity, "price": price, "total_amount": quantity * price}
                    rows.append(line | amount | {"order_date": day})
    types = {
        "order_id": "string",
        "customer_id": "string",
        "product": "string",
        "quantity": "bigint",
        "price": "double",
        "total_amount": "double",
        "order_date": "date",
    }
    return {"sales": (types, rows)}


EXPECTED = {
    "orders": expect_orders,
    "orders-staged": expect_staged,
    "orders-auto": expect_auto,
    "orders-contract": expect_contract,
    "sales": expect_sales,
}

# --- what the lake says ------------------------------------------------------------------------------

DUCKDB_TYPES = {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "date": "DATE"}
ARROW_TYPES = {
    "string": pyarrow.string(),
    "bigint": pyarrow.int64(),
    "double": pyarrow.float64(),
    "date": pyarrow.date32(),
}


def read_duckdb(table):
    """Column types and rows, by DuckDB."""
    pattern = str(table / "**" / "*.parquet").replace("'", "''")
    relation = duckdb.sql(
        f"SELECT * FROM read_parquet('{pattern}', union_by_name = true, hive_partitioning = true)"
    )
    names = relation.columns
    types = dict(zip(names, map(str, relation.types)))
    return types, [dict(zip(names, row)) for row in relation.fetchall()]


def read_pyarrow(table, types):
    """Column types in the files and rows, by pyarrow, file by file; partitions taken from the path."""
    seen, rows = {}, []
    for path in sorted(table.rglob("*.parquet")):
        content = pyarrow.parquet.read_table(path, partitioning=None)
        seen |= {field.name: field.type for field in content.schema}
        partition = dict(part.split("=", 1) for part in path.relative_to(table).parts[:-1])
        partition = {
            name: None if value == HIVE_NULL else date.fromisoformat(value) if types[name] == "date" else value
            for name, value in partition.items()
        }
        rows += [{name: None for name in types} | row | partition for row in content.to_pylist()]
    return seen, rows


def canonical(rows, names):
    """Rows in an order that does not hang on who read them."""
    return sorted(json.dumps([row.get(name) for name in names], default=str) for row in rows)


# --- the comparison ----------------------------------------------------------------------------------


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def same(self, name, found, wanted):
        if found == wanted:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {name}\n   found  {str(found)[:600]}\n   wanted {str(wanted)[:600]}")
        if isinstance(found, list) and isinstance(wanted, list):
            extra, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
            print(f"   only found: {extra[:3]}\n   only wanted: {missing[:3]}")


def check_table(checks, name, table, types, rows):
    columns = list(types)
    wanted = canonical(rows, columns)
    if not any(table.rglob("*.parquet")):
        checks.same(f"{name}: part files", "none", "some")
        return
    duck_types, duck_rows = read_duckdb(table)
    in_order = [(c, DUCKDB_TYPES[types[c]]) for c in columns]
    checks.same(f"{name}: columns by DuckDB", list(duck_types.items()), in_order)
    checks.same(f"{name}: rows by DuckDB", canonical(duck_rows, columns), wanted)
    arrow_types, arrow_rows = read_pyarrow(table, types)
    in_files = {c: ARROW_TYPES[types[c]] for c in columns if c in arrow_types}
    checks.same(f"{name}: columns by pyarrow", arrow_types, in_files)
    checks.same(f"{name}: rows by pyarrow", canonical(arrow_rows, columns), wanted)


HISTORY = """
    WITH loads AS (SELECT * FROM read_json('LAKE/_lakegate/loads/*/*/*.json')),
         gone AS (SELECT pipeline, source, unnest(CAST(replaces AS BIGINT[])) AS generation FROM loads)
    SELECT t.table, sum(t.rows)::BIGINT
    FROM (SELECT pipeline, source, generation, unnest(tables) AS t FROM loads)
    ANTI JOIN gone USING (pipeline, source, generation)
    GROUP BY ALL
"""


def check_history(checks, name, lake, tables):
    """The load history is SQL: it tells how many rows each table has."""
    found = duckdb.sql(HISTORY.replace("LAKE", str(lake).replace("'", "''"))).fetchall()
    wanted = {}
    for table in tables:
        pattern = str(lake / table / "**" / "*.parquet").replace("'", "''")
        wanted[table] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{pattern}', union_by_name = true)").fetchall()[0][0]
    checks.same(f"{name}: rows by the load history", dict(found), wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--lakes", type=Path, required=True)
    arguments = parser.parse_args()
    checks = Checks()
    for example, expect in EXPECTED.items():
        lake = arguments.lakes / example
        tables = expect(arguments.examples / example)
        found = sorted(f.name for f in lake.iterdir() if f.is_dir() and not f.name.startswith("_"))
        checks.same(f"{example}: tables", found, sorted(tables))
        for table, (types, rows) in tables.items():
            check_table(checks, f"{example}/{table}", lake / table, types, rows)
        check_history(checks, example, lake, tables)
        history_tables.check(checks, example, lake)
    print(f"check result: {checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
