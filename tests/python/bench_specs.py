"""The specs of the benchmark's shapes: everything declared, so that one pass is enough.

`learn-sales` leaves the types to be learned: for the other shapes no spec at all does that.
"""

ORDER = [
    ("order_id", "order_id", "string"),
    ("order_date", "order_date", "string"),
    ("total_amount", "total_amount", "double"),
    ("customer_id", "customer.customer_id", "string"),
    ("customer_name", "customer.name", "string"),
    ("email", "customer.email", "string"),
    ("address", "customer.address", "string"),
    ("product_id", "products.product_id", "string"),
    ("product_name", "products.name", "string"),
    ("category", "products.category", "string"),
    ("price", "products.price", "double"),
    ("quantity", "products.quantity", "bigint"),
]
SALES = [
    (name, name, kind)
    for name, kind in (
        ("order_id", "string"),
        ("customer_id", "string"),
        ("product", "string"),
        ("quantity", "bigint"),
        ("price", "double"),
        ("order_date", "date"),
    )
]
WIDE = [("id", "id", "bigint")] + [
    (f"c{n:03d}", f"c{n:03d}", ("bigint", "double", "string", "boolean")[n % 4]) for n in range(1, 200)
]
TEXT = [
    ("review_id", "review_id", "bigint"),
    ("stars", "stars", "bigint"),
    ("title", "title", "string"),
    ("body", "body", "string"),
    ("author_name", "author.name", "string"),
    ("author_city", "author.city", "string"),
]
AMOUNT = '[[table.derive]]\nname = "total_amount"\nsql = "quantity * price"\n'


def spec(columns, head="", tail=""):
    """A spec that declares the columns and takes nothing else."""
    text = f'[[table]]\nname = "bench"\nmode = "freeze"\n{head}\n'
    for name, source, kind in columns:
        text += f'[[table.column]]\nname = "{name}"\nfrom = "{source}"\ntype = "{kind}"\n\n'
    return text + tail


def write(folder):
    """Writes all specs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    specs = {
        "json": spec(ORDER, 'rows = "products"\n'),
        "ndjson": spec(ORDER, 'rows = "products"\n'),
        "sales": spec(SALES, tail=AMOUNT),
        "dates": spec(SALES, 'partition_by = ["order_date"]\n', AMOUNT),
        "wide": spec(WIDE),
        "text": spec(TEXT),
        "learn-sales": '[[table]]\nname = "bench"\n' + AMOUNT,
    }
    for name, text in specs.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
