"""What the ways of the benchmark must agree on, read by DuckDB and pyarrow.

    bench_check.py sums SHAPE FOLDER      row count, columns, checksums over all Parquet files of FOLDER
    bench_check.py groups SHAPE FOLDER    median raw size of a row group in bytes, as Arrow holds its values

Prints one JSON line.
"""

import json
import statistics
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet

import bench_specs

SUMS = {
    "orders": "count(*), round(sum(price * quantity), 0), sum(hash(order_id, customer_name, email, product_name)"
    " % 1000003), round(sum(total_amount), 0), count(DISTINCT product_id)",
    "sales": "count(*), round(sum(total_amount), 0), sum(hash(order_id, customer_id, product) % 1000003),"
    " sum(quantity), count(DISTINCT order_date::VARCHAR)",
    "wide": "count(*), sum(id), sum(c100), round(sum(c101), 0), sum(hash(c102, c198) % 1000003), count_if(c103)",
    "text": "count(*), sum(stars), sum(hash(title, body, author_name) % 1000003), sum(length(body))",
}
COLUMNS = {
    "orders": [name for name, _, _ in bench_specs.ORDER],
    "sales": [name for name, _, _ in bench_specs.SALES] + ["total_amount"],
    "wide": [name for name, _, _ in bench_specs.WIDE],
    "text": [name for name, _, _ in bench_specs.TEXT],
}


def main():
    task, shape, folder = sys.argv[1:]
    files = [str(path) for path in sorted(Path(folder).rglob("*.parquet"))]
    if task == "groups":
        sizes = [
            reader.read_row_group(group).nbytes
            for reader in map(pyarrow.parquet.ParquetFile, files)
            for group in range(reader.num_row_groups)
        ]
        print(json.dumps({"median_row_group": statistics.median(sizes)}))
        return
    kind = "orders" if shape in ("json", "ndjson") else shape
    relation = duckdb.read_parquet(files, union_by_name=True)
    if len(relation.columns) != len(COLUMNS[kind]):
        sys.exit(f"{len(relation.columns)} columns instead of {len(COLUMNS[kind])}: {relation.columns}")
    # By place: without a spec Lakegate's names are the shortest that are unambiguous.
    names = ", ".join(COLUMNS[kind])
    query = f"SELECT {SUMS[kind]} FROM (SELECT * FROM relation) AS t({names})"
    print(json.dumps([str(value) for value in duckdb.sql(query).fetchall()[0]]))


if __name__ == "__main__":
    main()
