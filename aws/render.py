"""Writes the stack's templates with every condition on, for linters that evaluate only the defaults.

    render.py FOLDER

checkov evaluates conditions with the parameters' defaults, so it would skip most conditional resources. Runs with the
Python of cfn-lint, whose loader knows CloudFormation's tags: `make validate`.
"""

import json
import sys
from pathlib import Path

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[1]
# Separate stacks, which are deployed by hand. The linters read them unchanged.
SEPARATE = {"deploy-role.yaml", "web-acl.yaml"}
ACCOUNT = "123456789012"
# Values of parameters without a default.
SAMPLES = {
    "AccessLogBucket": "example-logs",
    "AlarmTopicArn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:example",
    "AllowedOrigins": "https://app.example.com",
    "ApiCertificateArn": f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555",
    "ApiDomain": "api.example.com",
    "CertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555",
    "ConnectSources": "https://login.example.com",
    "JwtAudience": "example",
    "JwtIssuer": "https://login.example.com",
    "JwtScopes": "uploads",
    "NotifyQueueArn": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:example",
    "NotifyUrl": "https://api.example.com/uploaded",
    "KmsKeyArn": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/example",
    "SiteCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555",
    "SiteClientId": "example",
    "SiteDomain": "upload.example.com",
    "SiteLogBucket": "example-site-logs",
    "WebAclArn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/example/11111111-2222-3333-4444-555555555555",
}


def templates() -> list[Path]:
    """Returns the template of the stack and those of its nested stacks."""
    return [path for path in sorted((ROOT / "aws").glob("*.yaml")) if path.name not in SEPARATE]


def with_conditions_on(value):
    """Replaces each `Fn::If` by its value for a true condition."""
    if isinstance(value, dict):
        if set(value) == {"Fn::If"}:
            return with_conditions_on(value["Fn::If"][1])
        return {str(key): with_conditions_on(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_conditions_on(item) for item in value]
    return value


def render(template: dict) -> dict:
    """Returns the template without conditions, rules and globals, with every condition on."""
    rendered = with_conditions_on({key: value for key, value in template.items() if key not in {"Conditions", "Globals", "Rules"}})
    for resource in rendered["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"] = with_conditions_on(template["Globals"]["Function"]) | resource["Properties"]
    for section in ["Resources", "Outputs"]:
        for item in rendered.get(section, {}).values():
            item.pop("Condition", None)
    for name, parameter in rendered.get("Parameters", {}).items():
        if not parameter.get("Default"):
            parameter["Default"] = SAMPLES.get(name, "1" if parameter["Type"] == "Number" else "example")
    return rendered


def main() -> None:
    [folder] = [Path(name) for name in sys.argv[1:]] or sys.exit(__doc__)
    folder.mkdir(parents=True, exist_ok=True)
    for path in templates():
        rendered = render(cfn_yaml.load(str(path)))
        # The template refers to nested stacks by file name, so the names stay. JSON is valid YAML.
        (folder / path.name).write_text(json.dumps(rendered, indent=1) + "\n")


if __name__ == "__main__":
    main()
