"""`lakegate stack check` against a stack that stands, and that somebody changes by hand.

What the stand-in cannot make is not deployed (`stack_deploy.LEFT_OUT`), and so must be what differs at first: no more,
and no less.
"""

import stack_deploy
import stack_template
from aws_given import NUMBERED, Command
from stack_judge import run


def files_of(rig):
    text = f"""
[stack]
name = "{rig.id}"

[pipeline.numbered]
source = "s3://{rig.id}-in/in/"
spec = "numbered.toml"
lake = "s3://{rig.id}-out/tables/"
suffix = ".ndjson"
notify = {{ success = "{rig.id}-done" }}
catalog = {{ kind = "glue", database = "{rig.database}" }}
"""
    return {"lakegate.toml": text, "numbered.toml": NUMBERED}


def differing(folder):
    """(logical id, change) of what a deployment on the stand-in leaves out or changes, its code apart."""
    whole = stack_template.load(folder)["Resources"]
    kept = stack_deploy.taken_out(stack_template.load(folder))[0]["Resources"]
    changed = {(name, "changed") for name, one in kept.items() if plain(one) != plain(whole[name])}
    return {(name, "new") for name in whole.keys() - kept.keys()} | changed


def plain(resource):
    return resource | {"DependsOn": sorted(stack_template.depends_on(resource))}


def a_deployed_stack_is_checked(rig, arguments):
    """Template, states and what is there; each difference by name, with its lines."""
    files = files_of(rig)
    lakegate = Command(rig, arguments, files)
    refused = lakegate("stack", "check", code=1)
    assert f"there is no stack {rig.id}" in refused and "sam deploy" in refused, refused
    run(lakegate.binary, "stack", "render", cwd=lakegate.path)
    folder = lakegate.path / "stack"
    deployed = stack_deploy.deploy(rig.client, folder, rig.zip(files), rig.id)

    first = lakegate("stack", "check", "--json", code=1)
    assert first["status"] == "CREATE_COMPLETE" and first["outputs"]["Function"] == rig.id, first
    assert {(one["id"], one["change"]) for one in first["differences"]} == differing(folder), first["differences"]
    assert (first["unfinished"], first["drifted"], first["there"], first["notes"]) == ([], [], [], []), first
    named = lakegate("stack", "check", "--stack", rig.id, "--json", code=1)
    assert named == first, named

    # By hand, past CloudFormation.
    source, lake = f"{rig.id}-in", f"{rig.id}-out"
    rig.s3.put_bucket_versioning(Bucket=lake, VersioningConfiguration={"Status": "Suspended"})
    rig.s3.delete_public_access_block(Bucket=lake)
    rig.s3.put_bucket_notification_configuration(Bucket=source, NotificationConfiguration={"EventBridgeConfiguration": {}})
    rig.client("glue").delete_database(Name=rig.database)
    topic = next(arn for arn in deployed.resources.values() if arn.endswith(f":{rig.id}-done"))
    rig.client("sns").delete_topic(TopicArn=topic)
    there = {(one["name"], one["says"]) for one in lakegate("stack", "check", "--json", code=1)["there"]}
    assert there == {
        (lake, "versioning is Suspended, not Enabled"),
        (lake, "public access is not blocked as it should be: BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, "
               "RestrictPublicBuckets"),
        (source, f"does not tell the queue {rig.id}-numbered of s3:ObjectCreated:* below in/ that end in .ndjson"),
        (source, "also tells EventBridge"),
        (rig.database, "is not there any more"),
        (topic, "is not there any more"),
    }, there

    path = lakegate.path / "lakegate.toml"
    path.write_text(path.read_text().replace("[stack]\n", "[stack]\nmemory_mib = 512\n"))
    after = lakegate("stack", "check", "--json", code=1)
    function = next(one for one in after["differences"] if one["id"] == "Function")
    assert function["rendered"][0] == "MemorySize: 512" and function["deployed"][0].startswith("MemorySize: "), function
    text = lakegate("stack", "check", code=1)
    assert "+ MemorySize: 512" in text and "Function (AWS::Serverless::Function)" in text, text
