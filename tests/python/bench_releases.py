"""Measures releases: how long a list of many takes, and how soon a promotion is in use while uploads go on.

Not part of `cargo xtask bench`, which measures loads; its figures stand in BENCH.md, "Releases". Needs only the command:

    python tests/python/bench_releases.py --lakegate target/release/lakegate
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

SPEC = """[[table]]
name = "orders"
mode = "freeze"
[[table.column]]
name = "id"
type = "bigint"
[[table.derive]]
name = "more"
sql = "id * {}"
"""
AT = ("--registry", "registry")


class Command:
    """The command in a folder of its own, with a key that is trusted."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.environment = os.environ | {"LAKEGATE_KEY": "key", "LAKEGATE_TRUST": "key.pub"}
        (folder / "sample.ndjson").write_text('{"id": 1}\n')
        for number in range(2):
            (folder / f"{number}.toml").write_text(SPEC.format(number + 2))
        subprocess.run([program, "keygen", "--out", "key"], cwd=folder, check=True, capture_output=True)

    def __call__(self, *args):
        call = [self.program, *args, "--json"]
        ran = subprocess.run(call, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{args}: {ran.stdout}{ran.stderr}"
        return json.loads(ran.stdout)

    def publish(self, version, spec):
        first = ["--first"] if not (self.folder / "registry").exists() else []
        self(
            "publish", "orders", "--version", version, "--spec", f"{spec}.toml", "--sample", "sample.ndjson",
            "--no-code", *AT, *first,
        )


def listing(command, count):
    """Seconds of `releases` over so many of them, the best of five."""
    for number in range(count):
        command.publish(f"1.{number}.0", number % 2)
    command("promote", "orders", f"1.{count - 1}.0", *AT)
    seconds = []
    for _ in range(5):
        begun = time.monotonic()
        assert len(command("releases", "orders", *AT)["releases"]) == count
        seconds.append(time.monotonic() - begun)
    print(f"listing {count} releases: {min(seconds):.2f} s")


def promotions(command, count):
    """Uploads by two clients without a pause, while one release after the other is promoted."""
    serve = [command.program, "serve", "--port", "0", "--json", "--lake", "lake", "--transform", "orders", *AT]
    how = {"cwd": command.folder, "env": command.environment, "text": True}
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **how) as server:
        place = f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
        first, states, stop = {}, {}, threading.Event()

        def ask(path, body=None):
            how = {"method": "PUT" if body else "GET", "headers": {"Origin": place}}
            request = urllib.request.Request(place + path, data=body, **how)
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        def upload(client):
            number = 0
            while not stop.is_set():
                number += 1
                upload = ask(f"/api/raw/{client}-{number}.ndjson", b'{"id": 7}\n')["id"]
                while (told := ask(f"/api/uploads/{upload}"))["state"] not in ("done", "failed"):
                    time.sleep(0.005)
                states[told["state"]] = states.get(told["state"], 0) + 1
                first.setdefault((told["commit"] or {}).get("document"), time.monotonic())

        clients = [threading.Thread(target=upload, args=(client,)) for client in range(2)]
        for client in clients:
            client.start()
        promoted = {}
        for number in range(count):
            document = command("promote", "orders", f"1.{number % 2}.0", *AT)["sequence"]
            promoted[document] = time.monotonic()
            time.sleep(1.2)
        stop.set()
        for client in clients:
            client.join()
        server.kill()
    waits = sorted(first[document] - at for document, at in promoted.items())
    print(
        f"{count} promotions under {sum(states.values())} uploads ({states}): in use after {waits[0]:.2f} to "
        f"{waits[-1]:.2f} s, median {waits[count // 2]:.2f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lakegate", required=True, type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--promotions", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = Command(arguments.lakegate, Path(folder))
        listing(command, arguments.releases)
        promotions(command, arguments.promotions)


if __name__ == "__main__":
    main()
