"""What verbs refuse, as a table: the words of a command, its exit code, the code of its problem.

`{…}` stands for a place of the world: `lake` and `raw` in the home, `in` where a pipeline takes objects, `bucket` a bucket
that is there, `gone` one that is not. Nothing may be written by any of them, least of all a folder called `s3:`.
"""

import subprocess

from aws_homes import World
from aws_verbs_given import CLEAN, deployed, loaded, spec

PIPELINES = """
[pipeline.gone]
source = "{gone}in/"
lake = "{gone_lake}"
table = "gone"
contract = "learn"
"""

REFUSED = [
    # What is not there.
    ("run {in}none.ndjson", 1, "not_found"),
    ("run {in}none.ndjson --again", 1, "not_found"),
    ("run {in}none/", 1, "no_input"),
    ("run {gone}in/a.ndjson", 1, "bucket_missing"),
    ("run {gone}in/", 1, "bucket_missing"),
    ("run {bucket}nobody/a.ndjson", 2, "no_pipeline"),
    ("run {in}a.ndjson --pipeline none", 1, "pipeline_unknown"),
    ("run {in}a.ndjson --pipeline gone", 2, "no_pipeline"),
    ("run {bucket}none.ndjson --table t --lake {lake}", 1, "not_found"),
    ("run {bucket}none/ --table t --lake {lake}", 1, "no_input"),
    ("run {gone}a.ndjson --table t --lake {lake}", 1, "bucket_missing"),
    ("run {gone}in/ --table t --lake {lake}", 1, "bucket_missing"),
    ("run here.ndjson --table t --lake {gone}", 1, "bucket_missing"),
    ("run here.ndjson --spec {bucket}none.toml --lake {lake}", 1, "not_found"),
    ("run --failed --lake {bucket}nothing/", 1, "no_lake"),
    ("run --failed --pipeline none", 1, "pipeline_unknown"),
    ("preview {bucket}none.ndjson", 1, "not_found"),
    ("preview {gone}none.ndjson", 1, "bucket_missing"),
    ("init {bucket}none.ndjson", 1, "not_found"),
    ("init {bucket}none/", 1, "no_input"),
    ("inspect {bucket}none.parquet", 1, "not_found"),
    ("inspect {bucket}none/", 1, "no_parquet"),
    ("verify {bucket}none.json", 1, "not_found"),
    ("verify {lake}_lakegate/commits/orders/none/000001.json", 1, "not_found"),
    ("status {bucket}nothing/ orders", 1, "no_lake"),
    ("status --pipeline none", 1, "pipeline_unknown"),
    ("fsck {bucket}nothing/", 1, "no_lake"),
    ("fsck {gone}", 1, "bucket_missing"),
    ("fsck --pipeline none", 1, "pipeline_unknown"),
    ("quarantine list orders --lake {bucket}nothing/", 1, "no_lake"),
    ("quarantine list none --lake {lake}", 1, "no_table"),
    ("quarantine show orders --pipeline none", 1, "pipeline_unknown"),
    ("quarantine resubmit orders --lake {bucket}nothing/", 1, "no_lake"),
    ("contract show orders --lake {bucket}nothing/", 1, "no_lake"),
    ("contract show none --lake {lake}", 1, "no_table"),
    ("contract change orders none string --lake {lake}", 2, "usage"),
    ("pause none", 1, "pipeline_unknown"),
    ("resume none", 1, "pipeline_unknown"),
    ("retract {in}none.ndjson", 1, "nothing_to_retract"),
    ("retract {in}none/", 1, "nothing_to_retract"),
    ("retract {bucket}nobody/a.ndjson", 2, "no_pipeline"),
    ("backfill {gone}in/", 1, "bucket_missing"),
    # What would be ignored, or means two things.
    ("run {in}a.ndjson --config lakegate.toml --table t", 2, "usage"),
    ("run {in}a.ndjson --pipeline orders --spec orders.toml", 2, "usage"),
    ("run {in}a.ndjson --pipeline orders --lake {lake}", 2, "usage"),
    ("run {in}a.ndjson here.ndjson", 2, "usage"),
    ("run here.ndjson --pipeline orders", 2, "usage"),
    ("run here.ndjson --failed", 2, "usage"),
    ("run {in}a.ndjson --failed", 2, "usage"),
    ("run {in}a.ndjson --release 1.0.0", 2, "usage"),
    ("run {in}a.ndjson --trust none.pub", 2, "usage"),
    ("run {in}a.ndjson --min-sequence 3", 2, "usage"),
    ("run {in}a.ndjson --registry {bucket}registry/ --transform orders --spec orders.toml", 2, "usage"),
    ("preview {bucket}in/", 2, "usage"),
    ("backfill raw/", 2, "usage"),
    ("retract raw/a.ndjson", 2, "usage"),
    ("fsck {lake} --pipeline orders", 2, "usage"),
    ("quarantine list orders --lake {lake} --pipeline orders", 2, "usage"),
    ("contract show orders --lake {lake} --pipeline orders", 2, "usage"),
    ("serve --lake {lake} --pipeline orders", 2, "usage"),
    # A lake where a pipeline reads: its files would be the pipeline's next objects.
    ("run here.ndjson --table t --lake {in}", 2, "usage"),
    ("run here.ndjson --table t --lake {in}below/", 2, "usage"),
    ("serve --lake {in}", 2, "usage"),
    # A URI is never a path.
    ("run here.ndjson --table t --lake s3:/x", 2, "usage"),
    ("run here.ndjson --table t --lake s3:x", 2, "usage"),
    ("run here.ndjson --table t --lake s3://", 2, "usage"),
    ("run here.ndjson --table t --lake S3://bucket/x/", 2, "usage"),
    ("run here.ndjson --table t --lake file:///tmp/x", 2, "usage"),
    ("run here.ndjson --table t --lake gs://bucket/x/", 2, "usage"),
    ("run here.ndjson --table t --lake https://bucket.s3.amazonaws.com/x/", 2, "usage"),
    ("run s3:/x", 2, "usage"),
    ("run here.ndjson --spec s3:/x --lake {lake}", 2, "usage"),
    ("preview s3:/x", 2, "usage"),
    ("preview here.ndjson --lake s3:/x", 2, "usage"),
    ("inspect s3:/x", 2, "usage"),
    ("init s3:/x", 2, "usage"),
    ("verify s3:/x", 2, "usage"),
    ("status s3:/x", 2, "usage"),
    ("status {lake} s3:/x", 2, "usage"),
    ("fsck s3:/x", 2, "usage"),
    ("serve --lake s3:/x", 2, "usage"),
    ("quarantine list orders --lake s3:/x", 2, "usage"),
    ("contract show orders --lake s3:/x", 2, "usage"),
    ("releases --registry s3:/x", 2, "usage"),
    ("publish orders --version 1.0.0 --spec orders.toml --registry s3:/x", 2, "usage"),
    ("registry copy orders --from s3:/x --registry {bucket}registry/", 2, "usage"),
    ("registry check orders --from s3:/x --registry {bucket}registry/", 2, "usage"),
    ("replay orders --release 1.0.0 --registry {bucket}registry/ --lake {lake} --into s3:/x", 2, "usage"),
    ("replay orders --release 1.0.0 --registry {bucket}registry/ --lake {lake} --from s3:/x", 2, "usage"),
    ("backfill s3:/x", 2, "usage"),
    ("retract s3:/x", 2, "usage"),
    ("diff orders 1.0.0 1.1.0 s3:/x --registry {bucket}registry/", 2, "usage"),
]


