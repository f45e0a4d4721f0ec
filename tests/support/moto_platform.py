"""The platform's table and buckets in moto, for handlers that are called in the tests' own process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws

import shared.clients

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

_ACCOUNT = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def moto_platform(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], *buckets: str) -> Iterator[None]:
    """The function's environment, the table `mw-dev` and these buckets, as long as the context lasts."""
    for name, value in {**_ACCOUNT, **environment}.items():
        monkeypatch.setenv(name, value)
    shared.clients.client.cache_clear()
    with mock_aws():
        for bucket in buckets:
            place = {"LocationConstraint": "eu-west-1"}
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        boto3.client("dynamodb").create_table(
            TableName="mw-dev",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield
    shared.clients.client.cache_clear()
