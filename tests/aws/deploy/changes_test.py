"""Tests of `aws/changes.py`, which prints a change set for its reviewer and executes it. botocore's stub checks each
call against AWS's model, because moto does not support change sets of nested stacks."""

import sys
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from unittest.mock import patch

import boto3
from botocore.stub import ANY, Stubber

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "aws"))
import changes  # noqa: E402

OUTER = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/run-1/1"
INNER = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/run-1/2"
ROLE = "arn:aws:iam::123456789012:role/directput-executor-dev"


def stack(status: str) -> dict:
    return {"Stacks": [{"StackName": "directput-dev", "CreationTime": 0, "StackStatus": status}]}


def change(action: str, kind: str, name: str, **more) -> dict:
    return {"Type": "Resource", "ResourceChange": {"Action": action, "ResourceType": kind, "LogicalResourceId": name, **more}}


@patch.dict("os.environ", {
    "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    "EXECUTOR_ROLE_ARN": ROLE,
})
class Changes(unittest.TestCase):
    def setUp(self):
        self.client = boto3.client("cloudformation", region_name="eu-central-1")
        self.stub = Stubber(self.client)
        for patched in [self.stub, patch.object(boto3, "client", return_value=self.client), patch("time.sleep")]:
            patched.__enter__()
            self.addCleanup(patched.__exit__, None, None, None)

    def run_and_read(self, work, *arguments: str) -> list[str]:
        said = StringIO()
        with redirect_stdout(said):
            work(*arguments)
        self.stub.assert_no_pending_responses()
        return said.getvalue().splitlines()

    def plan(self) -> list[str]:
        with NamedTemporaryFile("w", suffix=".yaml") as template:
            template.write("Resources: {}")
            template.flush()
            return self.run_and_read(changes.plan, "dev", "run-1", template.name)

    def expect_change_set(self, kind: str):
        self.stub.add_response("create_change_set", {"Id": OUTER}, {
            "StackName": "directput-dev", "ChangeSetName": "run-1", "ChangeSetType": kind, "IncludeNestedStacks": True,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"], "Parameters": ANY, "TemplateBody": "Resources: {}",
            "RoleARN": ROLE,
        })

    def test_a_reviewer_sees_changes_of_nested_stacks_too(self):
        self.stub.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
        self.expect_change_set("UPDATE")
        self.stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, {"ChangeSetName": OUTER})
        self.stub.add_response("describe_change_set", {"Changes": [
            change("Modify", "AWS::S3::Bucket", "Bucket", Replacement="True", PolicyAction="ReplaceAndRetain"),
            change("Modify", "AWS::CloudFormation::Stack", "Watch", Replacement="False", ChangeSetId=INNER),
        ]}, {"ChangeSetName": OUTER})
        self.stub.add_response("describe_change_set", {"Changes": [
            change("Remove", "AWS::CloudWatch::Alarm", "Throttled", PolicyAction="Delete"),
        ]}, {"ChangeSetName": INNER})
        said = [line.split() for line in self.plan()]
        self.assertEqual(said, [
            ["Modify", "AWS::S3::Bucket", "Bucket", "REPLACED", "(ReplaceAndRetain)"],
            ["Modify", "AWS::CloudFormation::Stack", "Watch"],
            ["REMOVE", "AWS::CloudWatch::Alarm", "Throttled", "(Delete)"],
        ])

    def test_a_missing_stage_is_created(self):
        self.stub.add_client_error("describe_stacks", "ValidationError", "Stack with id directput-dev does not exist")
        self.expect_change_set("CREATE")
        self.stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
        self.stub.add_response("describe_change_set", {"Changes": [change("Add", "AWS::S3::Bucket", "Bucket")]})
        self.assertEqual([line.split() for line in self.plan()], [["Add", "AWS::S3::Bucket", "Bucket"]])

    def test_an_empty_change_set_is_removed_and_succeeds(self):
        self.stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
        self.expect_change_set("UPDATE")
        reason = "The submitted information didn't contain changes. Submit different information to create a change set."
        self.stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
        self.stub.add_response("delete_change_set", {}, {"ChangeSetName": OUTER})
        self.assertEqual(self.plan(), ["nothing changes"])

    def test_a_refused_template_fails(self):
        self.stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
        self.expect_change_set("UPDATE")
        self.stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": "Set JwtIssuer and JwtAudience"})
        self.stub.add_response("delete_change_set", {}, {"ChangeSetName": OUTER})
        with self.assertRaisesRegex(SystemExit, "Set JwtIssuer"):
            self.plan()

    def test_the_reviewed_change_set_is_executed(self):
        named = {"StackName": "directput-dev", "ChangeSetName": "run-1"}
        self.stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, named)
        self.stub.add_response("describe_stacks", stack("REVIEW_IN_PROGRESS"))
        self.stub.add_response("execute_change_set", {}, named)
        self.stub.add_response("describe_stacks", stack("CREATE_IN_PROGRESS"))
        self.stub.add_response("describe_stacks", stack("CREATE_COMPLETE"))
        self.assertEqual(self.run_and_read(changes.apply, "dev", "run-1"), ["directput-dev is as planned"])

    def test_a_deployment_that_rolls_back_fails(self):
        self.stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
        self.stub.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
        self.stub.add_response("execute_change_set", {})
        self.stub.add_response("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE"))
        with self.assertRaisesRegex(SystemExit, "UPDATE_ROLLBACK_COMPLETE"):
            changes.apply("dev", "run-1")

    def test_applying_an_empty_plan_does_nothing(self):
        self.stub.add_client_error("describe_change_set", "ChangeSetNotFound", "ChangeSet [run-1] does not exist")
        self.assertEqual(self.run_and_read(changes.apply, "dev", "run-1"), ["nothing changes"])


if __name__ == "__main__":
    unittest.main()
