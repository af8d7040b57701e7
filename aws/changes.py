"""Change sets of a stage. One job makes a change set, a person reviews it, and another job executes it.

    changes.py plan STAGE NAME TEMPLATE   makes change set NAME of a packaged template, and prints its changes
    changes.py apply STAGE NAME           executes it, and waits for its end

SAM's own change sets hide the changes of nested stacks. EXECUTOR_ROLE_ARN names the role with which CloudFormation makes
the changes. Default: the caller's rights.
"""

import os
import sys
import tomllib
from pathlib import Path

import boto3
from botocore.exceptions import ClientError, WaiterError

from stack import name_of

ROOT = Path(__file__).resolve().parents[1]
# CloudFormation's messages for an empty change set.
NOTHING = ("didn't contain changes", "No updates are to be performed")
# Delay between two requests in seconds, and maximum number of requests.
POLL = {"Delay": 15, "MaxAttempts": 240}


def settings(stage: str) -> dict:
    """Returns the stack name, capabilities and parameters of a stage from samconfig.toml, in CloudFormation's form."""
    configured = tomllib.loads((ROOT / "aws/samconfig.toml").read_text())[stage]["deploy"]["parameters"]
    pairs = [item.split("=", 1) for item in configured["parameter_overrides"]]
    return {
        "StackName": name_of(stage),
        "Capabilities": configured["capabilities"].split(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in pairs],
    }


def is_new(client, stack: str) -> bool:
    """Returns whether the stack must be created. A stack whose change sets were never executed also counts as new."""
    try:
        [found] = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return True
    return found["StackStatus"] == "REVIEW_IN_PROGRESS"


def changes(client, change_set: str) -> list[dict]:
    """Returns all changes of a change set and of its nested change sets."""
    found = []
    for page in client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set):
        for change in page.get("Changes", []):
            resource = change["ResourceChange"]
            found.append(resource)
            if "ChangeSetId" in resource:
                found += changes(client, resource["ChangeSetId"])
    return found


def line(change: dict) -> str:
    """Formats a change for the reviewer. Replacements and removals stand out."""
    replaced = {"True": "REPLACED", "Conditional": "replaced, perhaps"}.get(change.get("Replacement", ""), "")
    action = change["Action"].upper() if change["Action"] == "Remove" else change["Action"]
    kept = f"({change['PolicyAction']})" if "PolicyAction" in change else ""
    return f"{action:8}{change['ResourceType']:42}{change['LogicalResourceId']:24}{replaced} {kept}".rstrip()


def plan(stage: str, name: str, template: str) -> None:
    client = boto3.client("cloudformation")
    wanted = settings(stage)
    role = os.environ.get("EXECUTOR_ROLE_ARN")
    made = client.create_change_set(
        **wanted, **({"RoleARN": role} if role else {}), ChangeSetName=name, IncludeNestedStacks=True,
        ChangeSetType="CREATE" if is_new(client, wanted["StackName"]) else "UPDATE",
        TemplateBody=Path(template).read_text())
    try:
        client.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"], WaiterConfig=POLL)
    except WaiterError as error:
        reason = error.last_response.get("StatusReason", "")
        client.delete_change_set(ChangeSetName=made["Id"])
        if any(words in reason for words in NOTHING):
            print("nothing changes")
            return
        sys.exit(f"the change set failed: {reason}")
    for change in changes(client, made["Id"]):
        print(line(change))


def apply(stage: str, name: str) -> None:
    client = boto3.client("cloudformation")
    stack = name_of(stage)
    try:
        client.describe_change_set(StackName=stack, ChangeSetName=name)
    except client.exceptions.ChangeSetNotFoundException:
        print("nothing changes")
        return
    waiter = "stack_create_complete" if is_new(client, stack) else "stack_update_complete"
    client.execute_change_set(StackName=stack, ChangeSetName=name)
    try:
        client.get_waiter(waiter).wait(StackName=stack, WaiterConfig=POLL)
    except WaiterError as error:
        [found] = error.last_response.get("Stacks", [{}])
        sys.exit(f"{stack} is {found.get('StackStatus', 'unknown')}: {found.get('StackStatusReason', 'see its events')}")
    print(f"{stack} is as planned")


def main() -> None:
    match sys.argv[1:]:
        case ["plan", stage, name, template]:
            plan(stage, name, template)
        case ["apply", stage, name]:
            apply(stage, name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
