"""Ten thousand generated values of each kind through the `lakegate` command, against Python's own libraries.

    oracles.py --lakegate PATH [--seed 1] [--records 10000] [--only NAME]

Each kind is a file, what it is told, and what each record must become: a value, null, or rejected. The value comes
from `decimal`, `float`, `datetime`, `csv`, `json`, `zipfile`, `bz2` and `boto3`; the Parquet is read by DuckDB and by pyarrow.
Closing line: `check result: N passed, N failed`.
"""

import argparse
import base64
import bz2
import csv
import io
import json
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from pathlib import Path

import duckdb
import pyarrow.parquet
from boto3.dynamodb.types import TypeSerializer

from check_lake import Checks

REJECTED = object()
EPOCH = datetime(1970, 1, 1)
EXACT = Context(prec=3000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])

# --- numbers -----------------------------------------------------------------------------------------


def integer_text(rng):
    near = rng.choice([0, 2**31, 2**53, 2**63, 10**8, 10**18, 10**37, 10**38, 2**64, 2**127])
    value = rng.choice([near + rng.randint(-3, 3), rng.randint(-(10 ** rng.randint(1, 40)), 10 ** rng.randint(1, 40))])
    return str(rng.choice([value, -value]))


def number_text(rng):
    """A number by the grammar of JSON."""
    kind = rng.randrange(6)
    if kind == 0:
        return integer_text(rng)
    if kind == 1:  # the shortest text of a double, whichever bits it has
        return repr(random_double(rng))
    if kind == 2:  # more digits than a double has, near the middle between two of them
        value = random_double(rng)
        return f"{value:.{rng.randint(0, 30)}e}"
    if kind == 3:
        return f"{rng.choice(['', '-'])}{rng.randint(0, 10 ** rng.randint(1, 20))}.{digits(rng, 1, 20)}"
    if kind == 4:
        whole = rng.choice(["0", str(rng.randint(1, 10 ** rng.randint(1, 12)))])
        fraction = rng.choice(["", "." + digits(rng, 1, 12)])
        return f"{rng.choice(['', '-'])}{whole}{fraction}{rng.choice('eE')}{rng.choice(['', '+', '-'])}{digits(rng, 1, 3)}"
    return rng.choice(
        "0 -0 0.0 -0.0 3.0 1e3 100e-2 5e-324 2.4e-324 1.7976931348623157e308 1.7976931348623159e308 9007199254740992 "
        "9007199254740993 9007199254740993.0 9223372036854775807 9223372036854775808 -9223372036854775808 "
        "-9223372036854775809 0e999 1e400 1e-400 0.1 0.30000000000000004 2.2250738585072011e-308 1e22 1e23".split()
    )


def fitting(rng, kind, make):
    """A number's text, more often than not one that its column's type takes, or just does not."""
    if not kind.startswith("decimal") or rng.random() < 0.3:
        return make(rng)
    precision, scale = map(int, re.findall(r"[0-9]+", kind))
    whole = digits(rng, 0, precision - scale + rng.randint(0, 1)).lstrip("0") or "0"
    fraction = digits(rng, 0, scale + rng.randint(0, 1)) + "0" * rng.choice([0, 0, 3])
    return rng.choice(["", "-"]) + whole + ("." + fraction if fraction else "") + rng.choice(["", "", "", "e0", "e-1", "E+1"])


def random_double(rng):
    while True:
        value = rng.choice([rng.uniform(-1e6, 1e6), rng.uniform(-1, 1) * 10.0 ** rng.randint(-307, 307)])
        if abs(value) < 1e308:
            return value


def digits(rng, least, most):
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(least, most)))


def field_text(rng):
    """A number as it may stand in CSV: right, nearly right, and wrong."""
    text = number_text(rng)
    change = rng.randrange(14)
    if change == 0:
        return "+" + text
    if change == 1:
        return re.sub(r"^(-?)0\.", r"\1.", text)
    if change == 2:
        return re.sub(r"^(-?)", r"\g<1>" + rng.choice(["0", "00"]), text)
    if change == 3:
        return f"  {text} "
    if change == 4:
        at = rng.randint(0, len(text))
        if re.fullmatch("[0-9]{10}", text[at : at + 10]):
            return text  # an `e` here makes an exponent that `decimal` cannot hold
        return text[:at] + rng.choice(["x", " ", ".", "-", "_", "e", ",", "'", "0x", "٣"]) + text[at:]
    if change == 5:
        return rng.choice(["", "-", "+", ".", "e5", "1e", "1.", "NaN", "inf", "--1", "1_000", "1,000", "0x10", "１", "00"])
    return text


