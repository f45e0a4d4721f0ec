import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.iam.documents import parse_document
from modelwright.local.iam.evaluate import Access, Policies, evaluate
from modelwright.local.iam.principals import Principal

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Job"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Job/run"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
JOB = Principal(SESSION, ACCOUNT, ROLE)
EVENTS = Principal.of_service("events.amazonaws.com")
OBJECT = "arn:aws:s3:::b/k"

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
OTHER = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}


def document(kind, *statements):
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)}, kind=kind, owner=kind, name="p")


def policies(identity=(), boundary=(), resource=(), **options):
    return Policies(
        identity=(document("identity", *identity),) if identity else (),
        boundary=document("boundary", *boundary) if boundary else None,
        resource=(document("resource", *resource),) if resource else (),
        **options,
    )


def decide(found, principal=JOB, context=None):
    return evaluate(Access(principal, "s3:GetObject", OBJECT, context or {}), found)


def to(principal, statement=ALLOW):
    return {**statement, "Principal": principal}


NO_IDENTITY = "because no identity-based policy allows the s3:GetObject action"
NO_BOUNDARY = "because no permissions boundary allows the s3:GetObject action"
NO_RESOURCE = "because no resource-based policy allows the s3:GetObject action"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, NO_IDENTITY),
        ({"identity": [ALLOW]}, ""),
        ({"identity": [OTHER]}, NO_IDENTITY),
        ({"identity": [ALLOW, DENY]}, "with an explicit deny in an identity-based policy"),
        # a resource's policy of the same account is enough by itself when it names the role, its session or everyone
        ({"resource": [to({"AWS": ROLE})]}, ""),
        ({"resource": [to({"AWS": SESSION})]}, ""),
        ({"resource": [to("*")]}, ""),
        # the account as a whole only delegates
        ({"resource": [to({"AWS": ROOT})]}, NO_IDENTITY),
        ({"resource": [to({"AWS": ACCOUNT})], "identity": [ALLOW]}, ""),
        ({"resource": [to({"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"})]}, NO_IDENTITY),
        ({"resource": [to({"Service": "events.amazonaws.com"})]}, NO_IDENTITY),
        # a deny for everyone, for the account or for the role
        ({"identity": [ALLOW], "resource": [to("*", DENY)]}, "with an explicit deny in a resource-based policy"),
        (
            {"identity": [ALLOW], "resource": [to({"AWS": ROOT}, DENY)]},
            "with an explicit deny in a resource-based policy",
        ),
        (
            {"identity": [ALLOW], "resource": [to({"AWS": ROLE}, DENY)]},
            "with an explicit deny in a resource-based policy",
        ),
        # a boundary limits the role and what a resource grants to the role, not what it grants to the session
        ({"identity": [ALLOW], "boundary": [OTHER]}, NO_BOUNDARY),
        ({"identity": [ALLOW], "boundary": [ALLOW]}, ""),
        ({"boundary": [ALLOW]}, NO_IDENTITY),
        ({"identity": [ALLOW], "boundary": [ALLOW, DENY]}, "with an explicit deny in a permissions boundary"),
        ({"resource": [to({"AWS": ROLE})], "boundary": [OTHER]}, NO_BOUNDARY),
        ({"resource": [to({"AWS": SESSION})], "boundary": [OTHER]}, ""),
        # a KMS key or a role decides itself, or leaves it to the account's policies
        ({"identity": [ALLOW], "resource_decides": True}, NO_RESOURCE),
        ({"identity": [ALLOW], "resource": [to({"AWS": ROOT})], "resource_decides": True}, ""),
        ({"resource": [to({"AWS": ROOT})], "resource_decides": True}, NO_IDENTITY),
        ({"resource": [to({"AWS": ROLE})], "resource_decides": True}, ""),
        ({"identity": [ALLOW], "resource": [to({"AWS": ROOT}, OTHER)], "resource_decides": True}, NO_RESOURCE),
    ],
)
def test_a_role_is_allowed_as_on_aws(parts, reason):
    decision = decide(policies(**parts))
    assert (bool(decision), decision.reason) == (reason == "", reason)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ([], NO_RESOURCE),
        ([to({"Service": "events.amazonaws.com"})], ""),
        ([to({"Service": ["sns.amazonaws.com", "events.amazonaws.com"]})], ""),
        ([to({"Service": "sns.amazonaws.com"})], NO_RESOURCE),
        ([to({"AWS": ROOT})], NO_RESOURCE),
        ([to({"Service": "events.amazonaws.com"}), to("*", DENY)], "with an explicit deny in a resource-based policy"),
    ],
)
def test_only_the_resource_lets_a_service_in(resource, reason):
    assert decide(policies(identity=[ALLOW], resource=resource), EVENTS).reason == reason


