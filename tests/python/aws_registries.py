"""Registries that are damaged: the pieces of a release and of a channel, what may happen to them, what mends it.

The pieces and ways are those of `tests/e2e/registry.rs`, which has the same for the command. Not for what becomes of
functions (`aws_damages.py`). Each damage is done to a registry of its own, with a pipeline that follows it.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

from aws_given import Command, config
from aws_releases import spec

# What may happen to a piece; the last: what the release or the document before has there is in its place.
HOWS = ("missing", "flipped", "cut", "older")
# A release that works, and the one that is promoted next, which is damaged.
BEFORE, PROMOTED = "1.0.0", "1.1.0"

# The commands that mend, as messages have them.
COPY = f"lakegate registry copy orders@{PROMOTED} --from REGISTRY"
BRING = "lakegate registry check orders --repair --from REGISTRY"
COMPILE = f"lakegate precompile orders@{PROMOTED}"
WRITE = "lakegate registry check orders --repair"
PROMOTE = "lakegate promote orders VERSION"


class Piece(NamedTuple):
    """How messages call a piece; code and command of each way of damage, in the order of `HOWS`."""

    words: str
    codes: tuple
    commands: tuple


RELEASE = f"orders@{PROMOTED}"
BLOB = ("blob_missing", *["blob_damaged"] * 3)
# No code: the piece is not needed. Two codes: it depends on the character that the flipped byte is of.
PIECES = {
    "manifest": Piece(RELEASE, ("release_missing", *["signature_wrong"] * 3), (COPY,) * 4),
    "signature": Piece(RELEASE, ("release_unsigned", "signature_wrong") * 2, (COPY,) * 4),
    "one of two signatures": Piece("", ("",) * 4, ("",) * 4),
    "component": Piece(f"the component of {RELEASE}", BLOB, (BRING,) * 4),
    "spec": Piece(f"the spec of {RELEASE}", BLOB, (BRING,) * 4),
    "sample": Piece(f"the sample {PROMOTED}.ndjson of {RELEASE}", BLOB, (BRING,) * 4),
    "code statement": Piece(
        RELEASE, ("code_missing", "signature_wrong code_mismatch", *["code_mismatch"] * 2), (COMPILE,) * 4
    ),
    # Both releases have the same code, to the byte: there is no older one.
    "code": Piece(f"the compiled code of {RELEASE}", BLOB[:3], (COMPILE,) * 3),
    "channel": Piece(
        "channel",
        ("channel_missing", "signature_wrong channel_damaged", "channel_damaged", "channel_replayed"),
        (PROMOTE, WRITE, WRITE, PROMOTE),
    ),
}
# What the message of a code says.
SAYS = {
    "release_missing": f"has no release {RELEASE}",
    "release_unsigned": "has no signature that can be read",
    "signature_wrong": "is not what the key",
    "blob_missing": "is not in the registry",
    "blob_damaged": "holds bytes of digest",
    "code_missing": "it has no compiled code for",
    "code_mismatch": "cannot be used",
    "channel_missing": "the channel orders has no stable release",
    "channel_damaged": "is no channel document",
    "channel_replayed": "shows its document 1, but",
}


class Whole:
    """A registry with both releases, of which every damaged one is a copy.

    The component of the one that is promoted is not that of the function, so that its compiled code is needed, and it
    is signed by two keys.
    """

    def __init__(self, rig, arguments):
        self.rig, self.arguments, self.uri, self.numbers = rig, arguments, f"s3://{rig.releases}/whole/", count()
        files = {f"{version}.toml": spec(version) for version in (BEFORE, PROMOTED)}
        files |= {f"{version}.ndjson": f'{{"id":{number}}}\n' for number, version in enumerate((BEFORE, PROMOTED))}
        self.lakegate = Command(rig, arguments, files)
        self.folder = Path(self.lakegate.folder.name)
        first, second = (self.lakegate("keygen", "--out", f"{name}.key", "--json")["key"] for name in ("first", "second"))
        self.publish(BEFORE, "--no-code", "--first")
        (self.folder / "own.wasm").write_bytes(self.own_component())
        with ThreadPoolExecutor() as pool:
            compiled = pool.submit(self.signed, "precompile", f"orders@{BEFORE}")
            self.publish(PROMOTED, "--transform", "own.wasm")
            compiled.result()
        self.signed("sign", RELEASE, key="second")
        self.keys = [key.removeprefix("whole/") for key in rig.keys("whole/", rig.releases)]
        self.further = [key for key in self.keys if key.endswith(f"-{second}.json")]
        self.places = {version: self.places_of(version, first) for version in (BEFORE, PROMOTED)}
        self.digests = {self.manifest(version)["component"]["digest"]: version for version in (BEFORE, PROMOTED)}
        assert len(self.further) == 1 and len(self.digests) == 2, (self.keys, self.digests)

    def signed(self, *words, key="first"):
        at = ["--registry", self.uri, "--key", f"{key}.key", "--trust", "first.key.pub"]
        return self.lakegate(*words, *at)

    def publish(self, version, *more):
        files = ["--spec", f"{version}.toml", "--sample", f"{version}.ndjson"]
        self.signed("publish", "orders", "--version", version, *files, *more)

    def own_component(self):
        """What ships, with a section that means nothing: another component, which does the same."""
        note = b"\x04note" + PROMOTED.encode()
        return self.get(f"whole/blobs/{self.manifest(BEFORE)['component']['digest']}") + bytes([0, len(note)]) + note

    def get(self, key):
        return self.rig.s3.get_object(Bucket=self.rig.releases, Key=key)["Body"].read()

    def manifest(self, version):
        return json.loads(self.get(f"whole/releases/orders/{version}.json"))

    def public(self, name):
        """A public key in a line, as a configuration may have it."""
        return (self.folder / f"{name}.key.pub").read_text().splitlines()[1]

    def places_of(self, version, key):
        """Where the pieces of a release lie."""
        manifest, below = self.manifest(version), f"releases/orders/{version}"
        (statement,) = [there for there in self.keys if there.startswith(f"{below}/code/")]
        signatures = [there for there in self.keys if there.startswith(f"{below}/signatures/")]
        (signature,) = [there for there in signatures if there.endswith(f"-{key}.json")]
        code = json.loads(json.loads(self.get(f"whole/{statement}"))["payload"])["code"]
        blobs = {"component": manifest["component"], "spec": manifest["spec"], "code": code}
        blobs["sample"] = manifest["samples"][0]["input"]
        texts = {"manifest": f"{below}.json", "signature": signature, "one of two signatures": signature}
        texts |= {"code statement": statement, "channel": "channels/orders.json"}
        return texts | {piece: f"blobs/{blob['digest']}" for piece, blob in blobs.items()}


class Row:
    """A piece and what happens to it: a registry, a pipeline that follows it, and the folder of whoever keeps both."""

    def __init__(self, whole, piece, how):
        self.whole, self.rig, self.piece, self.how = whole, whole.rig, piece, how
        self.name = f"{piece}-{how}".replace(" ", "-")
        self.code, self.command = (PIECES[piece][at][HOWS.index(how)] for at in (1, 2))
        both = piece == "one of two signatures"
        trust = [whole.public(name) for name in ("first", "second")[: 1 + both]]
        self.section = f"""
