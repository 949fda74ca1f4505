"""Cases of what an object cannot do to its surroundings: be told of by value, or take the function's memory.

`aws_cases.py` runs them.
"""

import json

from aws_given import assert_says, config, numbered_files, pipeline
from aws_runtime import Function

# Not in any key, column name or partition: what holds it was a value of a record.
SECRET = "tell-nobody-4711"


def no_value_of_the_data_is_told(rig, _):
    """Log, metrics, notices and failure records say which record and why, and never what was in it."""
    rig.make_catalog()
    files = numbered_files(rig)
    good = [{"id": n, "day": "2025-01-01", "noise": f"{SECRET} {n}"} for n in range(20)]
    wrong = [{"id": SECRET, "day": "2025-01-01", "noise": SECRET}, {"id": 1, "day": {"x": SECRET}, "noise": SECRET}]
    wrong.append({"id": 2, "day": "2025-01-01", "noise": "x", "more": SECRET})

    def lines(*records):
        return "\n".join(json.dumps(record) for record in records).encode()

    objects = {
        "good.ndjson": lines(*good),
        "some.ndjson": lines(*good, *wrong) + f'\n{{"{SECRET}'.encode(),
        "all.ndjson": lines(*wrong),
        "broken.json": f'[{{"noise": "{SECRET}", "{SECRET}'.encode(),
        "list.csv": f"id,day,noise\n1,2025-01-01,{SECRET}\n{SECRET},2025-01-01,\"{SECRET}".encode(),
        "text.json": SECRET.encode(),
    }
    with Function(rig, files) as function:
        for name, body in objects.items():
            answer = function.call({"Records": [rig.put(f"in/{name}", body)]})
            assert SECRET not in json.dumps(answer), answer
        said = function.said()
    assert "in/some.ndjson" in said and "in/broken.json" in said, said
    told = [(subject, json.dumps(body)) for subject, body, _ in rig.received(len(objects))]
    told += [(key, text_of(rig, key)) for key in rig.keys("_lakegate/") if "/quarantine/" not in key]
    assert any("/failures/" in where for where, _ in told), [where for where, _ in told]
    found = [where for where, text in told + [("the log", said)] if SECRET in text]
    assert not found, f"{found}: {[line for line in said.splitlines() if SECRET in line][:3]}"
    # What was rejected is in quarantine with its raw text: that is where it belongs.
    kept = "".join(text_of(rig, key) for key in rig.keys("_lakegate/quarantine/"))
    assert SECRET in kept, kept


def text_of(rig, key):
    return rig.s3.get_object(Bucket=rig.lake, Key=key)["Body"].read().decode()


def a_small_function_ends_by_name(rig, _):
    """512 MB and an object whose columns want more: a named limit of that object, and the next one is made."""
    partitions = """
[limits]
partitions = 2000

[[table]]
name = "wide"
partition_by = ["p"]
"""
    files = {"lakegate.toml": config(pipeline(rig, "wide", "in/", "wide.toml", 'contract = "learn"', catalog=False)),
             "wide.toml": partitions}
    keys = [f"column_{n}" for n in range(400)]
    large = b"".join(
        json.dumps({"p": n % 1500} | {key: f"{key} {n} {n * n}" for key in keys}).encode() + b"\n" for n in range(20_000)
    )
    with Function(rig, files, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}) as function:
        answer = function.call({"bucket": rig.raw, "key": rig.put("in/large.ndjson", large)["s3"]["object"]["key"]})
        print(json.dumps(answer)[:600], f"{len(large) >> 20} MiB, most memory {function.high_water() >> 20} MiB")
        assert_says(answer, "memory_bytes")
        most = function.high_water()
        assert most < 512 << 20, f"{most >> 20} MiB"
        answer = function.call({"Records": [rig.put("in/small.ndjson", large[: large.index(b"\n") + 1])]})
        assert answer["objects"][0]["state"] == "made", answer
