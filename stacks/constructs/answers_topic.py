"""Where callers of an asynchronous endpoint hear that their answer is there, or that there will be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns

from stacks.constructs.encryption_key import NO_KEY
from stacks.policies import document, tls_only
from stacks.policy_checks import accept, accept_checkov

if TYPE_CHECKING:
    from constructs import Construct


def answers_topic(scope: Construct, key_arn: str | None) -> sns.CfnTopic:
    """Make the topic; callers subscribe to it themselves.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
    """
    made = sns.CfnTopic(scope, "AnswersTopic", kms_master_key_id=key_arn)
    if key_arn is None:
        accept(made, "NIST.800.53.R5-SNSEncryptedKMS", NO_KEY)
        accept_checkov(made, {"CKV_AWS_26": NO_KEY})
    policy = document((tls_only("sns:Publish", made.ref),))
    sns.CfnTopicPolicy(scope, "AnswersTopicPolicy", topics=[made.ref], policy_document=policy)
    return made
