"""Calls as CloudTrail logs them: the request parameters and response elements of each, in the service's own shape.

What makes such logs hard is kept: a key is a number in one service and a text in another, `tags` are a list here and a map
there, policies are JSON in a text, a map is keyed by ARNs, a response is an object, a text or null.
"""

import json

ACCOUNTS = ["111122223333", "444455556666"]
OTHER_ACCOUNTS = ["777788889999", "123456789012"]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}


class Made:
    """What one event is made with."""

    def __init__(self, rng, account, region, time):
        self.rng, self.account, self.region, self.time = rng, account, region, time

    def id(self, prefix, digits=17):
        return f"{prefix}-{self.rng.getrandbits(4 * digits):0{digits}x}"

    def arn(self, service, rest, region=True):
        return f"arn:aws:{service}:{self.region if region else ''}:{self.account}:{rest}"

    def pick(self, *values):
        return self.rng.choice(values)

    def some(self, parameters, share=0.5):
        """The same without some keys: requests rarely give all of them."""
        return {key: value for key, value in parameters.items() if self.rng.random() < share}


class Call:
    def __init__(self, source, name, request, response=None, weight=10, read_only=True, category="Management", **more):
        self.source, self.name, self.weight = f"{source}.amazonaws.com", name, weight
        self.request, self.response, self.read_only, self.category = request, response, read_only, category
        self.kind = more.get("kind", "AwsApiCall")
        self.caller, self.additional = more.get("caller"), more.get("additional")
        self.resources, self.details = more.get("resources"), more.get("details")


def nothing(_made):
    return None


def bucket(made):
    return made.pick("raw-orders", "lake-eu", "logs.example.com")


def s3_object(made):
    name = bucket(made)
    key = f"orders/2025/01/{made.rng.randint(1, 31):02d}/part-{made.rng.randint(0, 99)}.json"
    return {"bucketName": name, "Host": f"{name}.s3.{made.region}.amazonaws.com", "key": key} | made.some(
        {"x-amz-acl": "private", "x-id": "GetObject", "versionId": made.id("v"), "x-amz-server-side-encryption": "aws:kms"}
    )


def s3_objects(made):
    found = s3_object(made)
    arn = f"arn:aws:s3:::{found['bucketName']}"
    key = {"type": "AWS::S3::Object", "ARN": f"{arn}/{found['key']}"}
    return [key, {"accountId": made.account, "type": "AWS::S3::Bucket", "ARN": arn}]


def s3_data(made):
    return {
        "SignatureVersion": "SigV4",
        "bytesTransferredIn": made.pick(0, 1024, 3.0),
        "bytesTransferredOut": made.rng.randint(0, 1 << 24),
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": made.id("x", 24),
    }


def put_bucket_policy(made):
    return {"bucketPolicy": POLICY, "bucketName": bucket(made), "policy": "", "Host": f"s3.{made.region}.amazonaws.com"}


def put_lifecycle(made):
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": made.pick(7, 30)}}
    rules = rule if made.rng.random() < 0.5 else [rule, {"ID": "stale", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}]
    return {"LifecycleConfiguration": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": rules}, "bucketName": bucket(made), "lifecycle": ""}


def filters(made):
    names = ["instance-state-name", "tag:Name", "vpc-id"]
    items = [{"name": name, "valueSet": {"items": [{"value": made.pick("running", "web", "vpc-1")}]}} for name in names]
    return {"items": items[: made.rng.randint(0, 3)]}


def describe_instances(made):
    ids = {"items": [{"instanceId": made.id("i")} for _ in range(made.rng.randint(1, 3))]}
    return {"instancesSet": ids if made.rng.random() < 0.6 else {}, "filterSet": filters(made)} | made.some({"maxResults": 1000, "nextToken": "x"}, 0.3)


def run_instances(made):
    tag = {"items": [{"key": "Name", "value": made.pick("web-1", "batch")}, {"key": "team", "value": "data"}]}
    return {
        "instancesSet": {"items": [{"imageId": made.id("ami"), "minCount": 1, "maxCount": made.pick(1, 2)}]},
        "instanceType": made.pick("m7g.large", "t4g.micro"),
        "blockDeviceMapping": {"items": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20, "deleteOnTermination": True, "volumeType": "gp3"}}]},
        "monitoring": {"enabled": made.pick(True, False)},
        "disableApiTermination": False,
        "clientToken": made.id("t", 24),
        "networkInterfaceSet": {"items": [{"deviceIndex": 0, "subnetId": made.id("subnet"), "associatePublicIpAddress": True}]},
        "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": tag["items"]}]},
        "userData": "<sensitiveDataRemoved>",
    }