NUMBER = re.compile(r"[+-]?(?:(0|[1-9][0-9]*)(\.[0-9]+)?|(\.[0-9]+))([eE][+-]?[0-9]+)?", re.ASCII)


def as_number(text, kind):
    """A number's text in a column of this type."""
    text = text.strip(" \t\r\n\f")
    found = NUMBER.fullmatch(text)
    if not found or re.match(r"[+-]?0[0-9]", text):
        return REJECTED
    value = Decimal(text)
    whole = found[2] is None and found[3] is None and found[4] is None
    if kind == "bigint":
        # By the digits, never by the value: an exponent may be as large as it likes.
        if value and value.adjusted() > 20:
            return REJECTED
        integral = value == 0 or value == value.to_integral_value(context=EXACT_ROUND)
        return int(value) if integral and -(2**63) <= value < 2**63 else REJECTED
    if kind == "double":
        number = float(text)
        beyond = whole and abs(value) > 2**53
        return REJECTED if beyond or number in (float("inf"), float("-inf")) else number
    precision, scale = map(int, re.fullmatch(r"decimal\((\d+),(\d+)\)", kind).groups())
    if value == 0:
        return Decimal(0)
    _, figures, exponent = value.normalize(EXACT).as_tuple()
    fits = exponent >= -scale and len(figures) + exponent <= precision - scale
    return value if fits else REJECTED


EXACT_ROUND = Context(prec=3000, Emin=MIN_EMIN, Emax=MAX_EMAX)
NUMBER_TYPES = ["bigint", "double"] + [
    f"decimal({p},{s})" for p, s in [(1, 0), (5, 5), (9, 2), (18, 0), (18, 18), (19, 4), (20, 2), (38, 0), (38, 10), (38, 38)]
]


def finite(text):
    return abs(float(text)) != float("inf")


def numbers_json(rng, count):
    """A number that is no finite double rejects its record, whatever its column."""
    columns = {f"v{at}": kind for at, kind in enumerate(NUMBER_TYPES)}
    lines, wanted = [], {}
    for record in range(count):
        name = rng.choice(list(columns))
        text = fitting(rng, columns[name], number_text)
        quoted = columns[name].startswith("decimal") and rng.random() < 0.3
        lines.append(f'{{"id":{record},"{name}":{json.dumps(text) if quoted else text}}}')
        value = as_number(text, columns[name]) if quoted or finite(text) else REJECTED
        wanted[record] = {name: value}
    return Kind("in.ndjson", "\n".join(lines), columns, wanted)


def numbers_csv(rng, count):
    columns = {f"v{at}": kind for at, kind in enumerate(NUMBER_TYPES)}
    out, wanted = io.StringIO(), {}
    table = csv.writer(out)
    table.writerow(["id", *columns])
    for record in range(count):
        name = rng.choice(list(columns))
        text = fitting(rng, columns[name], field_text)
        table.writerow([record] + [text if column == name else "" for column in columns])
        wanted[record] = {name: None if text == "" else as_number(text, columns[name])}
    return Kind("in.csv", out.getvalue(), columns, wanted)


def learned(texts):
    """The type that a column's texts are learned as, by the table of `docs/spec.md`."""
    whole = [int(text) for text in texts if re.fullmatch(r"-?\d+", text)]
    if any(not -(2**63) <= number < 2**63 for number in whole):
        return "string"
    if len(whole) == len(texts):
        return "bigint"
    return "double" if all(abs(number) <= 2**53 for number in whole) else "string"


def numbers_learned(rng, count):
    """Columns whose numbers are of one kind, or of several, and what is then agreed on."""
    names = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "knoll", "larch", "marsh"]
    small = lambda: str(rng.randint(-(10**6), 10**6))
    edge = lambda: str(rng.choice([2**53, -(2**53), 2**53 - 1, 0]))
    wide = lambda: str(rng.choice([-1, 1]) * rng.randint(2**53 + 1, 2**63 - 1))
    huge = lambda: str(rng.choice([-1, 1]) * rng.randint(2**63 + 1, 10**30))
    double = lambda: repr(random_double(rng))
    made = [[small], [edge], [wide], [huge], [double], [small, double], [edge, double], [wide, double], [huge, double]]
    made += [[small, wide], [small, huge], [small, edge, double]]
    lines, texts = [], {name: {} for name in names}
    for record in range(count):
        at = rng.randrange(len(names))
        text = rng.choice(made[at])()
        texts[names[at]][record] = text
        lines.append(f'{{"id":{record},"{names[at]}":{text}}}')
    columns = {name: learned(list(seen.values())) for name, seen in texts.items() if seen}
    wanted = {}
    for name, kind in columns.items():
        for record, text in texts[name].items():
            wanted[record] = {name: text if kind == "string" else as_number(text, kind)}
    return Kind("in.ndjson", "\n".join(lines), columns, wanted, declared=False)


