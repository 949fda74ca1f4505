"""What became of objects that were delivered in spite of trouble, by readers that are not of this project.

Each object has a lake of its own, the folder `<place>/` of the lake's bucket, and its tables begin with `<place>_`.
Everything is counted from what is there.
"""

import json
from collections import Counter
from io import BytesIO

import pyarrow.parquet
from aws_read import place as bucket_and_key

OWN = "_lakegate/"
# What is counted, in the order of the printed table.
WRONG = {
    "lost": "rows, or rejected lines, that a query should find and does not",
    "doubled": "rows and lines that it finds too often",
    "orphans": "files that it looks at, and that are of no commit that counts",
    "gone": "files of a commit that counts that are not there",
    "commits": "commit records too many or too few",
    "marks": "commits without a done mark, or marks without a commit",
    "uploads": "uploads that are still open",
    "catalog": "partitions whose columns are not the table's",
    "failures": "failure records too many or too few, and commits that were given up",
}


class Lakes:
    """All that is there of the places whose names begin so."""

    def __init__(self, rig, begin, database):
        self.rig, self.files = rig, {}
        for key in rig.keys(begin):
            place, _, name = key.partition("/")
            self.files.setdefault(place, []).append(name)
        self.uploads = Counter(key.partition("/")[0] for key in rig.open_uploads())
        glue = rig.client("glue")
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
        found = (table for page in pages for table in page["TableList"])
        self.tables = {table["Name"]: table for table in found if table["Name"].startswith(begin)}
        self.partitions = {}
        for name in (name for name, table in self.tables.items() if table.get("PartitionKeys")):
            pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
            self.partitions[name] = [one for page in pages for one in page["Partitions"]]

    def below(self, place, folder):
        return [name for name in self.files.get(place, []) if name.startswith(folder)]

    def body(self, place, name):
        return self.rig.s3.get_object(Bucket=self.rig.lake, Key=f"{place}/{name}")["Body"].read()

    def records(self, place):
        """All commit records, and those that count: the last of each object, and what stands beside it."""
        objects = {}
        for name in sorted(self.below(place, f"{OWN}commits/")):
            objects.setdefault(name.rpartition("/")[0], []).append(json.loads(self.body(place, name)))
        current = []
        for records in objects.values():
            last = records[-1]
            stands = [*last["stands"], last["generation"]]
            current += [record for record in records if record["generation"] in stands]
        return [record for records in objects.values() for record in records], current

    def listed(self, place):
        """Folders of the table that a query looks into, each with its partition's values."""
        found = {}
        for one in self.partitions.get(f"{place}_numbered", []):
            bucket, folder = bucket_and_key(one["StorageDescriptor"]["Location"])
            if bucket == self.rig.lake:
                found[folder.rstrip("/").removeprefix(f"{place}/")] = one
        return found

    def take_away(self):
        """All objects of these places, raw ones too, in requests of a thousand."""
        for bucket in (self.rig.lake, self.rig.raw):
            keys = [{"Key": key} for place in self.files for key in self.rig.keys(f"{place}/", bucket)]
            for at in range(0, len(keys), 1000):
                self.rig.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys[at : at + 1000], "Quiet": True})

    def rows(self, place, columns):
        """As a query finds them: of every part file in the partitions that the catalog lists."""
        rows, listed = [], self.listed(place)
        for name in self.below(place, "numbered/"):
            folder, _, file = name.rpartition("/")
            if folder in listed and file[:1] not in ("_", "."):
                content = pyarrow.parquet.read_table(BytesIO(self.body(place, name)), partitioning=None)
                rows += [row | {"day": listed[folder]["Values"][0]} for row in content.to_pylist()]
        return counted(rows, columns)

    def rejected(self, place):
        """Text of the lines that a query finds in the table of the quarantine."""
        table = self.tables.get(f"{place}_{place}_quarantine")
        if not table:
            return []
        bucket, folder = bucket_and_key(table["StorageDescriptor"]["Location"])
        assert bucket == self.rig.lake, table
        names = self.below(place, folder.removeprefix(f"{place}/"))
        lines = [line for name in names for line in self.body(place, name).splitlines()]
        return [json.loads(line)["raw"] for line in lines]


def counted(rows, columns):
    return Counter(tuple(row.get(name) for name in columns) for row in rows)


def judge(lakes, place, given, columns):
    """How much of each kind is wrong with a place, as a Counter."""
    records, current = lakes.records(place)
    wrong = Counter()
    for there, wanted in (
        (lakes.rows(place, columns), counted(given.rows, columns)),
        (Counter(lakes.rejected(place)), Counter(given.rejected)),
    ):
        wrong["lost"] += (wanted - there).total()
        wrong["doubled"] += (there - wanted).total()
    visible = {name for name in lakes.files.get(place, []) if not name.startswith(OWN)}
    visible |= set(lakes.below(place, f"{OWN}quarantine/"))
    committed = {part["key"] for record in current for part in record["parts"]}
    committed |= {record["quarantine"]["key"] for record in current if record.get("quarantine")}
    wrong["orphans"] += len(visible - committed)
    wrong["gone"] += len(committed - visible)
    wrong["commits"] += abs(len(records) - given.commits)
    # `…-<object>-<generation>.json` of `…/<object>/<generation>.json`.
    marks = Counter(tuple(name.split("-")[-2:]) for name in lakes.below(place, f"{OWN}loads/"))
    made = Counter(tuple(name.split("/")[-2:]) for name in lakes.below(place, f"{OWN}commits/"))
    wrong["marks"] += ((marks - made) + (made - marks)).total()
    wrong["uploads"] += lakes.uploads[place]
    # A reader may believe the table's columns or a partition's: they are the same.
    table = lakes.tables.get(f"{place}_numbered", {}).get("StorageDescriptor", {}).get("Columns")
    wrong["catalog"] += sum(one["StorageDescriptor"]["Columns"] != table for one in lakes.listed(place).values())
    wrong["failures"] += abs(len(lakes.below(place, f"{OWN}failures/")) - given.failures)
    wrong["failures"] += len(lakes.below(place, f"{OWN}void/") + lakes.below(place, f"{OWN}withdrawn/"))
    return wrong
