"""Prepares a local stand-in for AWS for the command blocks of the documents: empty buckets, and objects in them.

    aws_docs.py bucket NAME…            makes each bucket, or empties it
    aws_docs.py put s3://BUCKET/KEY FILE

Endpoint and keys come from the environment, as for `lakegate` itself.
"""

import sys
from pathlib import Path

import boto3
from botocore.config import Config


def bucket(s3, names):
    for name in names:
        if name in [there["Name"] for there in s3.list_buckets()["Buckets"]]:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
                for thing in page.get("Contents", []):
                    s3.delete_object(Bucket=name, Key=thing["Key"])
        else:
            s3.create_bucket(Bucket=name)


def put(s3, words):
    uri, file = words
    name, key = uri.removeprefix("s3://").split("/", 1)
    s3.put_object(Bucket=name, Key=key, Body=Path(file).read_bytes())


def main():
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    {"bucket": bucket, "put": put}[sys.argv[1]](s3, sys.argv[2:])


if __name__ == "__main__":
    main()