# --- dates and times ---------------------------------------------------------------------------------

MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FORMATS = [
    ("date", None), ("timestamp", None),
    ("date", "%d-%m-%Y"), ("date", "%d.%m.%y"), ("date", "%Y%m%d"), ("date", "%e %B %Y"), ("date", "%a, %d %b %Y"), ("date", "%Y-%j"),
    ("date", "%A %F"), ("timestamp", "%m/%d/%Y %I:%M %p"), ("timestamp", "%F %T"), ("timestamp", "%FT%T%.f%z"),
    ("timestamp", "%Y%m%d%H%M%S"), ("timestamp", "%d/%b/%Y:%H:%M:%S %z"), ("timestamp", "%T.%f %d.%m.%Y"), ("timestamp", "%s"),
    ("timestamp(6)", None), ("timestamp(6)", "%F %T.%f"), ("timestamp(6)", "%s%.f"),
    ("timestamp", "%s.%f"), ("timestamp", "%Y/%m/%d %H%%"), ("timestamp", "%d %B %Y %H:%M%:z"), ("timestamp", "%d.%m.%Y"),
]  # fmt: skip


class Moment:
    """Year to second as they are written, right or not, a fraction and a zone."""

    def __init__(self, rng):
        leap = rng.choice([1600, 1900, 1999, 2000, 2023, 2024, 2100, 4, 100])
        self.year = rng.choice([rng.randint(1970, 2040), rng.randint(1, 9999), leap, 1, 9999])
        self.month = rng.choice([rng.randint(1, 12), 2, 12, 1])
        self.day = rng.choice([rng.randint(1, 28), 28, 29, 30, 31, 1])
        self.hour, self.minute, self.second = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
        if rng.random() < 0.03:
            wrong = rng.choice([("year", 0), ("month", 13), ("month", 0), ("day", 0), ("day", 32), ("hour", 24), ("minute", 60), ("second", 60)])
            setattr(self, *wrong)
        self.fraction = digits(rng, 1, 9)
        self.zone = rng.choice([0, 0, 60, 120, -90, 345, -720, 840, rng.randint(-1439, 1439)])
        self.weekday_off = rng.random() < 0.05

    def local(self, day_only=False):
        clock = (0, 0, 0) if day_only else (self.hour, self.minute, self.second)
        return datetime(self.year, self.month, self.day, *clock)


def zone_text(rng, minutes):
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    forms = [f"{sign}{hours:02}:{rest:02}", f"{sign}{hours:02}{rest:02}"]
    return rng.choice(forms + ([f"{sign}{hours:02}"] if rest == 0 else []) + (["Z"] if minutes == 0 else []))


def written(rng, moment, form):
    """The moment's text by a format, digit by digit: Python's own strftime knows neither `%.f` nor wrong dates."""
    padded = not re.search(r"%[YmdHMSj](%[YmdHMSj])", form)
    two = lambda value: f"{value}" if padded and rng.random() < 0.3 else f"{value:02}"
    try:
        at = moment.local(day_only=True)
        day_of_year, weekday = at.timetuple().tm_yday, DAYS[(at.weekday() + moment.weekday_off) % 7]
    except ValueError:
        day_of_year, weekday = 0, "Monday"  # no year has this day
    try:
        seconds = (moment.local() - EPOCH) // timedelta(seconds=1)
    except ValueError:
        seconds = "x"
    fraction = moment.fraction
    if "%s" in form and "f" in form and seconds != "x" and seconds < 0 and int(fraction) > 0:
        # Before 1970 the sign is that of the whole number: half a second before it is -0.5.
        seconds = f"-{-(seconds + 1)}"
        fraction = str(10 ** len(fraction) - int(fraction)).zfill(len(fraction))
    month = MONTHS[moment.month - 1] if 1 <= moment.month <= 12 else "Brumaire"
    case = lambda word: rng.choice([str, str.upper, str.lower])(word)
    parts = {
        "%F": f"{moment.year:04}-{moment.month:02}-{moment.day:02}",
        "%T": f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}",
        "%Y": f"{moment.year:04}", "%y": f"{moment.year % 100:02}", "%m": two(moment.month), "%d": two(moment.day),
        "%e": f"{moment.day:2}", "%j": f"{day_of_year:03}", "%B": case(rng.choice([month, month[:3]])),
        "%b": case(month[:3]), "%A": case(weekday), "%a": case(weekday[:3]), "%H": two(moment.hour), "%M": two(moment.minute),
        "%S": two(moment.second), "%I": two(13 if moment.hour > 23 else (moment.hour - 1) % 12 + 1), "%p": case("AM" if moment.hour < 12 else "PM"),
        "%f": fraction, "%.f": "." + fraction, "%z": zone_text(rng, moment.zone), "%:z": zone_text(rng, moment.zone),
        "%s": str(seconds), "%%": "%",
    }  # fmt: skip
    return re.sub(r"%[.:]?.", lambda found: parts[found[0]], form)


