"""The templates as data. Run by the Python of cfn-lint, whose loader knows CloudFormation's tags: `make validate`."""

import json
import re
import tomllib
from pathlib import Path

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = cfn_yaml.load(str(ROOT / "aws/template.yaml"))
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
# The nested stacks.
EVENTS = cfn_yaml.load(str(ROOT / "aws/events.yaml"))["Resources"]
SITE = cfn_yaml.load(str(ROOT / "aws/site.yaml"))["Resources"]
WATCH = cfn_yaml.load(str(ROOT / "aws/watch.yaml"))["Resources"]
# Each operation that the function calls or signs, and the action that it takes.
OPERATIONS = json.loads((ROOT / "aws/operations.json").read_text())


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def flat(statements) -> list[dict]:
    """The statements, those on a condition too."""
    found = []
    for statement in statements:
        if "Fn::If" in statement:
            found += [branch for branch in statement["Fn::If"][1:] if "Effect" in branch]
        else:
            found.append(statement)
    return found


def of_type(kind: str, resources: dict = RESOURCES) -> dict[str, dict]:
    """The resources of a type, such as AWS::S3::Bucket, by their names."""
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def bucket_policy() -> dict[str, dict]:
    """The statements of the bucket's policy by their Sid."""
    statements = flat(RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"])
    return {statement["Sid"]: statement for statement in statements}


def stage(name: str) -> dict[str, str]:
    """What a stage of samconfig.toml is deployed with: its parameters, else the template's defaults."""
    config = tomllib.loads((ROOT / "aws/samconfig.toml").read_text())
    overrides = dict(item.split("=", 1) for item in config[name]["deploy"]["parameters"]["parameter_overrides"])
    unknown = set(overrides) - set(PARAMETERS)
    assert not unknown, unknown
    # SAM takes a space for the end of a parameter.
    assert not any(" " in value for value in overrides.values()), overrides
    return {key: overrides.get(key, str(value.get("Default", ""))) for key, value in PARAMETERS.items()}


def fits(parameter: str, value: str) -> bool:
    """Whether CloudFormation would take this value, by AllowedPattern."""
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None
