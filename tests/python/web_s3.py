"""A bucket for the page's tests: signs URLs for uploads, and says what arrived.

    web_s3.py ENDPOINT sign KEY [RECEIPT]     a presigned PUT; with RECEIPT its digest is part of what is signed
    web_s3.py ENDPOINT head KEY               {"bytes": …, "metadata": {…}} of what is stored
"""

import json
import sys

import boto3
from botocore.config import Config

BUCKET = "uploads"


def main():
    endpoint, call, key, *receipt = sys.argv[1:]
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    if call == "sign":
        if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=BUCKET)
            # Browsers ask first; a bucket answers no unless it was told.
            rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}
            s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
        what = {"Bucket": BUCKET, "Key": key}
        if receipt:
            what["Metadata"] = {"lakegate-receipt": receipt[0]}
        print(s3.generate_presigned_url("put_object", Params=what, ExpiresIn=600))
        return
    found = s3.head_object(Bucket=BUCKET, Key=key)
    print(json.dumps({"bytes": found["ContentLength"], "metadata": found["Metadata"]}))


if __name__ == "__main__":
    main()