def iso_text(rng, moment, kind):
    """A text by ISO 8601, and the format that says what stands in it."""
    form = "%F"
    if kind != "date" and rng.random() < 0.9:
        form += rng.choice("Tt ") + rng.choice(["%H:%M", "%T", "%T%.f"]) + rng.choice(["", "%z"])
    text = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    if "%H" in form or "%T" in form:
        text += form[2] + f"{moment.hour:02}:{moment.minute:02}"
        text += f":{moment.second:02}" if "%T" in form else ""
        text += "." + moment.fraction if "%.f" in form else ""
        text += zone_text(rng, moment.zone) if "%z" in form else ""
    return text, form


def meant(moment, kind, form, timezone):
    """Days or milliseconds since 1970 by what of the moment the format writes; rejected where there is no such time."""
    two_digits = "%y" in form
    try:
        if two_digits:
            short = moment.year % 100
            moment.year = 1900 + short if short >= 69 else 2000 + short
        if re.search("%[HI]", form) and moment.hour > 23:
            return REJECTED
        has_time, has_seconds = re.search("%[HTIs]", form), re.search("%[STs]", form)
        has_minutes = has_seconds or "%M" in form
        at = datetime(
            moment.year, moment.month, moment.day,
            moment.hour if has_time else 0, moment.minute if has_minutes else 0, moment.second if has_seconds else 0,
        )  # fmt: skip
    except ValueError:
        return REJECTED
    if re.search("%[aA]", form) and moment.weekday_off:
        return REJECTED
    if kind == "date":
        return (at - EPOCH).days
    zone = 0 if "%s" in form else moment.zone if re.search("%:?z", form) else timezone
    try:
        at -= timedelta(minutes=zone)
    except OverflowError:
        return REJECTED
    unit, places = (timedelta(microseconds=1), 6) if kind == "timestamp(6)" else (timedelta(milliseconds=1), 3)
    fraction = int((moment.fraction + "00000")[:places]) if "f" in re.findall(r"%\.?(.)", form) else 0
    return (at - EPOCH) // unit + fraction


