"""KMS: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html.

https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, encryption_context, tags_context

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values

_KEY_ID_BYTES = 36


def key_arn(request: Request, given: str) -> str:
    """A key may be given by id, alias or ARN; permissions are checked on the key."""
    alias = given.rpartition(":")[2] if ":alias/" in given else given
    if alias.startswith("alias/"):
        return request.facts.aliases.get(alias, request.arn("kms", alias))
    return request.named("kms", "key/", given)


def _key_in(ciphertext: object) -> str:
    """The id of the key that made a ciphertext: the local cloud's begin with it."""
    return bytes(ciphertext)[:_KEY_ID_BYTES].decode("ascii", "replace") if isinstance(ciphertext, bytes) else ""


def _context(request: Request) -> dict[str, Values]:
    found = encryption_context(request.account, request.params.get("EncryptionContext") or {})
    given = request.text("KeyId")
    if "alias/" in given:
        found["kms:requestalias"] = given[given.index("alias/") :]
    return found | tags_context(request.params.get("Tags"))


def _on_key(name: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        given = request.text("KeyId") or _key_in(request.params.get("CiphertextBlob"))
        return [Check(f"kms:{name}", key_arn(request, given), _context(request))]

    return mapper


def _grant(request: Request) -> list[Check]:
    extra: dict[str, Values] = {
        "kms:grantisforawsresource": "false",  # true only when a service of AWS asks for it
        "kms:granteeprincipal": request.text("GranteePrincipal"),
        "kms:grantoperations": tuple(str(each) for each in request.params.get("Operations") or ()),
    }
    return [Check("kms:CreateGrant", key_arn(request, request.text("KeyId")), _context(request) | extra)]


def _re_encrypt(request: Request) -> list[Check]:
    source = request.text("SourceKeyId") or _key_in(request.params.get("CiphertextBlob"))
    before = encryption_context(request.account, request.params.get("SourceEncryptionContext") or {})
    after = encryption_context(request.account, request.params.get("DestinationEncryptionContext") or {})
    return [
        Check("kms:ReEncryptFrom", key_arn(request, source), before),
        Check("kms:ReEncryptTo", key_arn(request, request.text("DestinationKeyId")), after),
    ]


_ON_KEY = (
    "CancelKeyDeletion",
    "Decrypt",
    "DescribeKey",
    "DisableKey",
    "EnableKey",
    "EnableKeyRotation",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListGrants",
    "ListKeyPolicies",
    "ListResourceTags",
    "PutKeyPolicy",
    "RevokeGrant",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
)

OPERATIONS: dict[str, Mapper] = {
    **{name: _on_key(name) for name in _ON_KEY},
    **anywhere("kms", ("CreateKey", "GenerateRandom", "ListAliases", "ListKeys")),
    "CreateGrant": _grant,
    "ReEncrypt": _re_encrypt,
}
