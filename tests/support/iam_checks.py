"""One API call as a request, and the checks that it leads to."""

from modelwright.local.iam.checks import Facts, Request
from modelwright.local.iam.requests import required

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"
BUCKET = "arn:aws:s3:::b"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mw-dev"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Job"
SM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
FACTS = Facts(
    keys={BUCKET: KEY, f"{SM}endpoint-config/c": KEY, f"arn:aws:sns:{REGION}:{ACCOUNT}:t": KEY},
    bucket_keys=frozenset({BUCKET}),
    aliases={"alias/mine": KEY},
    partition_keys={TABLE: "pk"},
)


def checks(service, operation, params, facts=FACTS):
    return required(Request(service, operation, params, REGION, ACCOUNT, facts))


def pairs(service, operation, params, facts=FACTS):
    return [(check.action, check.resource) for check in checks(service, operation, params, facts)]