def times(rng, count, timezone, suffix):
    columns, formats = {}, {}
    for at, (kind, form) in enumerate(FORMATS):
        columns[f"t{at}"], formats[f"t{at}"] = kind, form
    rows, wanted = [], {}
    for record in range(count):
        name, moment = rng.choice(list(columns)), Moment(rng)
        kind, form = columns[name], formats[name]
        if form is None:
            text, form = iso_text(rng, moment, kind)
        else:
            # Another century is the one thing that two digits of a year cannot say.
            if "%y" in form:
                moment.year = rng.randint(1969, 2068)
            text = written(rng, moment, form)
        value = meant(moment, kind, form, timezone)
        if rng.random() < 0.03:
            text, value = rng.choice([text + "x", "x" + text, text[: len(text) // 2] + "?" + text[len(text) // 2 :], "-" + text]), REJECTED
            if text.startswith("-") and form.startswith("%s"):
                continue
        rows.append((record, name, text))
        wanted[record] = {name: value}
    if suffix == "csv":
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["id", *columns])
        table.writerows([record] + [text if column == name else "" for column in columns] for record, name, text in rows)
        content = out.getvalue()
    else:
        content = "\n".join(json.dumps({"id": record, name: text}) for record, name, text in rows)
    sign, (hours, minutes) = "-" if timezone < 0 else "+", divmod(abs(timezone), 60)
    head = f'[input]\ntimezone = "{sign}{hours:02}:{minutes:02}"\n'
    return Kind(f"in.{suffix}", content, columns, wanted, head=head, formats=formats)


# --- rows --------------------------------------------------------------------------------------------

TEXTS = ["", "a", "é", "😀", "007", " x ", "null", "NA", "a,b", "a;b", "a\tb", "a|b", 'a"b', "it's", "\\", "\u00a0", "\ufeffx", "2025-01-31", "1.50", "-"]


def csv_rows(rng, count, delimiter, declared):
    """Rows as a careless writer makes them: `csv.reader` says what is in them."""
    names = ["id", "apple", "pear", "plum", "fig"]
    end = lambda: rng.choice(["\n", "\r\n", "\n", "\r"])
    lines = [delimiter.join(names), rng.choice(["\n", "\r\n"])]
    for record in range(count):
        fields = []
        for _ in names[1:] if rng.random() > 0.02 else names[1:] * rng.randint(0, 2):
            text = "".join(rng.choice(TEXTS) for _ in range(rng.randint(0, 3)))
            odd = delimiter in text or text.startswith('"')
            if odd or rng.random() < 0.3:
                text += rng.choice(["", "\n", "\r\n", "\r", '"', '""', delimiter])
                text = '"' + text.replace('"', '""') + '"'
            fields.append(text)
        lines += [delimiter.join([str(record), *fields]), end(), rng.choice(["", "", "", end()])]
    content = "".join(lines)
    wanted = {}
    for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True):
        if row and row[0] != "id":
            values = {name: text or None for name, text in zip(names[1:], row[1:])}
            wanted[int(row[0])] = values if len(row) == len(names) else {"": REJECTED}
    columns = dict.fromkeys(names[1:], "string")
    head = f"[input]\nformat = \"csv\"\ndelimiter = {json.dumps(delimiter)}\n"
    return Kind("in.csv", content, columns, wanted, head=head, declared=declared)


def blank(rng):
    return rng.choice(["", "", "", " ", "\t", "  "])


def json_string(rng):
    """A string's text, and the string."""
    text = ""
    for _ in range(rng.randint(0, 6)):
        text += rng.choice(
            ["a", "é", "😀", " ", "\\n", "\\\\", '\\"', "\\/", "\\u00e9", "\\ud83d\\ude00", "\\u0000", "\\b", "\\t", "'", "{", "}", ",", "2025-01-31", "\u2028", "\x7f"]
        )  # fmt: skip
    text = f'"{text}"'
    return text, json.loads(text)


def json_value(rng, depth=0):
    """A value with blanks in it, and without."""
    kind = rng.randrange(7 if depth < 3 else 5)
    if kind < 5:
        text = [json_string(rng)[0], number_text_small(rng), "true", "false", "null"][kind]
        return text, text
    spaced, compact = [], []
    for at in range(rng.randint(0, 3)):
        one, other = json_value(rng, depth + 1)
        key = f'"k{at}"'
        spaced.append(blank(rng) + (f"{key}{blank(rng)}:{blank(rng)}{one}" if kind == 5 else one) + blank(rng))
        compact.append(f"{key}:{other}" if kind == 5 else other)
    left, right = "{}" if kind == 5 else "[]"
    return left + blank(rng) * (not spaced) + ",".join(spaced) + right, left + ",".join(compact) + right


def number_text_small(rng):
    return rng.choice(["0", "-1", "1.50", "1e3", "-0.0", "12345678901234567890", "0.1", str(rng.randint(0, 10**6))])


JSON_TYPES = {"text": "string", "flag": "boolean", "whole": "bigint", "half": "double", "any": "json", "deep_name": "string", "deep_list": "json"}
WRONG = ['{"id":N,"text":"a",}', '{"id":N,"text":"\\ud800"}', '{"id":N,"id":N}', '{"id":N,"half":NaN}', "{'id':N}", '{"id":N,"text":"\t"}', '{"id":N', '{"id":N}}', '{"id":0N}', '{"id":N,"half":1.}', '{"id":N,"text":"\\x"}', '{"id":N,"any":[1,]}']  # fmt: skip


def json_rows(rng, count, form):
    lines, wanted = [], {}
    for record in range(count):
        if form == "in.ndjson" and rng.random() < 0.03:
            lines.append(rng.choice(WRONG).replace("N", str(record)))
            wanted[record] = {"": REJECTED}
            continue
        text, string = json_string(rng)
        any_spaced, any_compact = json_value(rng)
        name, name_value = json_string(rng)
        list_spaced, list_compact = json_value(rng)
        list_spaced, list_compact = f"[{blank(rng)}{list_spaced}]", f"[{list_compact}]"
        flag, whole, half = rng.choice(["true", "false"]), str(rng.randint(-(10**15), 10**15)), repr(random_double(rng))
        members = [f'"id":{record}', f'"text":{blank(rng)}{text}', f'"flag":{flag}', f'"whole":{whole}', f'"half":{blank(rng)}{half}']
        members += [f'"any":{any_spaced}', f'"deep":{{"name":{name},"list":{blank(rng)}{list_spaced}}}']
        rng.shuffle(members)
        spaced = blank(rng) + "{" + f"{blank(rng)},{blank(rng)}".join(members) + "}" + blank(rng)
        parsed = json.loads(spaced)
        assert parsed["text"] == string and json.loads(any_compact) == parsed["any"]
        wanted[record] = {
            "text": string, "flag": parsed["flag"], "whole": parsed["whole"], "half": parsed["half"],
            "any": None if any_compact == "null" else any_compact, "deep_name": name_value, "deep_list": list_compact,
        }  # fmt: skip
        lines.append(spaced)
    content = "\n".join(lines) if form == "in.ndjson" else "[" + ",\n".join(lines) + "]"
    declared = form == "in.ndjson"
    head = "" if declared else '[[table]]\nname = "t"\n[[table.column]]\nname = "any"\ntype = "json"\n'
    sources = {"deep_name": "deep.name", "deep_list": "deep.list"}
    return Kind(form, content, JSON_TYPES, wanted, head=head, sources=sources, declared=declared)


# --- packed, and as other programs write values ------------------------------------------------------


def packed(rng, count, ending):
    """CSV rows in a bzip2, or in the members of a zip, as Python's libraries write them."""
    kind = csv_rows(rng, count, ",", True)
    content = kind.content.encode()
    if ending == "bz2":
        cuts = sorted(rng.randrange(len(content)) for _ in range(3))
        pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)])]
        kind.packed = b"".join(bz2.compress(piece, rng.randint(1, 9)) for piece in pieces)
    else:
        # Each member has whole records, and the header again.
        header, rows = re.split(rb"(?<=\n)", content, maxsplit=1)
        starts = [found.start() for found in re.finditer(rb"(?m)^[0-9]+,", rows)]
        records = {int(row[0]): row for row in csv.reader(io.StringIO(kind.content, newline=""), strict=True) if row and row[0] != "id"}
        cuts = sorted(rng.sample([at for at in starts[1:] if is_between(rows, at, records)], 4))
        out = io.BytesIO()
        target = Unseekable(out) if rng.random() < 0.5 else out
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("day/", b"")
            for number, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(rows)])):
                info = zipfile.ZipInfo(f"day/{number}.csv")
                info.compress_type = zipfile.ZIP_DEFLATED if target is not out else rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
                text = header + rows[a:b]
                with archive.open(info, "w", force_zip64=rng.random() < 0.5) as member:
                    member.write(rng.choice([b"", b"\xef\xbb\xbf"]) + text)
        kind.packed = out.getvalue()
    kind.name = f"in.csv.{ending}"
    return kind


