"""Which features of `permissions.toml` a `lakegate.toml` needs, and the names that it has for what is in them.

Not for what is wrong with a configuration: the cases' are right but for what a case makes wrong on purpose.
"""

import tomllib

import permissions

ALWAYS = ("source", "source-missing", "lake", "roll-forward", "replaced", "uploads", "left-overs")


def uses_of(text, read, origin="", queue_arn=None, tables=(), **more):
    """The uses of a configuration.

    `read` gives the text of a file beside it, or of an `s3://` URI; `origin` is the URI that it came from, if it came
    from S3. `tables` are those of releases, which no configuration names. `more`: region and account, and whether a
    bucket keeps versions.
    """
    config = tomllib.loads(text)
    found = [("configuration", one) for one in objects_of(config, origin)]
    for name, own in config["pipeline"].items():
        pipeline = config.get("defaults", {}) | own
        values = places(pipeline, more) | tables_of(name, pipeline, read, origin, tables)
        values |= {"REGION": [more["region"]], "ACCOUNT": [more["account"]]}
        found += [(feature, values) for feature in needed(pipeline, values, more["versions"])]
        if config.get("stack", {"reconcile_every": False}).get("reconcile_every", True):
            found.append(("reconciling", values))
    if queue_arn:
        found.append(("queue", {"QUEUE_ARN": [queue_arn]}))
    known = permissions.features()
    return [(known[feature], values) for feature, values in found]


def needed(pipeline, values, versions):
    """Names of the features that a pipeline needs."""
    catalog = pipeline.get("catalog", {}).get("kind", "none")
    yield from ALWAYS
    kept = versions(values["SOURCE_BUCKET"][0])
    if kept:
        yield "source-versions"
    if pipeline.get("source_after") == "tag":
        yield "source-tagged"
        yield from ["source-tagged-versions"] if kept else []
    if catalog == "glue":
        yield "catalog"
    if catalog == "crawler":
        yield "crawler"
    if values["TOPIC_ARN"]:
        yield "notices"
    if "lineage" in pipeline:
        yield "lineage"
    if "failed" in pipeline:
        yield "failed-copies"
    if "channel" in pipeline:
        yield from ("releases", "releases-missing")


def places(pipeline, more):
    """Buckets and prefixes, topics and crawler of a pipeline."""
    values = place("SOURCE", pipeline["source"].removesuffix("*")) | folder("LAKE", pipeline["lake"])
    if "lineage" in pipeline:
        values |= folder("LINEAGE", pipeline["lineage"]["write_to"])
    if "failed" in pipeline:
        values |= folder("FAILED", pipeline["failed"]["copy_to"])
    if "channel" in pipeline:
        values |= folder("REGISTRY", pipeline["registry"]) | {"CHANNEL": [pipeline["channel"]]}
    topics = [topic_arn(topic, more) for key, topic in pipeline.get("notify", {}).items() if key in ("success", "failure", "quarantine")]
    return values | {"TOPIC_ARN": list(dict.fromkeys(topics))}


def topic_arn(topic, more):
    """Of a topic that a configuration names: a plain name is one of the account and region of the host."""
    return topic if ":" in topic else f"arn:aws:sns:{more['region']}:{more['account']}:{topic}"


def place(name, uri):
    bucket, prefix = uri.removeprefix("s3://").split("/", 1)
    return {f"{name}_BUCKET": [bucket], f"{name}_PREFIX": [prefix]}


def folder(name, uri):
    return place(name, uri.strip("/") + "/")


def tables_of(name, pipeline, read, origin, tables):
    """The tables in the lake and in the catalog."""
    spec = tomllib.loads(read(at(origin, pipeline["spec"]))) if "spec" in pipeline else {}
    named = [table["name"] for table in spec.get("table", []) if "name" in table]
    named = named or list(tables) or [pipeline["table"]]
    catalog = pipeline.get("catalog", {})
    prefix = catalog.get("table_prefix", "")
    rejected = catalog.get("quarantine", f"{prefix}{name.replace('-', '_')}_quarantine")
    return {
        "TABLE": named,
        "DATABASE": [catalog.get("database", "")],
        "CRAWLER": [catalog.get("crawler", "")],
        "GLUE_TABLE": [prefix + table for table in named],
        "GLUE_QUARANTINE": [rejected] if rejected else [],
    }


def at(origin, path):
    """A path that the configuration names; beside it where it came from S3."""
    return path if "://" in path or not origin else f"{origin.rsplit('/', 1)[0]}/{path}"


def objects_of(config, origin):
    """The configuration, and the specs and keys that it names, as far as they are in S3."""
    paths = [origin]
    for pipeline in config["pipeline"].values():
        keys = [key for key in pipeline.get("trust", []) if key.endswith(".pub")]
        paths += [at(origin, path) for path in [pipeline.get("spec", ""), *keys] if path]
    for uri in dict.fromkeys(paths):
        if uri.startswith("s3://"):
            bucket, key = uri.removeprefix("s3://").split("/", 1)
            yield {"CONFIG_BUCKET": [bucket], "CONFIG_KEY": [key]}