def test_not_principal_spares_only_whom_it_lists_whole():
    spared = {**DENY, "NotPrincipal": {"AWS": [ROOT, ROLE, SESSION]}}
    assert decide(policies(identity=[ALLOW], resource=[spared]))
    for missing in (ROOT, ROLE, SESSION):
        listed = [arn for arn in (ROOT, ROLE, SESSION) if arn != missing]
        assert not decide(policies(identity=[ALLOW], resource=[{**DENY, "NotPrincipal": {"AWS": listed}}]))


def test_a_decision_names_the_statements_that_made_it():
    parts = policies(identity=[{**ALLOW, "Sid": "Read"}, {**OTHER, "Sid": "Write"}], boundary=[ALLOW])
    assert [str(ref) for ref in decide(parts).statements] == ["identity: p[Read]", "boundary: p[0]"]
    assert [str(ref) for ref in decide(policies(identity=[ALLOW, DENY])).statements] == ["identity: p[1]"]


def test_a_statement_can_be_taken_away():
    whole = policies(identity=[ALLOW])
    (ref,) = decide(whole).statements
    assert decide(policies(identity=[ALLOW], without=frozenset({ref}))).reason == NO_IDENTITY


STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["s3:GetObject", "s3:*", "s3:PutObject", "dynamodb:*", "*"]),
        st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:s3:::other/*"]),
    ),
    max_size=4,
)
PRINCIPALS = st.sampled_from(["*", {"AWS": ROOT}, {"AWS": ROLE}, {"AWS": SESSION}, {"Service": "events.amazonaws.com"}])
RESOURCE_STATEMENTS = st.lists(
    st.builds(to, PRINCIPALS, STATEMENTS.filter(bool).map(lambda found: found[0])), max_size=4
)
SITES = st.sampled_from(["identity", "boundary", "resource"])


@given(STATEMENTS, STATEMENTS, RESOURCE_STATEMENTS, st.booleans(), SITES)
def test_a_deny_anywhere_always_wins(identity, boundary, resource, decides, where):
    parts = {"identity": identity, "boundary": boundary, "resource": resource}
    parts[where] = [*parts[where], to("*", DENY) if where == "resource" else DENY]
    decision = decide(policies(**parts, resource_decides=decides))
    assert not decision
    assert decision.reason.startswith("with an explicit deny")


@given(STATEMENTS, STATEMENTS.filter(bool), RESOURCE_STATEMENTS, st.booleans(), SITES)
def test_one_more_allow_never_takes_anything_away(identity, boundary, resource, decides, where):
    parts = {"identity": identity, "boundary": boundary, "resource": resource}
    before = decide(policies(**parts, resource_decides=decides))
    parts[where] = [*parts[where], to({"AWS": ROLE}) if where == "resource" else ALLOW]
    after = decide(policies(**parts, resource_decides=decides))
    assert after or not before


@given(STATEMENTS, STATEMENTS, RESOURCE_STATEMENTS)
def test_without_an_allow_nothing_is_allowed(identity, boundary, resource):
    kept = [[s for s in found if s["Effect"] == "Deny"] for found in (identity, boundary, resource)]
    assert not decide(policies(identity=kept[0], boundary=kept[1], resource=kept[2]))


@given(STATEMENTS, STATEMENTS.filter(bool), RESOURCE_STATEMENTS)
def test_a_boundary_only_takes_away(identity, boundary, resource):
    limited = decide(policies(identity=identity, boundary=boundary, resource=resource))
    assert decide(policies(identity=identity, resource=resource)) or not limited
