"""Writes the inputs of the example pipelines; run by hand, the files are committed.

    make_examples.py FOLDER          FOLDER is tests/examples

The odd records that each example is about stand here in the open, so that what is expected can be read.
"""

import json
import random
import sys
from pathlib import Path

from generate import order, sales_lines


def orders(seed, first, count):
    """Orders as the public pipelines have them: integer order and customer ids."""
    rng = random.Random(seed)
    made = []
    for number in range(first, first + count):
        one = order(rng, number)
        one["order_id"] = number
        one["customer"]["customer_id"] = 100 + number % 17
        made.append(one)
    return made


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def pretty(records):
    return json.dumps(records, ensure_ascii=False, indent=1) + "\n"


def lines(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def orders_example(folder):
    january, february = orders(1, 1, 24), orders(2, 25, 16)
    january[3]["products"] = []  # the order stays, as one row without a product
    del january[7]["customer"]  # the order stays, with an unknown customer
    for record in february[5:]:  # the feed grew: two columns more, from the middle of the second file on
        record["coupon"] = {"code": f"SAVE{record['order_id'] % 5}", "percent": record["order_id"] % 30}
    write(folder / "orders_ETL.json", pretty(january))
    write(folder / "orders_ETL_february.json", pretty(february))


def staged_example(folder):
    write(folder / "raw_orders_data" / "orders-1.json", pretty(orders(3, 1, 20)))
    write(folder / "raw_orders_data" / "orders 2+3.ndjson", lines(orders(4, 21, 20)))


def auto_example(folder):
    write(folder / "orders.json", pretty(orders(5, 1, 30)))


def contract_example(folder):
    made = orders(6, 1, 20)
    for record in made:
        record["order_id"] = f"ORD-{record['order_id']:04d}"
    bad = {
        4: lambda record: record["products"][0].update(price=-12.5),  # fails the check on price
        9: lambda record: record["customer"].update(email="not an address"),  # fails the check on e-mail
        13: lambda record: record["products"][0].update(quantity="two"),  # does not fit its type
        17: lambda record: record.update(giftwrap=True),  # a column the frozen contract does not know
    }
    fixed = json.loads(json.dumps(made[13]))
    for number, spoil in bad.items():
        spoil(made[number])
    write(folder / "orders.ndjson", lines(made))
    write(folder / "fixed.ndjson", lines([fixed]))


def sales_example(folder):
    head = "order_id,customer_id,product,quantity,price,order_date\n"
    first = [line for n in range(1, 25) for line in sales_lines(random.Random(n), n % 4, False)]
    second = [line for n in range(25, 41) for line in sales_lines(random.Random(n), 2 + n % 4, False)]
    first.insert(5, "O2000001-0,C000777,Laptop,,999.5,2025-01-02\n")  # no quantity: the row is dropped
    first.insert(9, "O2000002-0,,Mouse,2,19.5,2025-01-02\n")  # no customer: the row is dropped
    second.insert(4, "O2000003-0,C000778,Lamp,many,25.0,2025-01-04\n")  # no number: quarantine
    second.insert(8, "O2000004-0,C000779,Lamp,1,25.0,01-02-2025\n")  # no ISO date: quarantine
    base = folder / "sales" / "orders"
    write(base / "ingest_date=2025-01-05" / "sales_orders.csv", head + "".join(first))
    write(base / "ingest_date=2025-01-06" / "sales_orders.csv", head + "".join(second))


def main():
    folder = Path(sys.argv[1])
    orders_example(folder / "orders")
    staged_example(folder / "orders-staged")
    auto_example(folder / "orders-auto")
    contract_example(folder / "orders-contract")
    sales_example(folder / "sales")


if __name__ == "__main__":
    main()
