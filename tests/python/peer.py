"""One run of a peer in the benchmark: raw file → flattened Snappy Parquet, as its users would write it.

    peer.py pandas|duckdb|polars|clickhouse json|ndjson|sales|wide|text INPUT OUTPUT

Prints one JSON line: wall and processor seconds without the interpreter's start and imports (which favours the peer).
One thread each: POLARS_MAX_THREADS must be 1 in the environment before the start.
"""

import json
import sys
import time


def clocks():
    """Wall and processor seconds so far."""
    return time.perf_counter(), time.process_time()


def pandas_rows(records):
    """The loop of the pipelines that Lakegate replaces: one dict a product."""
    rows = []
    for record in records:
        customer = record["customer"]
        for item in record["products"]:
            rows.append(
                {
                    "order_id": record["order_id"],
                    "order_date": record["order_date"],
                    "total_amount": record["total_amount"],
                    "customer_id": customer["customer_id"],
                    "customer_name": customer["name"],
                    "email": customer["email"],
                    "address": customer["address"],
                    "product_id": item["product_id"],
                    "product_name": item["name"],
                    "category": item["category"],
                    "price": item["price"],
                    "quantity": item["quantity"],
                }
            )
    return rows


def run_pandas(shape, source, target):
    import pandas
    import pyarrow

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    begun = clocks()
    if shape == "sales":
        frame = pandas.read_csv(source)
        frame["total_amount"] = frame["quantity"] * frame["price"]
    else:
        with open(source, encoding="utf-8") as file:
            records = json.load(file) if shape == "json" else [json.loads(line) for line in file]
        if shape in ("json", "ndjson"):
            frame = pandas.DataFrame(pandas_rows(records))
        elif shape == "text":
            frame = pandas.json_normalize(records, sep="_")
        else:
            frame = pandas.DataFrame(records)
    frame.to_parquet(target, compression="snappy", index=False)
    return begun


ORDERS_SQL = """
SELECT order_id, order_date, total_amount, customer.customer_id AS customer_id, customer.name AS customer_name,
       customer.email AS email, customer.address AS address, p.product_id AS product_id, p.name AS product_name,
       p.category AS category, p.price AS price, p.quantity AS quantity
FROM (SELECT order_id, order_date::VARCHAR AS order_date, total_amount, customer, unnest(products) AS p FROM {source})
"""


def run_duckdb(shape, source, target):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET preserve_insertion_order = true")
    begun = clocks()
    if shape == "sales":
        query = f"SELECT *, quantity * price AS total_amount FROM read_csv('{source}')"
    elif shape in ("json", "ndjson"):
        form = "array" if shape == "json" else "newline_delimited"
        query = ORDERS_SQL.format(source=f"read_json('{source}', format = '{form}')")
    else:
        query = f"SELECT * FROM read_json('{source}', format = 'newline_delimited')"
        if shape == "text":
            query = f"SELECT * EXCLUDE (author), author.name AS author_name, author.city AS author_city FROM ({query})"
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")
    return begun


def run_polars(shape, source, target):
    import polars

    assert polars.thread_pool_size() == 1, "POLARS_MAX_THREADS must be 1"
    begun = clocks()
    if shape == "sales":
        frame = polars.read_csv(source).with_columns(total_amount=polars.col("quantity") * polars.col("price"))
    else:
        frame = polars.read_json(source) if shape == "json" else polars.read_ndjson(source)
        if shape in ("json", "ndjson"):
            frame = (
                frame.explode("products")
                .with_columns(
                    polars.col("customer").struct.rename_fields(["customer_id", "customer_name", "email", "address"]),
                    polars.col("products").struct.rename_fields(
                        ["product_id", "product_name", "category", "price", "quantity"]
                    ),
                )
                .unnest("customer", "products")
            )
        elif shape == "text":
            frame = frame.with_columns(
                polars.col("author").struct.rename_fields(["author_name", "author_city"])
            ).unnest("author")
        else:
            frame = frame.select(sorted(frame.columns, key=lambda name: (name != "id", name)))
    frame.write_parquet(target, compression="snappy")
    return begun


CLICKHOUSE_TYPES = {"string": "String", "double": "Float64", "bigint": "Int64", "date": "Date", "boolean": "Bool"}
CLICKHOUSE_ORDER = (
    "order_id String, order_date String, total_amount Float64,"
    " customer Tuple(customer_id String, name String, email String, address String),"
    " products Array(Tuple(product_id String, name String, category String, price Float64, quantity Int64))"
)
CLICKHOUSE_ORDERS_SQL = """
SELECT order_id, order_date, total_amount, customer.1 AS customer_id, customer.2 AS customer_name, customer.3 AS email,
       customer.4 AS address, p.1 AS product_id, p.2 AS product_name, p.3 AS category, p.4 AS price, p.5 AS quantity
FROM {source} ARRAY JOIN products AS p
"""


def run_clickhouse(shape, source, target):
    """Types declared; neither parsing nor encoding on more than one thread."""
    import chdb

    import bench_specs

    begun = clocks()
    if shape in ("json", "ndjson"):
        query = CLICKHOUSE_ORDERS_SQL.format(source=f"file('{source}', 'JSONEachRow', '{CLICKHOUSE_ORDER}')")
    elif shape == "sales":
        types = ", ".join(f"{name} {CLICKHOUSE_TYPES[kind]}" for name, _, kind in bench_specs.SALES)
        query = f"SELECT *, quantity * price AS total_amount FROM file('{source}', 'CSVWithNames', '{types}')"
    elif shape == "text":
        types = (
            "review_id Int64, stars Int64, title String, body String, author Tuple(name String, city String)"
        )
        query = (
            "SELECT review_id, stars, title, body, author.1 AS author_name, author.2 AS author_city"
            f" FROM file('{source}', 'JSONEachRow', '{types}')"
        )
    else:
        types = ", ".join(f"{name} {CLICKHOUSE_TYPES[kind]}" for name, _, kind in bench_specs.WIDE)
        query = f"SELECT * FROM file('{source}', 'JSONEachRow', '{types}')"
    chdb.query(
        f"{query} INTO OUTFILE '{target}' FORMAT Parquet SETTINGS max_threads = 1, input_format_parallel_parsing = 0,"
        " output_format_parquet_parallel_encoding = 0, output_format_parquet_compression_method = 'snappy',"
        " output_format_parquet_string_as_string = 1"
    )
    return begun


def main():
    peer, shape, source, target = sys.argv[1:]
    ways = {"pandas": run_pandas, "duckdb": run_duckdb, "polars": run_polars, "clickhouse": run_clickhouse}
    begun = ways[peer](shape, source, target)
    ended = clocks()
    print(json.dumps({"wall": ended[0] - begun[0], "cpu": ended[1] - begun[1]}))


if __name__ == "__main__":
    main()
