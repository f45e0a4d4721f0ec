"""What of a resource with a name of its own can never change: CloudFormation would have to replace it, and cannot.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import TemplateError

if TYPE_CHECKING:
    from modelwright.local.template.registry import Resource

CREATE_ONLY = {
    "AWS::ECR::Repository": ("RepositoryName", ("EncryptionConfiguration",)),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", ("ModelPackageGroupDescription",)),
}
"""Type -> the property that names it, and others of its schema's `createOnlyProperties`."""


def refuse_replacement(before: Resource, wanted: Resource) -> None:
    """Raise TemplateError where CloudFormation fails: a new one of that name, while the old one has it."""
    name, create_only = CREATE_ONLY.get(wanted.type, ("", ()))
    mine = wanted.properties.get(name)
    if before.type != wanted.type or not mine or before.properties.get(name) != mine:
        return
    changed = [each for each in create_only if before.properties.get(each) != wanted.properties.get(each)]
    if changed:
        raise TemplateError(
            f"{wanted.stack}: {wanted.logical_id} ({wanted.type}): {', '.join(changed)} cannot change. CloudFormation "
            f"cannot update a stack when a custom-named resource requires replacing: put it back, or rename {mine}."
        )