def is_between(rows, at, records):
    """Whether a record begins there: what is before is whole as CSV."""
    before = rows[max(0, at - 1) : at]
    return before in (b"\n", b"\r") and rows[:at].count(b'"') % 2 == 0 and int(re.match(rb"[0-9]+", rows[at:])[0]) in records


class Unseekable(io.RawIOBase):
    """A pipe: sizes then follow the data."""

    def __init__(self, out):
        self.out = out

    def writable(self):
        return True

    def write(self, data):
        return self.out.write(data)


CONVENTION_TYPES = {"text": "string", "flag": "boolean", "whole": "bigint", "amount": "decimal(38,9)", "inner_text": "string", "list": "json"}


def convention(rng, count, name):
    """Plain values as a program writes them, one record a line."""
    lines, wanted = [], {}
    for record in range(count):
        _, text = json_string(rng)
        _, deep = json_string(rng)
        flag, whole = rng.random() < 0.5, rng.randint(-(2**53), 2**53)
        # As many digits as the column has, and no more before the point than it takes.
        amount = Decimal(rng.randint(-(10**28), 10**28)).scaleb(-rng.randint(0, 9), EXACT)
        items = [rng.randint(-9, 9) for _ in range(rng.randint(1, 3))]
        plain = {"id": record, "text": rng.choice([text, None]), "flag": flag, "whole": whole, "amount": amount, "inner": {"text": deep}, "list": items}
        lines.append(json.dumps(WRITERS[name](plain), ensure_ascii=rng.random() < 0.5))
        wanted[record] = {"text": plain["text"], "flag": flag, "whole": whole, "amount": amount, "inner_text": deep, "list": json.dumps(items, separators=(",", ":"))}
    sources = {"inner_text": "inner.text"}
    head = f'[input]\nformat = "ndjson"\nconventions = ["{name}"]\n'
    kind = Kind("in.ndjson", "\n".join(lines), CONVENTION_TYPES, wanted, head=head, sources=sources)
    # What stands beside the row of a change has no column.
    kind.mode = "discard"
    return kind


