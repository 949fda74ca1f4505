"""Writes reproducible data for the benchmark and the examples.

    generate.py SHAPE --megabytes N > FILE        SHAPE: json ndjson sales wide text dates

json    orders as one top-level array      ndjson  the same records, one a line
sales   flat CSV: order_id,customer_id,product,quantity,price,order_date
wide    NDJSON, 200 flat columns           text    NDJSON, long reviews with escapes and non-ASCII
dates   sales whose order_date is any of 365 days, in no order

Only the standard library is used; the same arguments give the same bytes.
"""

import argparse
import json
import random
import sys

FIRST = "Ada Amélie Björn Chen Chloé Diego Elif Fatima George Hana Ivan José Kofi Lena Mei Noor Søren Yuki Zoë"
LAST = "Adeyemi Brown Çelik Dubois Fernández García Huang Ivanova Johansson Kim Müller Nguyen Okafor Rossi"
FIRST, LAST = FIRST.split(), LAST.split()
STREET = "Oak Maple Cedar Station Harbour Mill Queen Hauptstraße".split()
PRODUCTS = {
    "Electronics": ["Laptop", "Mouse", "Keyboard", "Monitor", "Webcam", "Headset"],
    "Home": ["Lamp", "Kettle", "Desk", "Chair", "Curtain"],
    "Books": ["Novel", "Atlas", "Cookbook", "Dictionary"],
    "Grocery": ["Coffee 1kg", "Olive oil", "Rice 5kg", 'Tea "Earl Grey"'],
    "Sports": ["Racket", "Yoga mat", "Football", "Bicycle"],
}
CATEGORIES = list(PRODUCTS)
WORDS = (
    "the quality of this product was better than I had expected and delivery took only two days although "
    'café naïve größer "quoted" back\\slash line\nbreak tab\tstop 東京 excellent poor never again would buy'
).split(" ")


def product(rng):
    category = rng.choice(CATEGORIES)
    return {
        "product_id": f"P{rng.randint(1, 99999):05d}",
        "name": rng.choice(PRODUCTS[category]),
        "category": category,
        "price": rng.randint(200, 150000) / 100,
        "quantity": rng.randint(1, 5),
    }


def order(rng, number):
    products = [product(rng) for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 6)))]
    first, last, customer = rng.choice(FIRST), rng.choice(LAST), rng.randint(1, 200000)
    return {
        "order_id": f"O{1000000 + number}",
        "order_date": f"2025-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}",
        "total_amount": round(sum(p["price"] * p["quantity"] for p in products), 2),
        "customer": {
            "customer_id": f"C{customer:06d}",
            "name": f"{first} {last}",
            "email": f"{first}.{last}{customer}@example.com".lower(),
            "address": f"{rng.randint(1, 999)} {rng.choice(STREET)} St, {rng.randint(10000, 99999)}",
        },
        "products": products,
    }


def ndjson_line(record):
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def wide(rng, number):
    record = {"id": number}
    for column in range(1, 200):
        kind = column % 4
        if kind == 0:
            value = rng.randint(0, 10**6)
        elif kind == 1:
            value = rng.randint(1, 10**8) / 1000 + 0.0001
        elif kind == 2:
            value = rng.choice(LAST)
        else:
            value = rng.random() < 0.5
        record[f"c{column:03d}"] = value
    return record


def text(rng, number):
    return {
        "review_id": number,
        "stars": rng.randint(1, 5),
        "title": " ".join(rng.choices(WORDS, k=6)),
        "body": " ".join(rng.choices(WORDS, k=rng.randint(40, 400))),
        "author": {"name": f"{rng.choice(FIRST)} {rng.choice(LAST)}", "city": rng.choice(STREET)},
    }


def sales_lines(rng, number, dates):
    made = order(rng, number)
    for index, item in enumerate(made["products"]):
        name = item["name"].replace('"', '""')
        name = f'"{name}"' if '"' in name or "," in name else name
        day = rng.choice(DAYS) if dates else made["order_date"]
        yield (
            f'{made["order_id"]}-{index},{made["customer"]["customer_id"]},{name},'
            f'{item["quantity"]},{item["price"]},{day}\n'
        )


def days_of_2025():
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return [f"2025-{m + 1:02d}-{d + 1:02d}" for m, length in enumerate(lengths) for d in range(length)]


DAYS = days_of_2025()


def pieces(shape, rng):
    """Yields the file's text record by record, without end."""
    number = 0
    while True:
        if shape == "json":
            yield (",\n" if number else "\n") + json.dumps(order(rng, number), ensure_ascii=False)
        elif shape == "ndjson":
            yield ndjson_line(order(rng, number))
        elif shape in ("sales", "dates"):
            yield "".join(sales_lines(rng, number, shape == "dates"))
        elif shape == "wide":
            yield ndjson_line(wide(rng, number))
        else:
            yield ndjson_line(text(rng, number))
        number += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=("json", "ndjson", "sales", "wide", "text", "dates"))
    parser.add_argument("--megabytes", type=float, default=50)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    write, left = sys.stdout.buffer.write, arguments.megabytes * 1e6
    if arguments.shape == "json":
        write(b"[")
    if arguments.shape in ("sales", "dates"):
        write(b"order_id,customer_id,product,quantity,price,order_date\n")
    for piece in pieces(arguments.shape, random.Random(arguments.seed)):
        encoded = piece.encode()
        write(encoded)
        left -= len(encoded)
        if left <= 0:
            break
    if arguments.shape == "json":
        write(b"\n]\n")


if __name__ == "__main__":
    main()
