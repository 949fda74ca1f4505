"""Writes a folder of log files in the shapes of AWS CloudTrail.

    cloudtrail.py FOLDER [--files 55] [--events 2900] [--seed 17]

Each file is a gzip of `{"Records": [...]}`, as CloudTrail delivers them: some with one event, one with none. Events are
of many services, each with request parameters and response elements of its own (`cloudtrail_calls.py`); who called is
of every kind that `userIdentity` has. No account, person or resource is a real one.

Only the standard library is used; the same arguments give the same bytes.
"""

import argparse
import datetime
import gzip
import hashlib
import json
import pathlib
import random

import cloudtrail_calls as calls

REGIONS = ["eu-central-1", "eu-west-1", "us-east-1"]
AGENTS = [
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.79 exe/x86_64.amzn.2023",
    "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10 lang/python#3.12",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10]",
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io)",
    "console.amazonaws.com",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0 Safari/537.36",
]
ERRORS = [
    ("AccessDenied", "User is not authorized to perform this operation because no identity-based policy allows it"),
    ("ThrottlingException", "Rate exceeded"),
    ("Client.UnauthorizedOperation", "You are not authorized to perform this operation. Encoded failure: 9kQ…"),
    ("ResourceNotFoundException", None),
]


def uuid(rng):
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def principal(rng, prefix):
    return prefix + "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(17))


def assumed_role(rng, account, time, role=None, session=None):
    role = role or rng.choice(["deploy", "etl-nightly", "OrganizationAccountAccessRole", "web/app-server"])
    session = session or rng.choice(["i-0123456789abcdef0", "session-4711", "ada@example.com", "GitHubActions"])
    issuer, name = principal(rng, "AROA"), role.rsplit("/", 1)[-1]
    identity = {
        "type": "AssumedRole",
        "principalId": f"{issuer}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": principal(rng, "ASIA"),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": issuer,
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"creationDate": time, "mfaAuthenticated": rng.choice(["false", "false", "true"])},
        },
    }
    kind = rng.random()
    if kind < 0.2:
        identity["sessionContext"]["ec2RoleDelivery"] = rng.choice(["1.0", "2.0"])
    elif kind < 0.4:
        federated = f"arn:aws:iam::{account}:oidc-provider/token.actions.example.com"
        claims = {"token.actions.example.com:aud": "sts.amazonaws.com", "token.actions.example.com:sub": "repo:a/b:ref"}
        identity["sessionContext"]["webIdFederationData"] = {"federatedProvider": federated, "attributes": claims}
    elif kind < 0.8:
        identity["sessionContext"]["webIdFederationData"] = {}
    if rng.random() < 0.15:
        identity["invokedBy"] = "cloudformation.amazonaws.com"
    return identity