def instances(made):
    def one():
        return {
            "instanceId": made.id("i"),
            "imageId": made.id("ami"),
            "instanceState": {"code": 0, "name": "pending"},
            "privateDnsName": f"ip-10-0-0-{made.rng.randint(4, 250)}.ec2.internal",
            "amiLaunchIndex": 0,
            "productCodes": {},
            "launchTime": 1735689600000 + made.rng.randrange(10**9),
            "placement": {"availabilityZone": f"{made.region}a", "tenancy": "default"},
            "groupSet": {"items": [{"groupId": made.id("sg"), "groupName": "web"}]},
            "cpuOptions": {"coreCount": 2, "threadsPerCore": 1},
            "metadataOptions": {"state": "pending", "httpTokens": "required", "httpPutResponseHopLimit": 2},
        }

    items = [one() for _ in range(made.rng.randint(1, 2))]
    return {"requestId": made.id("r", 12), "reservationId": made.id("r"), "ownerId": made.account, "groupSet": {}, "instancesSet": {"items": items}}


def authorize(made):
    ranges = {"items": [{"cidrIp": "192.0.2.0/24", "description": "office"}]}
    item = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {}, "ipRanges": ranges, "ipv6Ranges": {}, "prefixListIds": {}}
    return {"groupId": made.id("sg"), "ipPermissions": {"items": [item]}}


def authorized(made):
    rule = {"groupOwnerId": made.account, "groupId": made.id("sg"), "securityGroupRuleId": made.id("sgr"), "isEgress": False}
    return {"requestId": made.id("r", 12), "_return": True, "securityGroupRuleSet": {"items": [rule | {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "192.0.2.0/24"}]}}


def create_tags(made):
    items = [{"resourceId": made.id("i")}, {"resourceId": made.id("vol")}]
    return {"resourcesSet": {"items": items[: made.pick(1, 2)]}, "tagSet": {"items": [{"key": "Name", "value": "web"}]}}


def create_role(made):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    return {"roleName": "etl", "assumeRolePolicyDocument": json.dumps(trust), "description": "nightly", "path": "/service/"} | made.some(
        {"maxSessionDuration": 3600, "tags": [{"key": "team", "value": "data"}], "permissionsBoundary": made.arn("iam", "policy/edge", False)}
    )


def role_created(made):
    arn = made.arn("iam", "role/service/etl", False)
    return {"role": {"path": "/service/", "roleName": "etl", "roleId": made.id("AROA", 8), "arn": arn, "createDate": "Jan 1, 2025 10:15:30 AM", "assumeRolePolicyDocument": "%7B%7D"}}


def put_role_policy(made):
    return {"roleName": "etl", "policyName": "read", "policyDocument": json.dumps(POLICY)}


def assume_role(made):
    request = {"roleArn": made.arn("iam", "role/etl", False), "roleSessionName": made.id("s", 8)}
    return request | made.some({"durationSeconds": made.pick(900, 3600), "externalId": "x-1", "policy": json.dumps(POLICY), "tags": [{"key": "a", "value": "b"}]}, 0.4)


def role_assumed(made):
    secret = {"accessKeyId": made.id("ASIA", 8), "sessionToken": made.id("t", 24), "expiration": "Jan 1, 2025, 11:15:30 AM"}
    user = {"assumedRoleId": made.id("AROA", 8), "arn": made.arn("sts", "assumed-role/etl/s", False)}
    return {"credentials": secret, "assumedRoleUser": user} | made.some({"packedPolicySize": 12, "subjectFromWebIdentityToken": "a:b"}, 0.2)


def a_role(made):
    return [{"accountId": made.account, "type": "AWS::IAM::Role", "ARN": made.arn("iam", "role/etl", False)}]


def a_key(made):
    return [{"accountId": made.account, "type": "AWS::KMS::Key", "ARN": made.arn("kms", "key/1234abcd-12ab")}]