def prepared(world):
    """A world with a lake, a pipeline, one whose bucket is missing, and the places of the table."""
    gone = f"s3://{world.bucket.name}-gone/"
    loaded(world)
    below = deployed(world, PIPELINES.format(gone=gone, gone_lake=world.bucket.place("other/")))
    world.source("in/a.ndjson", CLEAN)
    world.file("here.ndjson", CLEAN.decode())
    world.file("orders.toml", spec())
    return {"lake": world.lake(), "in": below, "bucket": world.bucket.place(""), "gone": gone}


def there(world):
    """Everything that is in the home, in the bucket and beside the command."""
    here = sorted(path.relative_to(world.cwd).as_posix() for path in world.cwd.rglob("*"))
    return {"home": world.names(), "bucket": world.bucket.names(""), "here": here}


def in_home(home, arguments):
    """Runs the table; all that is otherwise, at once."""
    wrong = []
    with World(home, arguments, []) as world:
        places = prepared(world)
        before = there(world)
        for words, code, problem in REFUSED:
            command = words.format(**places).split()
            try:
                ran = world.run(*command)
            except subprocess.TimeoutExpired:
                wrong.append(f"{words}: it runs on and on")
                continue
            found = (ran.code, ran.json.get("error", {}).get("code"))
            if found != (code, problem):
                wrong.append(f"{words}: {found}, wanted {(code, problem)}: {str(ran.json)[:300]}")
            after = there(world)
            if after != before:
                new = {name: [one for one in after[name] if one not in before[name]] for name in after}
                wrong.append(f"{words}: it wrote {new}")
                before = after
    print(f"{len(REFUSED)} commands in {home}: {len(wrong)} not refused as they should be")
    assert not wrong, f"in {home}\n" + "\n".join(wrong)
