"""S3: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html.

Which permissions an operation needs: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
Objects under a KMS key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from modelwright.local.iam.checks import Check, Mapper, Request

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values

_FROM_PARAMS = {
    "ACL": "s3:x-amz-acl",
    "Delimiter": "s3:delimiter",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
    "MaxKeys": "s3:max-keys",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "Prefix": "s3:prefix",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "StorageClass": "s3:x-amz-storage-class",
    "VersionId": "s3:versionid",
}


def _context(request: Request) -> dict[str, Values]:
    found: dict[str, Values] = {
        "s3:resourceaccount": request.account,
        "s3:authtype": "REST-HEADER",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:tlsversion": "1.3",  # loopback counts as secure transport: see context.py
    }
    for name, key in _FROM_PARAMS.items():
        if request.params.get(name) is not None:
            found[key] = str(request.params[name])
    for name, value in parse_qsl(request.text("Tagging"), keep_blank_values=True):
        found[f"s3:requestobjecttag/{name.lower()}"] = value
    return found


def _bucket_arn(request: Request, bucket: str | None = None) -> str:
    name = request.text("Bucket") if bucket is None else bucket
    return name if name.startswith("arn:") else f"arn:{request.partition}:s3:::{name}"


def _object_arn(request: Request, key: str | None = None) -> str:
    return f"{_bucket_arn(request)}/{request.text('Key') if key is None else key}"


def _key_of(request: Request, bucket: str) -> str | None:
    """The KMS key of a new object: the request's, else the bucket's; none with SSE-S3 or a key of the customer's."""
    if request.params.get("SSECustomerAlgorithm") or request.text("ServerSideEncryption") == "AES256":
        return None
    asked = request.text("SSEKMSKeyId")
    if asked:
        return (
            asked if asked.startswith("arn:") else request.facts.aliases.get(asked, request.arn("kms", f"key/{asked}"))
        )
    return request.facts.keys.get(bucket)


def _kms(request: Request, bucket: str, key: str | None, stored: str, *actions: str) -> list[Check]:
    """S3's own questions to KMS; with an S3 Bucket Key the encryption context holds the bucket, else the object."""
    if not key:
        return []
    encryption = {"aws:s3:arn": bucket if bucket in request.facts.bucket_keys else stored}
    return [request.key_check(name, key, "s3", encryption) for name in actions]


def _read(name: str, *, decrypts: bool) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        versioned = "Version" if request.params.get("VersionId") else ""
        action = f"s3:{name.replace('Object', f'Object{versioned}', 1)}"
        bucket, target = _bucket_arn(request), _object_arn(request)
        found = [Check(action, target, _context(request))]
        wanted = decrypts or request.text("ChecksumMode") == "ENABLED"
        return found + (_kms(request, bucket, request.facts.keys.get(bucket), target, "Decrypt") if wanted else [])

    return mapper


