"""What the function's role may."""

import re
import unittest

from common import OPERATIONS, RESOURCES, ROOT, TEMPLATE, flat, many


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def called() -> set[str]:
    """The operations in the function's sources: calls of SDK clients, and what is signed."""
    source = "\n".join(path.read_text() for path in (ROOT / "lambda/src").glob("*.rs"))
    calls = re.findall(r"\bclient\s*\.(\w+)\(\)", source)
    signed = re.findall(r'\("([A-Z][a-z]\w+)", key, ', source)
    return {camel(call) for call in calls} | set(signed)


def statements() -> list[dict]:
    policies = RESOURCES["Role"]["Properties"]["Policies"]
    return [statement for policy in policies for statement in flat(policy["PolicyDocument"]["Statement"])]


def role() -> dict[str, list]:
    """The actions of the role, and on what."""
    allowed: dict[str, list] = {}
    for statement in statements():
        assert statement["Effect"] == "Allow"
        for action in many(statement["Action"]):
            allowed.setdefault(action, []).extend(many(statement["Resource"]))
    return allowed


class Role(unittest.TestCase):
    def test_the_code_calls_what_is_recorded(self):
        self.assertEqual(called(), set(OPERATIONS))

    def test_the_role_may_what_the_code_calls_and_nothing_else(self):
        # Lambda writes the log in the role's name, and S3 uses the key in the role's name.
        in_its_name = {"logs:CreateLogStream", "logs:PutLogEvents", "kms:GenerateDataKey", "kms:Decrypt"}
        self.assertEqual(set(role()), set(OPERATIONS.values()) | in_its_name)

    def test_objects_are_in_reach_below_uploads_only(self):
        for action, resources in role().items():
            if action.startswith("s3:"):
                self.assertEqual(resources, [{"Fn::Sub": "${Bucket.Arn}/uploads/*"}], action)

    def test_objects_are_in_reach_in_this_account_only(self):
        of_s3 = [statement for statement in statements() if "s3:PutObject" in many(statement["Action"])]
        [condition] = [statement["Condition"] for statement in of_s3]
        self.assertEqual(condition, {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}})

    def test_the_function_is_told_whose_the_bucket_has_to_be(self):
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["BUCKET_OWNER"], {"Ref": "AWS::AccountId"})
        self.assertIn('get("BUCKET_OWNER")', (ROOT / "lambda/src/main.rs").read_text())

    def test_nothing_is_allowed_on_everything(self):
        for action, resources in role().items():
            self.assertNotIn("*", action)
            self.assertNotIn("*", resources, action)

    def test_only_lambda_may_take_the_role(self):
        [statement] = RESOURCES["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})


if __name__ == "__main__":
    unittest.main()