def dynamodb(plain):
    typed = lambda value: TypeSerializer().serialize(Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    whole = {**plain, "list": [Decimal(item) for item in plain["list"]]}
    return {"Item": {key: typed(value) for key, value in whole.items()}}


def mongodb(plain):
    written = {
        "id": {"$numberInt": str(plain["id"])}, "whole": {"$numberLong": str(plain["whole"])},
        "amount": {"$numberDecimal": f"{plain['amount']:f}"}, "list": [{"$numberInt": str(item)} for item in plain["list"]],
    }  # fmt: skip
    return {**plain, **written}


def debezium(plain):
    scale = 9
    unscaled = int(plain["amount"].scaleb(scale, EXACT))
    data = unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)
    row = {**plain, "amount": base64.b64encode(data).decode()}
    fields = [{"field": "id", "type": "int32"}, {"field": "amount", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": str(scale)}}]
    schema = {"type": "struct", "fields": [{"field": side, "type": "struct", "fields": fields} for side in ("before", "after")]}
    deleted = plain["id"] % 3 == 0
    payload = {"before": row if deleted else None, "after": None if deleted else row, "op": "d" if deleted else "c", "ts_ms": 1}
    return {"schema": schema, "payload": payload}


def otlp(plain):
    def typed(value):
        match value:
            case bool():
                return {"boolValue": value}
            case int():
                return {"intValue": str(value)}
            case None:
                return {}
            case Decimal():
                return {"intValue": f"{value:f}"}
            case list():
                return {"arrayValue": {"values": [typed(item) for item in value]}}
            case dict():
                return {"kvlistValue": {"values": [{"key": key, "value": typed(item)} for key, item in value.items()]}}
            case _:
                return {"stringValue": value}

    return {key: plain[key] if key == "id" else typed(value) for key, value in plain.items() if value is not None}


WRITERS = {"dynamodb": dynamodb, "mongodb": mongodb, "debezium": debezium, "otlp": otlp}


# --- running and reading -----------------------------------------------------------------------------


class Kind:
    """A file, what it is told, and what comes of each record: `{column: value}`, by id."""

    def __init__(self, name, content, columns, wanted, head="", declared=True, formats=None, sources=None):
        self.name, self.content, self.columns, self.wanted, self.head = name, content, columns, wanted, head
        self.declared, self.formats, self.sources = declared, formats or {}, sources or {}
        self.packed, self.mode = None, "freeze"

    def spec(self):
        lines = ["[output]", 'max_rejected = "100%"', self.head]
        if self.declared:
            lines += ["[[table]]", 'name = "t"', f'mode = "{self.mode}"']
            for name, kind in {"id": "bigint", **self.columns}.items():
                lines += ["[[table.column]]", f'name = "{name}"', f'type = "{kind}"', f'from = "{self.sources.get(name, name)}"']
                if self.formats.get(name):
                    lines.append(f"format = '{self.formats[name]}'")
        return "\n".join(lines) + "\n"

    def rows(self):
        """What must be in the table: the values that are not null, by id."""
        accepted = {key: row for key, row in self.wanted.items() if not any(value is REJECTED for value in row.values())}
        return {key: {name: same(value) for name, value in row.items() if value is not None} for key, row in accepted.items()}


def same(value):
    """A value such that two are equal only if they are the same: -0.0 is not 0.0, and 1 is not True."""
    if isinstance(value, Decimal):
        value = value.normalize(EXACT)
        return f"decimal {value:f}" if value else "decimal 0"
    return f"{type(value).__name__} {value!r}"


KEPT = {"date": "date32[day]", "timestamp": "timestamp[ms, tz=UTC]", "timestamp(6)": "timestamp[us, tz=UTC]", "bigint": "int64", "double": "double", "boolean": "bool"}


def by_pyarrow(table, kind):
    """Types and rows, times as days and milliseconds."""
    types, rows = {}, {}
    for path in sorted(table.rglob("*.parquet")):
        content = pyarrow.parquet.read_table(path, partitioning=None)
        for at, field in enumerate(content.schema):
            types[field.name] = str(field.type)
            if kind.columns.get(field.name) in ("date", "timestamp", "timestamp(6)"):
                wide = pyarrow.int32() if kind.columns[field.name] == "date" else pyarrow.int64()
                content = content.set_column(at, field.name, content.column(at).cast(wide))
        add(rows, content.column_names, zip(*(column.to_pylist() for column in content.columns)))
    return types, rows


def by_duckdb(table, kind):
    shown = {"date": "\"{0}\" - DATE '1970-01-01'", "timestamp": 'epoch_ms("{0}")', "timestamp(6)": 'epoch_us("{0}")'}
    columns = ["id", *kind.columns]
    listed = ", ".join(shown.get(kind.columns.get(name), '"{0}"').format(name) for name in columns)
    pattern = str(table / "**" / "*.parquet").replace("'", "''")
    rows = {}
    add(rows, columns, duckdb.sql(f"SELECT {listed} FROM read_parquet('{pattern}', union_by_name = true)").fetchall())
    return rows


def add(rows, names, found):
    for row in found:
        row = dict(zip(names, row))
        key = row.pop("id")
        rows[key] = {name: same(value) for name, value in row.items() if value is not None}


def check(checks, name, lakegate, kind):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / kind.name).write_bytes(kind.packed or kind.content.encode())
        (folder / "spec.toml").write_text(kind.spec(), encoding="utf-8")
        command = [lakegate, "run", kind.name, "--spec", "spec.toml", "--lake", "lake", "--table", "t"]
        if "[[table]]" in kind.spec():
            command = command[:-2]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        checks.same(f"{name}: the command", ran.returncode in (0, 3) or ran.stdout + ran.stderr, True)
        if ran.returncode not in (0, 3):
            return
        wanted, table = kind.rows(), folder / "lake" / "t"
        types, arrow = by_pyarrow(table, kind)
        in_files = {c: KEPT.get(t, f"decimal128{t[7:].replace(',', ', ')}" if t.startswith("decimal") else "string") for c, t in kind.columns.items()}
        checks.same(f"{name}: types", {c: types.get(c) for c in kind.columns}, in_files)
        for reader, found in [("pyarrow", arrow), ("DuckDB", by_duckdb(table, kind))]:
            compare(checks, f"{name}: {len(kind.wanted)} records by {reader}", found, wanted, kind)


def compare(checks, name, found, wanted, kind):
    if found == wanted:
        checks.same(name, True, True)
        return
    wrong = [key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key)]
    lines = kind.content.splitlines()
    for key in wrong[:8]:
        near = next((line for line in lines if re.search(rf'(^|"id": ?){key}\b', line)), "")
        print(f"   id {key}: found {found.get(key, 'rejected')}, wanted {wanted.get(key, 'rejected')}\n      {near[:300]}")
    checks.same(name, f"{len(wrong)} records differ", "none")