[pipeline.{self.name}]
source = "s3://{self.rig.raw}/{self.name}/"
lake = "s3://{self.rig.lake}/"
channel = "orders"
registry = "s3://{self.rig.releases}/{self.name}/"
trust = {json.dumps(trust)}
key = "{whole.folder}/first.key"
"""
        self.lakegate = Command(self.rig, whole.arguments, {"lakegate.toml": config(self.section)})
        for key in whole.keys:
            if both or key not in whole.further:
                there = {"Bucket": self.rig.releases, "Key": f"whole/{key}"}
                self.rig.s3.copy_object(Bucket=self.rig.releases, Key=f"{self.name}/{key}", CopySource=there)
        # The channel's first document; the bytes that were damaged; the last object: its number and its event.
        self.document = self.kept = self.last = None
        # Which release made each object, by number; what became of it, in words.
        self.made, self.told = {}, []

    def place(self, version=PROMOTED):
        return f"{self.name}/{self.whole.places[version][self.piece]}"

    def promote(self, version):
        self.lakegate("promote", "orders", version)
        self.document = self.document or self.whole.get(f"{self.name}/channels/orders.json")

    def put(self, body):
        self.rig.s3.put_object(Bucket=self.rig.releases, Key=self.place(), Body=body)

    def damage(self):
        self.kept = self.whole.get(self.place())
        body, middle = bytearray(self.kept), len(self.kept) // 2
        if self.how == "missing":
            self.rig.s3.delete_object(Bucket=self.rig.releases, Key=self.place())
            return
        if self.how == "flipped":
            body[middle] ^= 1
        elif self.how == "cut":
            del body[middle:]
        else:
            body = self.document if self.piece == "channel" else self.whole.get(self.place(BEFORE))
        assert bytes(body) != self.kept, self.name
        self.put(bytes(body))

    def mend(self):
        """Runs the command that is told; says what was done.

        Compiling takes seconds, so that one damage of each piece is mended by it, and the others get their bytes back. A
        channel that is written again does not know what was promoted last.
        """
        if not self.command or self.command == COMPILE and self.how != "flipped":
            self.put(self.kept)
            self.told.append("mended by its bytes")
            return
        command = self.command.replace("REGISTRY", self.whole.uri).replace("VERSION", PROMOTED)
        self.lakegate(*command.split()[1:])
        if self.command == WRITE:
            self.promote(PROMOTED)
        self.told.append(f"mended by `{self.command}`")

    def check_says(self, message, hint):
        """That a message names piece and release, and its hint the command that mends it."""
        words, says = PIECES[self.piece].words, [SAYS[code] for code in self.code.split()]
        assert words in message and any(text in message for text in says), f"{self.name}: {message}"
        assert f"`{self.command}`" in hint, f"{self.name}: no `{self.command}` in {hint}"

    def by_hand(self):
        """An object that the command takes, under the channel's newest document."""
        number, key = self.new_object()
        self.lakegate("run", f"s3://{self.rig.raw}/{key}")
        self.made[number] = PROMOTED

    def new_object(self):
        number = next(self.whole.numbers)
        key = f"{self.name}/{number}.ndjson"
        self.last = number, self.rig.put(key, json.dumps({"id": number}).encode())
        return number, key

    def take(self, function, again=False):
        """The release that makes a new object, or the last one that comes `again`; or what is said instead."""
        if not again:
            self.new_object()
        number, record = self.last
        answer = function.call({"Records": [record]})
        assert answer is not None, f"{self.name}: it died\n{function.said()}"
        if "objects" not in answer:
            assert answer["errorType"] == "Lakegate.OwnFault", f"{self.name}: {answer}"
            return answer["errorMessage"]
        assert answer["objects"][0]["state"] == "made", f"{self.name}: {answer}"
        self.made[number] = self.whole.digests[answer["objects"][0]["release"]]
        return self.made[number]

    def news(self):
        """What the function keeps in the lake for `lakegate releases`: the reason why it does not follow, if any."""
        note = self.rig.s3.get_object(Bucket=self.rig.lake, Key=f"_lakegate/hosts/{self.name}.json")["Body"].read()
        return json.loads(note)["host"]["trouble"]


def damages(whole):
    """Every damage of the table, ready to be done."""
    return [Row(whole, piece, how) for piece in PIECES for how in HOWS[: len(PIECES[piece].codes)]]
