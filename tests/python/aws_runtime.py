"""Lambda's Runtime API, as far as one process of the function needs it: next event, response, error.

For killing the function at a named point and for measuring it, which a stand-in for AWS does not offer.
"""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import uuid
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aws_rig import FUNCTION_SECONDS, REGION

VERSION = "/2018-06-01/runtime"


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A function that is killed leaves its connections as they are."""


# Packaged zips by path, each unpacked once for all processes of a case.
UNPACKED, UNPACKING = {}, threading.Lock()


def unpack(zip_file, files, root):
    """What a function has around it: links to what is in the zip, and a configuration beside it."""
    with UNPACKING:
        if zip_file not in UNPACKED:
            UNPACKED[zip_file] = tempfile.TemporaryDirectory()
            with zipfile.ZipFile(zip_file) as archive:
                archive.extractall(UNPACKED[zip_file].name)
            (Path(UNPACKED[zip_file].name) / "bootstrap").chmod(0o755)
    whole = Path(UNPACKED[zip_file].name)
    for path in whole.rglob("*"):
        if path.is_file():
            there = root / path.relative_to(whole)
            there.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, there)
    for name, text in files.items():
        there = root / name
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(text)


class Function:
    """One process of `bootstrap`, unpacked from the zip and started; ends with the `with`."""

    def __init__(self, rig, files, environment=None, tables=()):
        self.events, self.answers, self.polled = queue.Queue(), queue.Queue(), threading.Event()
        # How long the invocation of each event may take, as the event says: nobody ends it then.
        self.seconds = FUNCTION_SECONDS
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        unpack(rig.zip_file, files, root)
        self.server = Quiet(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        base = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "lakegate",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": rig.through,
        }
        # Its calls may be made also where a case gives it another role, which then denies them.
        uses = rig.uses_by(files, environment, tables=tables)
        if "AWS_ACCESS_KEY_ID" not in (environment or {}):
            base |= rig.session(uses)
        self.log = tempfile.TemporaryFile()
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [str(root / "bootstrap")], env=base | (environment or {}), stdout=self.log, stderr=self.log, cwd=root
        )
        while not self.polled.wait(0.002) and self.process.poll() is None:
            assert time.monotonic() < begun + FUNCTION_SECONDS, self.said()
        self.start_seconds = time.monotonic() - begun

    def call(self, event):
        """The answer, an error, or None where the process died over it."""
        self.events.put(event)
        while True:
            try:
                return self.answers.get(timeout=0.02)
            except queue.Empty:
                if self.process.poll() is not None and self.answers.empty():
                    return None

    def high_water(self):
        """Most memory that the process had so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def _handler(function):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                assert self.path == f"{VERSION}/invocation/next", self.path
                function.polled.set()
                event = function.events.get()
                deadline = int((time.time() + function.seconds) * 1000)
                headers = [
                    ("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4())),
                    ("Lambda-Runtime-Deadline-Ms", str(deadline)),
                    ("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:000000000000:function:lakegate"),
                    ("Content-Type", "application/json"),
                ]
                self.answer(200, json.dumps(event).encode(), headers)

            def do_POST(self):
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                function.answers.put(json.loads(body))
                self.answer(202)

        return Handler