KINDS = {
    "numbers in JSON": numbers_json,
    "numbers in CSV": numbers_csv,
    "numbers learned": numbers_learned,
    "times in JSON": lambda rng, count: times(rng, count, 0, "ndjson"),
    "times in CSV": lambda rng, count: times(rng, count, -210, "csv"),
    "CSV rows": lambda rng, count: csv_rows(rng, count, ",", True),
    "CSV rows, semicolons": lambda rng, count: csv_rows(rng, count, ";", True),
    "CSV rows, tabs": lambda rng, count: csv_rows(rng, count, "\t", True),
    "CSV rows learned": lambda rng, count: csv_rows(rng, count, ",", False),
    "JSON lines": lambda rng, count: json_rows(rng, count, "in.ndjson"),
    "JSON array learned": lambda rng, count: json_rows(rng, count, "in.json"),
    "CSV rows in bzip2": lambda rng, count: packed(rng, count, "bz2"),
    "CSV rows in a zip": lambda rng, count: packed(rng, count, "zip"),
    "DynamoDB": lambda rng, count: convention(rng, count, "dynamodb"),
    "MongoDB": lambda rng, count: convention(rng, count, "mongodb"),
    "Debezium": lambda rng, count: convention(rng, count, "debezium"),
    "OpenTelemetry": lambda rng, count: convention(rng, count, "otlp"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakegate", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--only", choices=KINDS)
    arguments = parser.parse_args()
    checks = Checks()
    for name, make in KINDS.items():
        if arguments.only in (None, name):
            # A kind's values hang on its name and the seed, not on the kinds before it.
            rng = random.Random(f"{name} {arguments.seed}")
            check(checks, name, arguments.lakegate.resolve(), make(rng, arguments.records))
    print(f"oracles: seed {arguments.seed}, {arguments.records} records of each kind")
    print(f"check result: {checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