def decrypt(made):
    context = made.pick(
        {"aws:s3:arn": f"arn:aws:s3:::{bucket(made)}/orders/1.json"},
        {made.arn("secretsmanager", f"secret:db-{made.rng.randint(1, 40)}"): "SecretARN", "SecretVersionId": made.id("v", 8)},
        {"aws:lambda:FunctionArn": made.arn("lambda", "function:etl")},
        {"PARAMETER_ARN": made.arn("ssm", f"parameter/app/{made.rng.randint(1, 9)}")},
    )
    return {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"} | made.some({"keyId": made.arn("kms", "key/1234abcd-12ab")})


def data_key(made):
    return decrypt(made) | made.pick({"keySpec": "AES_256"}, {"numberOfBytes": 32})


def create_function(made):
    return {
        "functionName": "etl",
        "runtime": "python3.12",
        "role": made.arn("iam", "role/etl", False),
        "handler": "app.handler",
        "code": {},
        "timeout": 60,
        "memorySize": made.pick(128, 1024),
        "publish": False,
        "packageType": "Zip",
        "architectures": ["arm64"],
        "environment": {},
        "ephemeralStorage": {"size": 512},
        "tags": {"team": "data", "aws:cloudformation:stack-name": "etl"},
        "tracingConfig": {"mode": "PassThrough"},
    }


def function_created(made):
    return create_function(made) | {
        "functionArn": made.arn("lambda", "function:etl"),
        "codeSize": 48213,
        "codeSha256": made.id("c", 24),
        "version": "$LATEST",
        "lastModified": "2025-01-01T10:15:30.123+0000",
        "state": "Pending",
        "stateReason": "The function is being created.",
        "snapStart": {"applyOn": "None", "optimizationStatus": "Off"},
        "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/etl"},
        "environment": {"variables": {}} if made.rng.random() < 0.5 else {},
        "layers": [],
    }


def log_stream(made):
    return {"logGroupName": "/aws/lambda/etl", "logStreamName": f"2025/01/01/[$LATEST]{made.id('x', 12)}"}


def describe_groups(made):
    return made.some({"logGroupNamePrefix": "/aws/", "limit": made.pick(50, "50"), "nextToken": "t", "includeLinkedAccounts": False}, 0.7) or None


def create_table(made):
    return {
        "tableName": "orders",
        "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
        "keySchema": [{"attributeName": "pk", "keyType": "HASH"}],
        "billingMode": "PAY_PER_REQUEST",
        "sSESpecification": {"enabled": True, "sSEType": "KMS"},
        "streamSpecification": {"streamEnabled": False},
        "globalSecondaryIndexes": [{"indexName": "by_day", "keySchema": [{"attributeName": "day", "keyType": "HASH"}], "projection": {"projectionType": "ALL"}}],
    } | made.some({"tags": [{"key": "team", "value": "data"}], "deletionProtectionEnabled": False, "tableClass": "STANDARD"})


def table_created(made):
    described = {key: value for key, value in create_table(made).items() if key in ("tableName", "attributeDefinitions", "keySchema")}
    return {
        "tableDescription": described
        | {
            "tableStatus": "CREATING",
            "creationDateTime": "Jan 1, 2025, 10:15:30 AM",
            "provisionedThroughput": {"numberOfDecreasesToday": 0, "readCapacityUnits": 0, "writeCapacityUnits": 0},
            "tableSizeBytes": 0,
            "itemCount": 0,
            "tableArn": made.arn("dynamodb", "table/orders"),
            "tableId": made.id("t", 8),
            "billingModeSummary": {"billingMode": "PAY_PER_REQUEST"},
        }
    }


