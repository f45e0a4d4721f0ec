import pytest

from modelwright.local.template.intrinsics import Physical, Scope, TemplateError, references


def scope(**template):
    return Scope(
        pseudo={"AWS::Region": "eu-west-1", "AWS::AccountId": "1"},
        parameters={"Size": "2"},
        template=template,
        ssm={"/a/b": "found"}.__getitem__,
        resources={"Bucket": Physical("the-bucket", {"Arn": "arn:aws:s3:::the-bucket"})},
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Bucket"}, "the-bucket"),
        ({"Ref": "Size"}, "2"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::the-bucket"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:aws:s3:::the-bucket"),
        (
            {"Fn::Sub": "${Bucket}/${Bucket.Arn}/${!Kept}/${AWS::AccountId}"},
            "the-bucket/arn:aws:s3:::the-bucket/${Kept}/1",
        ),
        ({"Fn::Sub": ["${X}-${Bucket}", {"X": {"Ref": "Size"}}]}, "2-the-bucket"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}, 3]]}, "a-2-3"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"Fn::If": ["Yes", "one", "two"]}, "one"),
        ({"Fn::If": ["No", "one", "two"]}, "two"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "x"]}, 7),
        ({"Fn::Base64": "hi"}, "aGk="),
        ("{{resolve:ssm:/a/b}}!", "found!"),
        ({"a": [{"Ref": "AWS::NoValue"}, 1], "b": {"Ref": "AWS::NoValue"}}, {"a": [1]}),
        (
            {"Effect": "Allow", "Condition": {"StringEquals": {"a": "b"}}},
            {"Effect": "Allow", "Condition": {"StringEquals": {"a": "b"}}},
        ),
    ],
)
def test_evaluates_as_cloudformation_does(expression, value):
    found = scope(
        Conditions={"Yes": {"Fn::Equals": [{"Ref": "Size"}, "2"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
        Mappings={"M": {"eu-west-1": {"x": 7}}},
    ).resolve(expression)
    assert found == value


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue is not supported"),
        ({"Ref": "Nothing"}, "'Nothing'"),
        ({"Fn::GetAtt": ["Bucket", "Size"]}, "no attribute 'Size' in the local cloud; it has: Arn"),
        ({"Fn::If": ["Maybe", 1, 2]}, "no condition 'Maybe'"),
        ("{{resolve:secretsmanager:x}}", "only ssm is"),
    ],
)
def test_names_what_it_does_not_know(expression, named):
    with pytest.raises(TemplateError, match=named):
        scope(Conditions={}).resolve(expression)


def test_references_are_found_wherever_they_are():
    expression = {
        "a": [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}],
        "b": {"Fn::Sub": ["${C.Arn} ${!D} ${E}", {"E": {"Ref": "F"}}]},
        "c": {"Fn::GetAtt": "G.H"},
    }
    assert set(references(expression)) == {"A", "B", "C", "E", "F", "G"}
