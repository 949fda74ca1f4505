"""A proxy between the function and a stand-in for AWS that strikes requests: it loses replies, tears bodies, keeps
silent, or answers in the service's place.

What a lost reply is: the service did what was asked, and who asked never hears of it. Everything else passes
as it came, the Host header too, since the client signed it. Not for faults that come by chance or by rate:
`aws_flaky.py` has those.
"""

import http.client
import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

# What passes from hop to hop is settled anew on each.
HOP = ("connection", "keep-alive", "transfer-encoding")
# Answers that have no body, whatever their headers say.
BODILESS = (204, 304)


@dataclass(frozen=True)
class Fault:
    """What is done to a request that is struck."""

    # How often the service is asked.
    asked: int = 1
    # What is answered in the service's place: status, content type, text.
    answer: tuple = None
    # Seconds before anything else happens; cut short by `Proxy.let_go`.
    silent: float = 0
    # How much arrives, of the answer or of a PUT's body: "all", "half" or "none"; then the connection is closed.
    arrives: str = "all"


LOST = Fault(arrives="none")


class Rule:
    """The next `times` requests of an operation in whose path the pattern `of` is found.

    Without an answer (status, body) the service is asked and its reply lost; with one it is never asked.
    """

    def __init__(self, operation, of="", times=1, answer=None):
        self.operation, self.of, self.times, self.answer = operation, of, times, answer
        # What the service had answered to what was lost; the answer's status where it was not asked.
        self.hits = []

    def takes(self, operation, path):
        if operation != self.operation or not re.search(self.of, path) or not self.times:
            return False
        self.times -= 1
        return True

    def fault(self, _operation, _method):
        if self.answer is None:
            return LOST
        status, text = self.answer
        return Fault(asked=0, answer=(status, "application/xml", text))


class Proxy:
    """Listens from the `with` on; `rules` may change at any time, `asked` counts requests by operation."""

    def __init__(self, upstream, rules=()):
        self.upstream, self.rules, self.asked = urlsplit(upstream).netloc, list(rules), {}
        # Every request that was answered: operation, path, when it came and when its answer went.
        self.calls = []
        # Seconds that each answer is held back: what waits for what shows only where answers take their time.
        self.delay = 0
        self.silence = threading.Event()
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def let_go(self):
        """Nothing is struck any more, and who is kept waiting waits no longer."""
        self.rules = []
        self.silence.set()
        self.silence = threading.Event()

    def rule_for(self, operation, path):
        with self.lock:
            self.asked[operation] = self.asked.get(operation, 0) + 1
            return next((rule for rule in self.rules if rule.takes(operation, path)), None)

    def heard(self, operation, url, body, status):
        """For who wants to know more of each request that the service answered than `calls` has."""

    def ask(self, request, body):
        """The service's answer: status, headers, body."""
        connection = http.client.HTTPConnection(self.upstream, timeout=300)
        try:
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def longest_chain(calls):
    """How many requests wait for one another at most: each came after the answer of the one before had gone."""
    longest = {}
    for index, (_, _, came, _) in sorted(enumerate(calls), key=lambda one: one[1][2]):
        before = [longest[other] for other in longest if calls[other][3] <= came]
        longest[index] = 1 + max(before, default=0)
    return max(longest.values(), default=0)


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Clients that are killed or time out leave their connections as they are."""


def operation_of(method, url, headers, body):
    """`service:Operation`, as the documentation of permissions names it."""
    if target := headers.get("X-Amz-Target"):
        service, name = target.rsplit(".", 1)
        return f"{service.removeprefix('AWS').lower()}:{name}"
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return f"sns:{parse_qs(body.decode()).get('Action', ['?'])[0]}"
    if "uploads" in query:
        return {"POST": "s3:CreateMultipartUpload", "GET": "s3:ListMultipartUploads"}[method]
    if "uploadId" in query:
        names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
        return f"s3:{names.get(method, method)}"
    if "tagging" in query:
        return f"s3:{method.capitalize()}ObjectTagging"
    if parts.path.count("/") < 2 or "list-type" in query:
        return "s3:ListObjectsV2"
    return f"s3:{method.capitalize()}Object"


def place_of(url, headers, body):
    """The path, of a listing with its prefix; where a service has no paths, what the request is about."""
    if headers.get("X-Amz-Target"):
        asked = json.loads(body)
        return f"/{asked.get('TableName') or asked.get('Name') or asked.get('TableInput', {}).get('Name', '')}"
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return f"/{parse_qs(body.decode()).get('Subject', [''])[0]}"
    parts = urlsplit(url)
    return unquote(parts.path) + parse_qs(parts.query).get("prefix", [""])[0]


def handler(proxy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def pass_on(self):
            assert "Transfer-Encoding" not in self.headers, "no call of the function has a body of unknown length"
            length = int(self.headers.get("Content-Length", 0))
            # What a PUT is about stands in front of its body, so that it can be torn before all of it is here.
            first = length // 2 if self.command == "PUT" else length
            body = self.rfile.read(first)
            operation = operation_of(self.command, self.path, self.headers, body)
            path = place_of(self.path, self.headers, body)
            came = time.monotonic()
            rule = proxy.rule_for(operation, path)
            fault = rule and rule.fault(operation, self.command)
            if fault and fault.arrives == "half" and first < length:
                rule.hits.append(0)
                self.close_connection = True
                return
            body += self.rfile.read(length - first)
            if fault:
                self.strike(rule, fault, body)
                return
            status, headers, answer = proxy.ask(self, body)
            proxy.heard(operation, self.path, body, status)
            time.sleep(proxy.delay)
            with proxy.lock:
                proxy.calls.append((operation, path, came, time.monotonic()))
            self.answer(status, headers, answer)

        def strike(self, rule, fault, body):
            status, headers, answer = 0, [], b""
            proxy.silence.wait(fault.silent)
            for _ in range(fault.asked):
                status, headers, answer = proxy.ask(self, body)
            if fault.answer:
                status, kind, text = fault.answer
                headers, answer = [("Content-Type", kind)], text.encode()
            rule.hits.append(status)
            self.close_connection = fault.arrives != "all"
            if fault.arrives != "none":
                self.answer(status, headers, answer, fault.arrives == "half")

        def answer(self, status, headers, body, torn=False):
            """All of it; or half of the body, and where there is none half of what stands in front of it."""
            known = any(name.lower() == "content-length" for name, _ in headers)
            headers = headers + ([] if known else [("Content-Length", str(len(body)))])
            lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}"]
            lines += [f"{name}: {value}" for name, value in headers if name.lower() not in HOP]
            front = "".join(f"{line}\r\n" for line in lines + [""]).encode("latin-1")
            body = b"" if self.command == "HEAD" or status in BODILESS else body
            half = front + body[: len(body) // 2] if body else front[: len(front) // 2]
            self.wfile.write(half if torn else front + body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    return Handler
