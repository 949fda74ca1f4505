"""What the questions of `history.json` say of a lake with good and bad objects.

    check_history.py --lakegate BINARY
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import history_tables
from check_lake import Checks


def scene(checks, lakegate, folder):
    """Good records, a bad one, a file that fails, one that is mended: what the questions say of them."""
    def run(name, text, code):
        (folder / name).write_text(text)
        ran = subprocess.run([lakegate, "run", name, "--lake", "lake", "--table", "t"], cwd=folder, capture_output=True,
                             text=True, check=False)
        checks.same(f"run of {name}", ran.returncode, code)

    records = [f'{{"id": {n}, "day": "2025-01-01"}}\n' for n in range(20)]
    run("good.ndjson", "".join(records), 0)
    run("some.ndjson", "".join(records) + '{"id": "no"\n', 3)
    run("bad.json", "{", 1)
    run("mended.json", "{", 1)
    run("mended.json", records[0], 0)
    history_tables.check(checks, "history", folder / "lake")
    history = history_tables.History(folder / "lake", "t")
    came = history.ask("what_came_in")
    numbers = [(row["objects"], row["loads"], row["records"], row["rejected"], row["rows_written"]) for row in came]
    checks.same("history: what came in", numbers, [(3, 3, 42, 1, 41)])
    checks.same("history: rejected share", round(came[0]["rejected_percent"], 3), round(100 / 42, 3))
    missing = [(Path(row["source"]).name, bool(row["code"])) for row in history.ask("what_is_missing")]
    checks.same("history: what is missing", missing, [("bad.json", True)])
    late = history.ask("is_it_late")
    checks.same("history: is it late", [(row["pipeline"], row["expected_every"], row["overdue"]) for row in late], [("t", 3600, False)])
    checks.same("history: seconds ago", 0 <= late[0]["seconds_ago"] < 600, True)
    cost = history.ask("what_did_it_cost")[0]
    lines = [json.loads(file.read_text()) for file in history.files["loads"]]
    compute = sum(line["milliseconds"] for line in lines) / 1000 * 0.0000166667
    checks.same("history: dollars", (round(cost["compute_dollars"], 12), cost["loads"]), (round(compute, 12), 3))
    checks.same("history: requests", cost["requests"], sum(line["requests"] for line in lines))
    made = history.ask("which_releases")
    checks.same("history: which releases", [(row["made_by"][:10], row["loads"]) for row in made], [("component ", 3)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakegate", type=Path, required=True)
    arguments = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        scene(checks, arguments.lakegate.resolve(), Path(folder).resolve())
    print(f"check result: {checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
