"""What whoever publishes a merge may do: write its release, find out what of it is there, announce it. Read nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.constructs.triggers import MERGE_DETAIL_TYPE, MERGE_SOURCE
from stacks.grants.target import via
from stacks.policies import Statement, arn

if TYPE_CHECKING:
    from stacks.grants.target import Target

_BY_CONTENT = "a release and what it names have hashes for names, a pointer has its commit's"
_FOLDERS = ("releases", "commits", "code", "datasets")


def publishing(target: Target) -> tuple[Statement, ...]:
    """Return what publishing a commit's release of one pipeline and announcing it needs.

    What is there already is found by listing, not by HeadObject: that would need the right to read. Objects are sent by
    PutObject, which asks the key for kms:GenerateDataKey alone (only an upload in parts needs kms:Decrypt):
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    prefixes = tuple(f"{folder}/{target.pipeline}/" for folder in _FOLDERS)
    return (
        Statement("PublishReleases", ("s3:PutObject",), target.artifacts(*prefixes), why=_BY_CONTENT),
        Statement(
            "SeeWhatIsPublished",
            ("s3:ListBucket",),
            (target.shared.artifact_bucket_arn,),
            {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        ),
        *target.use_key("EncryptReleases", "kms:GenerateDataKey", conditions=via("s3")),
        announcing(target),
    )


def announcing(target: Target) -> Statement:
    """Return what putting a merge's event on the environment's bus needs, and no other event.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    event = {"events:source": MERGE_SOURCE, "events:detail-type": MERGE_DETAIL_TYPE}
    bus = arn("events", f"event-bus/{target.shared.event_bus_name}")
    return Statement("AnnounceMerges", ("events:PutEvents",), (bus,), {"StringEquals": event})
