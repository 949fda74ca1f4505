"""The benchmark: makes its data, runs Lakegate and its peers on it, checks that they agree, prints one table.

    bench.py --lakegate BINARY --native BINARY --steps BINARY --encoder BINARY --sandbox BINARY --data FOLDER
             [--quick] [--only NAME…] [--with PEER…]

Started by `cargo xtask bench`, which builds what is measured. Everything runs one after the other, each as a
process of its own: all ways once, then all of them again, so that what else happens on the machine meets all alike;
the median counts. Speed is by processor seconds, of all threads. Lakegate's time is the whole process; a peer's
time leaves out the interpreter and its imports.

Results go to standard output as Markdown; progress goes to standard error.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import bench_specs

HERE = Path(__file__).parent
SHAPES = ("json", "ndjson", "sales", "wide", "text")
PEERS = ("pandas", "duckdb", "polars")
NATIVE, SANDBOX = "Lakegate native", "Lakegate sandbox"
SUFFIX = {"json": ".json", "sales": ".csv", "dates": ".csv"}

MIB = 1 << 20


class Failed(Exception):
    """Something did not work or two programs do not agree."""


class Cost(NamedTuple):
    """What a process cost: wall seconds, processor seconds of all its threads, peak memory in bytes."""

    wall: float
    cpu: float
    memory: int


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- data ----------------------------------------------------------------------------------------------


def data_file(folder, shape, megabytes):
    """The file of that shape and size; made when it is not there yet."""
    path = folder / f"{shape}-{megabytes:g}{SUFFIX.get(shape, '.ndjson')}"
    if path.exists():
        return path
    say(f"   making {path.name}")
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        if megabytes > 60 and shape in ("ndjson",):
            # Many times the same block: Python would take minutes, and memory does not tell the difference.
            block = data_file(folder, shape, 50).read_bytes()
            for _ in range(round(megabytes / 50)):
                file.write(block)
        else:
            command = [sys.executable, HERE / "generate.py", shape, "--megabytes", str(megabytes)]
            subprocess.run(command, stdout=file, check=True)
    part.rename(path)
    return path


def twenty_kilobytes(folder):
    """A small orders file."""
    return data_file(folder, "json", 0.02)


# --- processes -----------------------------------------------------------------------------------------


def timed(command, **environment):
    """Runs a command; (Cost, standard output)."""
    begun = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"NO_COLOR": "1"} | environment,
    )
    # Both streams are short: one JSON line, and a message when it fails.
    output = child.stdout.read()
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if child.returncode != 0:
        raise Failed(f"{command[0]} ended with {child.returncode}: {errors.decode()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    cost = Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)
    return cost, output.decode()


def median(costs):
    """The run in the middle, by processor time."""
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def empty(folder):
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run_peer(peer, shape, source, out):
    target = empty(out) / "part.parquet"
    command = [sys.executable, HERE / "peer.py", peer, shape, source, target]
    cost, output = timed(command, POLARS_MAX_THREADS="1")
    told = last_json(output)
    return Cost(told["wall"], told["cpu"], cost.memory)


def run_driver(binary, shape, source, out):
    """`whole` (native) or `sandbox`: the same work with and without the sandbox, and no lake."""
    spec = source.parent / f"{shape}.toml"
    command = [binary, "--spec", spec, "--table", "bench", "--input", source, "--out", empty(out)]
    return timed(command)[0]


def run_lakegate(binary, shape, source, out, declared):
    """`lakegate run` into a new lake; its compiled code is cached from the run before."""
    command = [binary, "run", source, "--table", "bench", "--lake", empty(out), "--json"]
    spec = source.parent / f"{shape if declared else 'learn-' + shape}.toml"
    if spec.exists():
        command += ["--spec", spec]
    return timed(command)[0]


# --- agreement -----------------------------------------------------------------------------------------


def checksum(shape, out):
    """What every way must agree on; a process of its own, so that memory figures stay clean."""
    _, output = timed([sys.executable, HERE / "bench_check.py", "sums", shape, out])
    return last_json(output)


def agree(shape, sums):
    """Fails unless all ways made the same rows."""
    first_name, first = next(iter(sums.items()))
    for name, found in sums.items():
        if found != first:
            raise Failed(f"{shape}: {name} disagrees with {first_name}:\n  {found}\n  {first}")


# --- the parts of the report ---------------------------------------------------------------------------


def throughput(arguments, rounds, megabytes):
    """One table: MB/s, memory, size and ratios for each shape and way."""
    print("| input | way | MB/s | × best | CPU seconds | wall seconds | peak MiB | written MB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    peers = PEERS + tuple(arguments.with_peers)
    for shape in SHAPES:
        if arguments.only and shape not in arguments.only:
            continue
        source = data_file(arguments.data, shape, megabytes)
        size, out = source.stat().st_size / 1e6, arguments.data / "out"
        ways = {peer: lambda peer=peer: run_peer(peer, shape, source, out) for peer in peers}
        ways[NATIVE] = lambda: run_driver(arguments.native, shape, source, out)
        ways[SANDBOX] = lambda: run_driver(arguments.sandbox, shape, source, out)
        ways["`lakegate run`, declared"] = lambda: run_lakegate(arguments.lakegate, shape, source, out, True)
        ways["`lakegate run`, learned: two passes"] = lambda: run_lakegate(
            arguments.lakegate, shape, source, out, False
        )
        costs, sums, written = {name: [] for name in ways}, {}, {}
        for number in range(rounds):
            say(f"   {shape}: round {number + 1} of {rounds}")
            for name, run in ways.items():
                costs[name].append(run())
                if number == 0:
                    sums[name] = checksum(shape, out)
                    written[name] = sum(file.stat().st_size for file in out.rglob("*.parquet")) / 1e6
        agree(shape, sums)
        results = {name: median(runs) for name, runs in costs.items()}
        best = min(results[peer].cpu for peer in peers)
        for name, cost in results.items():
            print(
                f"| {shape} | {name} | {size / cost.cpu:.0f} | {best / cost.cpu:.2f} | {cost.cpu:.2f} "
                f"| {cost.wall:.2f} | {cost.memory / MIB:.0f} | {written[name]:.1f} |"
            )
        ratio = results[SANDBOX].cpu / results[NATIVE].cpu
        print(f"| {shape} | *sandbox ÷ native* | {ratio:.2f} | | | | | |")
        sys.stdout.flush()


def memory(arguments, quick):
    """Peak memory on big inputs and on 365 partitions; row group sizes."""
    large, small = (200, 50) if quick else (1000, 200)
    out = arguments.data / "out"
    print("\n| memory | CPU seconds | peak MiB | median row group, raw MiB |\n| --- | ---: | ---: | ---: |")
    cases = [
        (f"NDJSON, {large} MB", "ndjson", data_file(arguments.data, "ndjson", large)),
        (f"NDJSON, {small} MB", "ndjson", data_file(arguments.data, "ndjson", small)),
        (f"sales in 365 random partitions, {small} MB", "dates", data_file(arguments.data, "dates", small)),
    ]
    for name, shape, source in cases:
        say(f"   memory: {name}")
        cost = run_lakegate(arguments.lakegate, shape, source, out, True)
        _, output = timed([sys.executable, HERE / "bench_check.py", "groups", shape, out])
        median = last_json(output)["median_row_group"]
        print(f"| {name} | {cost.cpu:.2f} | {cost.memory / MIB:.0f} | {median / MIB:.1f} |")
        sys.stdout.flush()


def starts(arguments):
    """What a small file costs, and where it goes."""
    out, source = arguments.data / "out", twenty_kilobytes(arguments.data)
    print("\n| start | median ms | CPU ms | peak MiB |\n| --- | ---: | ---: | ---: |")

    def line(name, runs):
        wall = statistics.median(cost.wall for cost in runs) * 1000
        cpu = statistics.median(cost.cpu for cost in runs) * 1000
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {max(cost.memory for cost in runs) / MIB:.0f} |")
        sys.stdout.flush()

    line("an empty process", [timed(["true"])[0] for _ in range(21)])
    line("`lakegate --version`", [timed([arguments.lakegate, "--version"])[0] for _ in range(21)])
    warm = [run_lakegate(arguments.lakegate, "json", source, out, True) for _ in range(21)]
    line("`lakegate run` of a 20 KB file", warm)
    cache = empty(arguments.data / "cold")
    command = [arguments.lakegate, "run", source, "--table", "bench", "--lake", empty(out)]
    line("the same, nothing cached: compiles", [timed(command, XDG_CACHE_HOME=str(cache))[0]])
    for name, milliseconds in last_json(timed([arguments.sandbox])[1]).items():
        print(f"| {name} | {milliseconds:.3f} | | |")


def steps(arguments, megabytes):
    """How quick each native step is by itself."""
    source = data_file(arguments.data, "ndjson", megabytes)
    command = [arguments.steps, "--spec", arguments.data / "ndjson.toml", "--input", source]
    print("\n| native steps on ndjson | seconds | MB/s |\n| --- | ---: | ---: |")
    for name, seconds in last_json(timed(command)[1]).items():
        print(f"| {name} | {seconds:.3f} | {source.stat().st_size / 1e6 / seconds:.0f} |")
    sys.stdout.flush()


def fuel(arguments):
    """What the guest does for a byte of input, counted: the same on every machine, so that a change shows."""
    out = arguments.data / "out"
    print("\n| input | fuel per input byte |\n| --- | ---: |")
    for shape in SHAPES:
        if arguments.only and shape not in arguments.only:
            continue
        source = data_file(arguments.data, shape, 2)
        command = [arguments.sandbox, "--fuel", "--spec", arguments.data / f"{shape}.toml", "--table", "bench"]
        command += ["--input", source, "--out", empty(out)]
        used = last_json(timed(command)[1])["fuel"]
        print(f"| {shape} | {used / source.stat().st_size:.1f} |")
    sys.stdout.flush()


def encoder(arguments, megabytes):
    """The own Parquet encoder beside the `parquet` crate's column writer, on the same rows."""
    print("\n| encoder | CPU seconds | `parquet` crate | × | bytes | `parquet` crate | % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for shape in ("ndjson", "wide", "text"):
        source = data_file(arguments.data, shape, megabytes)
        command = [arguments.encoder, "--spec", arguments.data / f"{shape}.toml", "--input", source]
        told = last_json(timed(command)[1])
        ratio, size = told["parquet"] / told["encoder"], told["encoder_bytes"] / told["parquet_bytes"]
        print(
            f"| {shape}, native | {told['encoder']:.3f} | {told['parquet']:.3f} | {ratio:.1f} "
            f"| {told['encoder_bytes']} | {told['parquet_bytes']} | {100 * size:.0f} |"
        )
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lakegate", type=Path, required=True)
    parser.add_argument("--native", type=Path, required=True)
    parser.add_argument("--steps", type=Path, required=True)
    parser.add_argument("--sandbox", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--with", nargs="*", dest="with_peers", choices=("clickhouse",), default=[])
    arguments = parser.parse_args()
    bench_specs.write(arguments.data)
    rounds, megabytes = (1, 10) if arguments.quick else (7, 50)
    # Compiles once, so that every later start finds its code.
    run_lakegate(arguments.lakegate, "json", twenty_kilobytes(arguments.data), arguments.data / "out", True)
    try:
        throughput(arguments, rounds, megabytes)
        fuel(arguments)
        if not arguments.only:
            steps(arguments, megabytes)
            encoder(arguments, megabytes)
            memory(arguments, arguments.quick)
            starts(arguments)
    except Failed as failure:
        sys.exit(f"error: {failure}")
    finally:
        shutil.rmtree(arguments.data / "out", ignore_errors=True)


if __name__ == "__main__":
    main()