def _write(*kms_actions: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        bucket, target, context = _bucket_arn(request), _object_arn(request), _context(request)
        found = [Check("s3:PutObject", target, context)]
        if request.params.get("Tagging"):
            found.append(Check("s3:PutObjectTagging", target, context))
        if request.text("ACL") not in {"", "bucket-owner-full-control", "private"}:
            found.append(Check("s3:PutObjectAcl", target, context))
        return found + _kms(request, bucket, _key_of(request, bucket), target, *kms_actions)

    return mapper


def bucket_that_is_read(params: Mapping[str, Any]) -> str:
    """The ARN of the bucket that a call reads an object from: a copy's source, else the call's own."""
    return f"arn:aws:s3:::{_source(params)[0] or params.get('Bucket', '')}"


def _source(params: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The bucket and the key that a copy reads, and whether it names a version."""
    given: Any = params.get("CopySource", "")
    if isinstance(given, Mapping):
        return str(given.get("Bucket", "")), str(given.get("Key", "")), bool(given.get("VersionId"))
    path, _, query = str(given).partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, bool(query)


def _copy(*kms_actions: str) -> Mapper:
    write = _write(*kms_actions)

    def mapper(request: Request) -> list[Check]:
        name, key, versioned = _source(request.params)
        bucket = _bucket_arn(request, name)
        source = f"{bucket}/{key}"
        read = "s3:GetObjectVersion" if versioned else "s3:GetObject"
        found = [Check(read, source, _context(request))]
        found += _kms(request, bucket, request.facts.keys.get(bucket), source, "Decrypt")
        copied: dict[str, Values] = {"s3:x-amz-copy-source": f"{name}/{key}"}
        for check in write(request):
            extra = copied if check.action.startswith("s3:") else {}
            found.append(Check(check.action, check.resource, {**check.context, **extra}, check.forwarded))
        return found

    return mapper


def _delete(request: Request) -> list[Check]:
    name = "s3:DeleteObjectVersion" if request.params.get("VersionId") else "s3:DeleteObject"
    return [Check(name, _object_arn(request), _context(request))]


def _delete_many(request: Request) -> list[Check]:
    objects = (request.params.get("Delete") or {}).get("Objects", [])
    return [
        Check(
            "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject",
            _object_arn(request, str(each.get("Key", ""))),
            _context(request),
        )
        for each in objects
    ]


def _on_bucket(name: str) -> Mapper:
    return lambda request: (Check(f"s3:{name}", _bucket_arn(request), _context(request)),)


def _on_object(name: str) -> Mapper:
    return lambda request: (Check(f"s3:{name}", _object_arn(request), _context(request)),)


def _attributes(request: Request) -> list[Check]:
    return [*_read("GetObject", decrypts=False)(request), *_read("GetObjectAttributes", decrypts=True)(request)]


_BUCKET_ACTIONS = {
    "CreateBucket": "CreateBucket",
    "DeleteBucket": "DeleteBucket",
    "DeleteBucketPolicy": "DeleteBucketPolicy",
    "GetBucketAcl": "GetBucketAcl",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketLogging": "GetBucketLogging",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "GetBucketPolicy": "GetBucketPolicy",
    "GetBucketPolicyStatus": "GetBucketPolicyStatus",
    "GetBucketTagging": "GetBucketTagging",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketLogging": "PutBucketLogging",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketPolicy": "PutBucketPolicy",
    "PutBucketTagging": "PutBucketTagging",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}

OPERATIONS: dict[str, Mapper] = {
    **{operation: _on_bucket(name) for operation, name in _BUCKET_ACTIONS.items()},
    "ListBuckets": lambda request: (Check("s3:ListAllMyBuckets", "*", _context(request)),),
    "GetObject": _read("GetObject", decrypts=True),
    "HeadObject": _read("GetObject", decrypts=False),
    "GetObjectAttributes": _attributes,
    "GetObjectAcl": _read("GetObjectAcl", decrypts=False),
    "GetObjectTagging": _read("GetObjectTagging", decrypts=False),
    "PutObjectTagging": _read("PutObjectTagging", decrypts=False),
    "DeleteObjectTagging": _read("DeleteObjectTagging", decrypts=False),
    "PutObject": _write("GenerateDataKey"),
    "CopyObject": _copy("GenerateDataKey"),
    # S3 reads the encrypted parts before it joins them:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    "CreateMultipartUpload": _write("GenerateDataKey", "Decrypt"),
    "UploadPart": _write("GenerateDataKey", "Decrypt"),
    "UploadPartCopy": _copy("GenerateDataKey", "Decrypt"),
    "CompleteMultipartUpload": _write("GenerateDataKey", "Decrypt"),
    "AbortMultipartUpload": _on_object("AbortMultipartUpload"),
    "ListParts": _on_object("ListMultipartUploadParts"),
    "DeleteObject": _delete,
    "DeleteObjects": _delete_many,
}
