"""What the tests deploy on a stand-in for AWS: buckets, queues, topics, roles, the function and its triggers.

A `Rig` belongs to one test: everything that it makes has a name of its own, so that tests run at once on one
stand-in. The function runs from the packaged zip, under a role that may do just what the features that its
configuration uses need (`host-lambda/lambda/deploy/permissions.toml`), each on the prefixes of the configuration.
"""

import io
import json
import time
import uuid
import zipfile
from pathlib import Path

import boto3
import permissions
from aws_uses import uses_of
from botocore.config import Config

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROOT = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
# Longer than anything here takes on a slow machine.
FUNCTION_SECONDS = 300
WAIT_SECONDS = 120


def until(what, ask, seconds=WAIT_SECONDS):
    """Asks until there is an answer."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


class Rig:
    def __init__(self, endpoint, name, zip_file):
        self.name(endpoint, f"{name[:20].replace('_', '-').strip('-')}-{uuid.uuid4().hex[:8]}", zip_file)
        self.database, self.crawler = self.id.replace("-", "_"), f"{self.id}-crawler"
        self.releases = f"{self.id}-releases"
        for bucket in (self.raw, self.lake, self.releases):
            self.s3.create_bucket(Bucket=bucket)
        self.topic = self.client("sns").create_topic(Name=self.id)["TopicArn"]
        self.notices = self.queue("notices")
        self.subscribe(self.notices)

    def name(self, endpoint, name, zip_file):
        """What the rig is called, and where; nothing is made yet."""
        self.endpoint, self.zip_file, self.id = endpoint, Path(zip_file), name
        # Where functions find AWS: a recorder of their calls, if there is one.
        self.through = endpoint
        # Of all functions so far: (feature, values).
        self.uses = []
        self._clients, self._sessions = {}, {}
        self.s3 = self.client("s3")
        self.raw, self.lake = f"{self.id}-raw", f"{self.id}-lake"

    def client(self, service):
        if service not in self._clients:
            retries = Config(retries={"max_attempts": 3}, read_timeout=FUNCTION_SECONDS, s3={"addressing_style": "path"})
            self._clients[service] = boto3.client(service, endpoint_url=self.endpoint, config=retries, **ROOT)
        return self._clients[service]

    # --- around the function --------------------------------------------------------------------------

    def bucket(self, kind):
        """A bucket's name."""
        self.s3.create_bucket(Bucket=f"{self.id}-{kind}")
        return f"{self.id}-{kind}"

    def queue(self, kind, attributes=None):
        """A queue's URL; S3, EventBridge and SNS of this account may send to it."""
        sqs = self.client("sqs")
        queue = sqs.create_queue(QueueName=f"{self.id}-{kind}", Attributes=attributes or {})["QueueUrl"]
        senders = [f"{service}.amazonaws.com" for service in ("s3", "events", "sns")]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": senders},
            "Action": "sqs:SendMessage",
            "Resource": self.arn(queue),
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
        return queue

    def arn(self, queue):
        answer = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def subscribe(self, queue, topic=None):
        self.client("sns").subscribe(TopicArn=topic or self.topic, Protocol="sqs", Endpoint=self.arn(queue))

    def received(self, count=0):
        """The notices that came, at least so many, and all that are there: (subject, body, attributes)."""
        return [
            (one.get("Subject"), json.loads(one["Message"]),
             {name: value["Value"] for name, value in one.get("MessageAttributes", {}).items()})
            for one in self.envelopes(count)
        ]

    def envelopes(self, count=0):
        """The same, as SNS hands them on."""
        sqs, found = self.client("sqs"), []

        def ask():
            answer = sqs.receive_message(QueueUrl=self.notices, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.notices, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count and "Messages" not in answer

        until(f"{count} notices", ask)
        return found

    def heard(self):
        """Bodies of all notices that are there, quickly; they stay, unseen by who asks next."""
        sqs, found = self.client("sqs"), {}
        ask = {"QueueUrl": self.notices, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600}
        while messages := sqs.receive_message(**ask).get("Messages", []):
            found |= {message["MessageId"]: json.loads(json.loads(message["Body"])["Message"]) for message in messages}
        return list(found.values())

    def make_catalog(self):
        self.client("glue").create_database(DatabaseInput={"Name": self.database})

    def make_crawler(self):
        self.client("glue").create_crawler(
            Name=self.crawler,
            Role=self.role("crawler", None, "glue"),
            DatabaseName=self.database,
            Targets={"S3Targets": [{"Path": f"s3://{self.lake}/"}]},
        )

    # --- the function ---------------------------------------------------------------------------------

    def uses_by(self, files, environment=None, queue=None, tables=()):
        """The uses of a function with these files; from now on its calls may be made.

        `tables` are those of releases that the function is to follow.
        """
        origin = (environment or {}).get("LAKEGATE_CONFIG", "")

        def read(path):
            if not path.startswith("s3://"):
                return files[path]
            bucket, key = path.removeprefix("s3://").split("/", 1)
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

        uses = uses_of(
            read(origin or "lakegate.toml"), read, origin, self.arn(queue) if queue else None, tables,
            region=REGION, account=ACCOUNT, versions=self.keeps_versions,
        )
        self.uses += [use for use in uses if use not in self.uses]
        return uses

    def keeps_versions(self, bucket):
        return self.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"

    def policy(self, uses, without=()):
        """The policy for these uses, without some of its actions."""
        policy = permissions.policy(uses)
        for one in policy["Statement"]:
            one["Action"] = [action for action in one["Action"] if action not in without]
            # The stand-in takes the name of a crawler for that of a table.
            one["Resource"] += [arn.replace(":crawler/", ":table/") for arn in one["Resource"] if ":crawler/" in arn]
        policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
        return policy

    def role(self, name, policy, service="lambda"):
        iam, name = self.client("iam"), f"{self.id}-{name}"
        principal = {"Service": f"{service}.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="lakegate", PolicyDocument=json.dumps(policy))
        return role

    def session(self, uses):
        """Credentials of a role for these uses, as a process has them in its environment."""
        policy = self.policy(uses)
        text = json.dumps(policy)
        if text not in self._sessions:
            role = self.role(f"process-{len(self._sessions)}", policy)
            self._sessions[text] = self.client("sts").assume_role(RoleArn=role, RoleSessionName="lakegate")["Credentials"]
        session = self._sessions[text]
        return {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    def zip(self, files):
        """The packaged zip with a configuration beside the program, as `package --config` puts it."""
        packed = io.BytesIO(self.zip_file.read_bytes())
        with zipfile.ZipFile(packed, "a") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return packed.getvalue()

    def deploy(self, files, queue=None, environment=None, without=(), tables=()):
        """The function, ready to be called; returns its ARN."""
        function = self.client("lambda")
        policy = self.policy(self.uses_by(files, environment, queue, tables), without)
        # The stand-in says itself where AWS is, but not by service.
        by_service = {f"AWS_ENDPOINT_URL_{service}": self.through for service in ("S3", "GLUE", "SNS")}
        variables = (by_service if self.through != self.endpoint else {}) | (environment or {})
        made = function.create_function(
            FunctionName=self.id,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=self.role("function", policy),
            Code={"ZipFile": self.zip(files)},
            Timeout=FUNCTION_SECONDS,
            MemorySize=1024,
            Environment={"Variables": variables},
        )
        until("the function", lambda: function.get_function(FunctionName=self.id)["Configuration"]["State"] == "Active")
        if queue:
            function.create_event_source_mapping(
                FunctionName=self.id,
                EventSourceArn=self.arn(queue),
                BatchSize=10,
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )
        return made["FunctionArn"]

    def restart(self):
        """The next event meets a process that starts anew, as after any change of the function."""
        function = self.client("lambda")
        before = function.get_function_configuration(FunctionName=self.id)["Environment"]["Variables"]
        variables = before | {"RESTARTED": uuid.uuid4().hex}
        function.update_function_configuration(FunctionName=self.id, Environment={"Variables": variables})

    def invoke(self, event):
        """The function's answer; an error of it comes as `{"errorType", "errorMessage"}`."""
        answer = self.client("lambda").invoke(FunctionName=self.id, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    # --- triggers -------------------------------------------------------------------------------------

    def notify_queue(self, queue, prefix=""):
        rules = [{"Name": "prefix", "Value": prefix}]
        self.s3.put_bucket_notification_configuration(
            Bucket=self.raw,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": self.arn(queue),
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": rules}},
                    }
                ]
            },
        )

    def notify_event_bridge(self, queue):
        self.s3.put_bucket_notification_configuration(
            Bucket=self.raw, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        events = self.client("events")
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [self.raw]}},
        }
        events.put_rule(Name=self.id, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=self.id, Targets=[{"Id": "queue", "Arn": self.arn(queue)}])

    def put(self, key, body, bucket=None):
        """Puts an object; returns the record that an S3 notification has for it."""
        bucket = bucket or self.raw
        put = self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return self.record(key, len(body), put["ETag"], put.get("VersionId"), bucket)

    def record(self, key, size, etag, version=None, bucket=None):
        from urllib.parse import quote_plus

        thing = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag.strip('"'), "sequencer": "0055AED6DCD90281E5"}
        if version:
            thing["versionId"] = version
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": "2026-01-02T03:04:05.678Z",
            "eventName": "ObjectCreated:Put",
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket or self.raw}, "object": thing},
        }

    # --- what is there --------------------------------------------------------------------------------

    def keys(self, prefix="", bucket=None):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket or self.lake, Prefix=prefix)
        return [thing["Key"] for page in pages for thing in page.get("Contents", [])]

    def commits(self):
        """Keys of the commit records that won."""
        return [key for key in self.keys("_lakegate/commits/") if key.endswith(".json")]

    def open_uploads(self):
        answer = self.s3.list_multipart_uploads(Bucket=self.lake)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def said(self, lines=40):
        """The last lines of the function's log."""
        logs = self.client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{self.id}")
            return "\n".join([event["message"].rstrip() for page in pages for event in page["events"]][-lines:])
        except logs.exceptions.ResourceNotFoundException:
            return "(no log)"

    def calls(self):
        """Calls that the function's role made, as `service:Operation`, with how often."""
        trail, found, token = self.client("cloudtrail"), {}, {}
        key = self.role_key()
        while True:
            page = trail.lookup_events(LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": key}], **token)
            for event in page["Events"]:
                asked = json.loads(event["CloudTrailEvent"])["requestParameters"] or {}
                name = f"{event['EventSource'].split('.')[0]}:{asked.get('Action', event['EventName'])}"
                found[name] = found.get(name, 0) + 1
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def role_key(self):
        """The key that the stand-in gives to the function: derived from its ARN and its role's."""
        import hashlib

        function = self.client("lambda").get_function(FunctionName=self.id)["Configuration"]
        digest = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
        return f"ASIA{digest[:16].upper()}"
