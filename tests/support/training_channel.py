"""A channel of a training job's request."""

from __future__ import annotations

from typing import Any


def channel(uri: str, name: str = "train") -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}}
    return {"ChannelName": name, "DataSource": source, "InputMode": "File"}