def get_item(made):
    key = {"pk": {"S": f"order#{made.rng.randint(1, 10**6)}"}} if made.rng.random() < 0.5 else {"pk": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    return {"tableName": "orders", "key": key, "consistentRead": made.pick(True, False)}


def a_table(made):
    return [{"accountId": made.account, "type": "AWS::DynamoDB::Table", "ARN": made.arn("dynamodb", "table/orders")}]


def modify_database(made):
    changes = {"allocatedStorage": made.pick(100, 200), "masterUserPassword": "****", "backupRetentionPeriod": 7, "maxAllocatedStorage": 1000}
    return {"dBInstanceIdentifier": "shop", "applyImmediately": True} | made.some(changes)


def database(made):
    return {
        "dBInstanceIdentifier": "shop",
        "dBInstanceClass": "db.r7g.large",
        "engine": "postgres",
        "dBInstanceStatus": "available",
        "masterUsername": "shop",
        "endpoint": {"address": "shop.abc.eu-central-1.rds.amazonaws.com", "port": 5432, "hostedZoneId": "Z1"},
        "allocatedStorage": 100,
        "vpcSecurityGroups": [{"vpcSecurityGroupId": made.id("sg"), "status": "active"}],
        "dBSubnetGroup": {"dBSubnetGroupName": "main", "subnets": [{"subnetIdentifier": made.id("subnet"), "subnetAvailabilityZone": {"name": "eu-central-1a"}}]},
        "pendingModifiedValues": made.pick({}, {"allocatedStorage": 200}),
        "tagList": [{"key": "team", "value": "shop"}],
        "multiAZ": True,
        "httpEndpointEnabled": False,
        "associatedRoles": [],
    }


def run_task(made):
    override = {"name": "etl", "environment": [{"name": "DAY", "value": "2025-01-01"}], "cpu": made.pick(256, 512)}
    network = {"awsvpcConfiguration": {"subnets": [made.id("subnet")], "assignPublicIp": "DISABLED"}}
    request = {"cluster": "main", "taskDefinition": "etl:7", "launchType": "FARGATE", "count": 1, "overrides": {"containerOverrides": [override]}}
    return request | {"networkConfiguration": network} | made.some({"startedBy": "nightly", "enableECSManagedTags": True, "tags": [{"key": "a", "value": "b"}]})


def tasks(made):
    task = {"taskArn": made.arn("ecs", "task/main/1"), "lastStatus": "PROVISIONING", "desiredStatus": "RUNNING", "cpu": "256", "memory": "512", "createdAt": made.time}
    return {"tasks": [task | {"attachments": [{"id": made.id("e", 8), "type": "ElasticNetworkInterface", "details": []}]}], "failures": []}


def register_targets(made):
    group = made.arn("elasticloadbalancing", "targetgroup/web/1")
    return {"targetGroupArn": group, "targets": [{"id": made.id("i")} | made.some({"port": 8080})]}


def create_stack(made):
    parameters = [{"parameterKey": "Stage", "parameterValue": "prod"}, {"parameterKey": "Size", "usePreviousValue": True}]
    return {"stackName": "etl", "templateURL": "https://s3.example.com/t.yaml", "capabilities": ["CAPABILITY_IAM"], "parameters": parameters, "tags": [], "disableRollback": False}


def get_parameter(made):
    return made.pick({"name": "/app/db", "withDecryption": True}, {"names": ["/app/db", "/app/key"], "withDecryption": True}, {"path": "/app/", "recursive": True})


def secret_value(made):
    return {"secretId": made.pick("db", made.arn("secretsmanager", "secret:db"))} | made.some({"versionStage": "AWSCURRENT"}, 0.3)


def receive(made):
    return {"queueUrl": f"https://sqs.{made.region}.amazonaws.com/{made.account}/jobs", "maxNumberOfMessages": 10, "waitTimeSeconds": 20, "attributeNames": ["All"]}


def create_topic(made):
    return {"name": "alarms"} | made.some({"attributes": {"FifoTopic": "false", "KmsMasterKeyId": "alias/aws/sns"}, "tags": [{"key": "a", "value": "b"}]})


def put_alarm(made):
    dimensions = [{"name": "QueueName", "value": "jobs"}]
    return {"alarmName": "late", "metricName": "ApproximateAgeOfOldestMessage", "namespace": "AWS/SQS", "threshold": made.pick(60, 0.5, 99.9), "period": 60, "evaluationPeriods": 3, "dimensions": dimensions}


def start_query(made):
    context = made.some({"database": "lake", "catalog": "AwsDataCatalog"}, 0.8)
    return {"queryString": "***OMITTED***", "clientRequestToken": made.id("t", 12), "queryExecutionContext": context, "resultConfiguration": {"outputLocation": "s3://results/"}, "workGroup": "primary"}


def get_partitions(made):
    return {"databaseName": "lake", "tableName": "orders", "segment": {"segmentNumber": made.rng.randint(0, 4), "totalSegments": 5}, "excludeColumnSchema": True} | made.some({"catalogId": made.account, "expression": "day > '2025-01-01'"})


def signed_in(made):
    return made.pick({"ConsoleLogin": "Success"}, {"ConsoleLogin": "Failure"})


def sign_in_data(made):
    return {"LoginTo": "https://console.aws.example.com/console/home", "MobileVersion": "No", "MFAUsed": made.pick("Yes", "No")} | made.some({"MFAIdentifier": made.arn("iam", "mfa/ada", False)})


def rotated(made):
    return {"keyId": made.arn("kms", "key/1234abcd-12ab"), "rotationType": "AUTOMATIC"} | made.some({"rotationTime": made.time})


def insight(made):
    return {"state": made.pick("Start", "End"), "insightType": "ApiCallRateInsight"}


def queue_of(made):
    return {"queueUrl": f"https://sqs.{made.region}.amazonaws.com/{made.account}/jobs"}


CALLS = [
    Call("s3", "GetObject", s3_object, None, 40, category="Data", additional=s3_data, resources=s3_objects),
    Call("s3", "PutObject", s3_object, lambda made: made.some({"x-amz-version-id": made.id("v")}) or None, 20, False, "Data", additional=s3_data, resources=s3_objects),
    Call("s3", "PutBucketPolicy", put_bucket_policy, None, 2, False, additional=s3_data),
    Call("s3", "PutBucketLifecycle", put_lifecycle, None, 2, False),
    Call("s3", "ListBuckets", lambda made: made.pick(None, {"Host": "s3.amazonaws.com"}), None, 6),
    Call("ec2", "DescribeInstances", describe_instances, None, 30),
    Call("ec2", "RunInstances", run_instances, instances, 6, False),
    Call("ec2", "AuthorizeSecurityGroupIngress", authorize, authorized, 3, False),
    Call("ec2", "CreateTags", create_tags, lambda made: {"requestId": made.id("r", 12), "_return": True}, 6, False),
    Call("iam", "CreateRole", create_role, role_created, 3, False),
    Call("iam", "PutRolePolicy", put_role_policy, None, 3, False),
    Call("sts", "AssumeRole", assume_role, role_assumed, 45, caller=None, resources=a_role),
    Call("sts", "GetCallerIdentity", nothing, None, 20),
    Call("kms", "Decrypt", decrypt, None, 40, resources=a_key),
    Call("kms", "GenerateDataKey", data_key, None, 15, resources=a_key),
    Call("kms", "RotateKey", nothing, None, 2, False, kind="AwsServiceEvent", caller="AWSService", details=rotated, resources=a_key),
    Call("lambda", "CreateFunction20150331", create_function, function_created, 3, False),
    Call("lambda", "Invoke", lambda made: {"functionName": made.arn("lambda", "function:etl"), "invocationType": "Event"}, None, 10, False, "Data"),
    Call("logs", "CreateLogStream", log_stream, None, 12, False),
    Call("logs", "DescribeLogGroups", describe_groups, None, 10),
    Call("dynamodb", "CreateTable", create_table, table_created, 2, False, resources=a_table),
    Call("dynamodb", "GetItem", get_item, None, 12, True, "Data", resources=a_table),
    Call("rds", "ModifyDBInstance", modify_database, database, 2, False),
    Call("ecs", "RunTask", run_task, tasks, 5, False),
    Call("elasticloadbalancing", "RegisterTargets", register_targets, None, 4, False),
    Call("cloudformation", "CreateStack", create_stack, lambda made: {"stackId": made.arn("cloudformation", "stack/etl/1")}, 2, False),
    Call("ssm", "GetParameters", get_parameter, None, 15),
    Call("secretsmanager", "GetSecretValue", secret_value, None, 10),
    Call("sqs", "ReceiveMessage", receive, None, 8, False, "Data"),
    Call("sqs", "CreateQueue", lambda made: {"queueName": "jobs", "attributes": {"VisibilityTimeout": "30"}, "tags": {"team": "data"}}, queue_of, 2, False),
    Call("sns", "CreateTopic", create_topic, lambda made: {"topicArn": made.arn("sns", "alarms")}, 2, False),
    Call("monitoring", "PutMetricAlarm", put_alarm, None, 3, False),
    Call("athena", "StartQueryExecution", start_query, lambda made: {"queryExecutionId": made.id("q", 12)}, 8, False),
    Call("glue", "GetPartitions", get_partitions, None, 10),
    Call("signin", "ConsoleLogin", nothing, signed_in, 4, False, kind="AwsConsoleSignIn", caller="IAMUser", additional=sign_in_data),
    Call("ssm", "GetParameter", nothing, None, 2, category="Insight", kind="AwsCloudTrailInsight", details=insight),
]