def identity(rng, account, time, call):
    """Who called: for some calls it is always of one kind."""
    kind = call.caller or rng.choices(
        ["AssumedRole", "IAMUser", "AWSService", "Root", "AWSAccount", "WebIdentityUser", "FederatedUser", "Unknown"],
        [55, 18, 12, 3, 6, 2, 2, 2],
    )[0]
    if kind == "AssumedRole":
        return assumed_role(rng, account, time)
    user = rng.choice(["ada", "björn", "ci-runner", "terraform"])
    if kind == "IAMUser":
        who = {
            "type": kind,
            "principalId": principal(rng, "AIDA"),
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "accessKeyId": principal(rng, "AKIA"),
            "userName": user,
        }
        if rng.random() < 0.4:
            who["sessionContext"] = {"attributes": {"creationDate": time, "mfaAuthenticated": "true"}}
        return who
    if kind == "AWSService":
        return {"type": kind, "invokedBy": rng.choice(["ec2.amazonaws.com", "lambda.amazonaws.com", "config.amazonaws.com"])}
    if kind == "Root":
        arn = f"arn:aws:iam::{account}:root"
        return {"type": kind, "principalId": account, "arn": arn, "accountId": account, "accessKeyId": ""}
    if kind == "AWSAccount":
        other = rng.choice(calls.OTHER_ACCOUNTS)
        return {"type": kind, "principalId": f"{principal(rng, 'AIDA')}:{user}", "accountId": other}
    if kind == "WebIdentityUser":
        provider = "accounts.example.com"
        return {"type": kind, "principalId": f"{provider}:app:{user}", "userName": user, "identityProvider": provider}
    if kind == "FederatedUser":
        arn = f"arn:aws:sts::{account}:federated-user/{user}"
        who = {"type": kind, "principalId": f"{account}:{user}", "arn": arn, "accountId": account}
        issuer = {"type": "IAMUser", "principalId": principal(rng, "AIDA"), "userName": "broker"}
        who["sessionContext"] = {"sessionIssuer": issuer, "attributes": {"creationDate": time, "mfaAuthenticated": "false"}}
        return who
    return {"type": kind, "principalId": "", "accountId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}


def event(rng, number):
    call = rng.choices(calls.CALLS, [call.weight for call in calls.CALLS])[0]
    moment = datetime.datetime(2025, 1, 1) + datetime.timedelta(seconds=number * 29 + rng.randrange(20))
    time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    account, region = rng.choice(calls.ACCOUNTS), rng.choice(REGIONS)
    made = calls.Made(rng, account, region, time)
    request, response = call.request(made), call.response(made) if call.response else None
    record = {
        "eventVersion": rng.choice(["1.08", "1.09", "1.10", "1.11"]),
        "userIdentity": identity(rng, account, time, call),
        "eventTime": time,
        "eventSource": call.source,
        "eventName": call.name,
        "awsRegion": region,
        "sourceIPAddress": rng.choice(["192.0.2.17", "198.51.100.9", "2001:db8::17", "AWS Internal", call.source]),
        "userAgent": rng.choice(AGENTS),
        "requestParameters": request,
        "responseElements": response,
    }
    if rng.random() < 0.08:
        code, message = rng.choice(ERRORS)
        record |= {"errorCode": code, "responseElements": None}
        if message:
            record["errorMessage"] = message
    if call.additional:
        record["additionalEventData"] = call.additional(made)
    record |= {"requestID": uuid(rng), "eventID": uuid(rng), "readOnly": call.read_only}
    if call.resources:
        record["resources"] = call.resources(made)
    record |= {"eventType": call.kind, "managementEvent": call.category == "Management"}
    record |= {"recipientAccountId": account, "eventCategory": call.category}
    if call.category == "Data" or rng.random() < 0.05:
        record["sharedEventID"] = uuid(rng)
    if rng.random() < 0.1:
        record["vpcEndpointId"] = f"vpce-{rng.getrandbits(68):017x}"
    if call.kind == "AwsServiceEvent":
        record["serviceEventDetails"] = call.details(made)
        record.pop("requestID", None)
    elif rng.random() < 0.8:
        host = f"{call.source.split('.')[0]}.{region}.amazonaws.com"
        suite = "TLS_AES_128_GCM_SHA256"
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": suite, "clientProvidedHostHeader": host}
    if rng.random() < 0.08:
        record["sessionCredentialFromConsole"] = "true"
    if call.category == "Insight":
        record["insightDetails"] = call.details(made)
        for key in ["userIdentity", "requestParameters", "responseElements", "sourceIPAddress", "userAgent", "readOnly"]:
            record.pop(key)
    return record


def sizes(rng, files, events):
    """How many events each file has: one has none, some one, the others what is left."""
    counts = [0] + [1] * (files // 9)
    rest = files - len(counts)
    left = events - sum(counts)
    cuts = sorted(rng.sample(range(1, left), rest - 1))
    counts += [to - start for start, to in zip([0, *cuts], [*cuts, left], strict=True)]
    rng.shuffle(counts)
    return counts


def write(folder, files=55, events=2900, seed=17):
    rng = random.Random(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for index, count in enumerate(sizes(rng, files, events)):
        records = [event(rng, number + i) for i in range(count)]
        number += count
        text = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode()
        part = hashlib.sha256(text).hexdigest()[:16]
        minutes = index * 25
        when = f"202501{1 + minutes // 1440:02d}T{minutes % 1440 // 60:02d}{minutes % 60:02d}Z"
        name = f"{calls.ACCOUNTS[0]}_CloudTrail_eu-central-1_{when}_{part}.json.gz"
        with open(folder / name, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            packed.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=55)
    parser.add_argument("--events", type=int, default=2900)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    write(given.folder, given.files, given.events, given.seed)


if __name__ == "__main__":
    main()
