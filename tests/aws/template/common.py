"""The templates as data. Runs with the Python of cfn-lint, whose loader knows CloudFormation's tags: `make validate`."""

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
# Operations that the function calls or signs, with the IAM action that each operation needs.
OPERATIONS = json.loads((ROOT / "aws/operations.json").read_text())


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def flat(statements) -> list[dict]:
    """Returns the statements, including conditional ones."""
    found = []
    for statement in statements:
        if "Fn::If" in statement:
            found += [branch for branch in statement["Fn::If"][1:] if "Effect" in branch]
        else:
            found.append(statement)
    return found


def of_type(kind: str, resources: dict = RESOURCES) -> dict[str, dict]:
    """Returns the resources of a type, such as AWS::S3::Bucket, by name."""
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def bucket_policy() -> dict[str, dict]:
    """Returns the statements of the bucket's policy by Sid."""
    statements = flat(RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"])
    return {statement["Sid"]: statement for statement in statements}


def stage(name: str) -> dict[str, str]:
    """Returns the parameters of a stage: those of samconfig.toml, and otherwise the template's defaults."""
    config = tomllib.loads((ROOT / "aws/samconfig.toml").read_text())
    overrides = dict(item.split("=", 1) for item in config[name]["deploy"]["parameters"]["parameter_overrides"])
    unknown = set(overrides) - set(PARAMETERS)
    assert not unknown, unknown
    # SAM treats a space as the end of a parameter.
    assert not any(" " in value for value in overrides.values()), overrides
    return {key: overrides.get(key, str(value.get("Default", ""))) for key, value in PARAMETERS.items()}


def fits(parameter: str, value: str) -> bool:
    """Returns whether AllowedPattern accepts a value."""
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None
