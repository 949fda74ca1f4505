"""Starts stand-ins for AWS on free ports, says where they are, and stops them when its standard input ends.

    aws_peers.py          one line of JSON on standard output: {"ministack": URL, "moto": URL, "folder": …}
    aws_peers.py --open   the same, and MiniStack takes any key: for tests of single calls

Standard input is held open by who started this: when that process is gone, however it went, the stand-ins
go too, and so does their folder. Nothing of the caller's environment reaches them.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# A starved machine takes a minute for what a good one does in a second.
START_SECONDS = 180
PR_SET_PDEATHSIG = 1


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def dies_with_parent():
    """Even if this process is killed without a chance to clean up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(name, arguments, environment, folder):
    log = open(folder / f"{name}.log", "wb")
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    return subprocess.Popen(
        arguments,
        env=base | environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=dies_with_parent,
    )


def wait_for(process, url):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # it answers, if only to say no
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def main():
    folder = Path(tempfile.mkdtemp(prefix="lakegate-peers-"))
    programs = Path(sys.executable).parent
    running = []
    try:
        port = free_port()
        ministack = f"http://127.0.0.1:{port}"
        environment = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": ministack,
            # Signatures and the policies of roles are enforced.
            "AUTH": "false" if "--open" in sys.argv[1:] else "true",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # Every call is kept, so that a test can read which were made.
            "CLOUDTRAIL_RECORDING": "1",
            "CLOUDTRAIL_MAX_EVENTS": "1000000",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
        }
        running.append(start("ministack", [str(programs / "ministack")], environment, folder))
        port = free_port()
        moto = f"http://127.0.0.1:{port}"
        arguments = [str(programs / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
        running.append(start("moto", arguments, {}, folder))
        wait_for(running[0], f"{ministack}/_ministack/health")
        wait_for(running[1], f"{moto}/moto-api/")
        print(json.dumps({"ministack": ministack, "moto": moto, "folder": str(folder)}), flush=True)
        sys.stdin.buffer.read()
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if os.environ.get("LAKEGATE_KEEP_PEERS"):
            print(f"kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
