"""Rights of the function's role."""

import re
import unittest

from common import OPERATIONS, RESOURCES, ROOT, TEMPLATE, flat, many


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def called() -> set[str]:
    """Returns the operations in the function's sources: calls of SDK clients, and signed requests."""
    clients = "\n".join(path.read_text() for path in (ROOT / "lambda/src").glob("*.rs"))
    calls = re.findall(r"\bclient\s*\.(\w+)\(\)", clients)
    signed = re.findall(r'\("([A-Z][a-z]\w+)", key, ', (ROOT / "server/src/s3/put.rs").read_text())
    signed += re.findall(r'const [A-Z]+: &str = "([A-Z]\w+(?:Upload|Parts))"', (ROOT / "server/src/s3/operation.rs").read_text())
    return {camel(call) for call in calls} | set(signed)


def statements() -> list[dict]:
    policies = RESOURCES["Role"]["Properties"]["Policies"]
    return [statement for policy in policies for statement in flat(policy["PolicyDocument"]["Statement"])]


def role() -> dict[str, list]:
    """Returns the actions of the role and their resources."""
    allowed: dict[str, list] = {}
    for statement in statements():
        assert statement["Effect"] == "Allow"
        for action in many(statement["Action"]):
            allowed.setdefault(action, []).extend(many(statement["Resource"]))
    return allowed


class Role(unittest.TestCase):
    def test_the_list_of_operations_is_equal_to_the_codes(self):
        self.assertEqual(called(), set(OPERATIONS))

    def test_the_role_has_exactly_the_actions_that_the_code_needs(self):
        # Lambda writes the log, and S3 uses the key, with the rights of the role.
        in_its_name = {"logs:CreateLogStream", "logs:PutLogEvents", "kms:GenerateDataKey", "kms:Decrypt"}
        self.assertEqual(set(role()), set(OPERATIONS.values()) | in_its_name)

    def test_the_role_reaches_only_objects_below_uploads(self):
        for action, resources in role().items():
            if action.startswith("s3:"):
                self.assertEqual(resources, [{"Fn::Sub": "${Bucket.Arn}/uploads/*"}], action)

    def test_the_role_reaches_only_objects_of_this_account(self):
        of_s3 = [statement for statement in statements() if "s3:PutObject" in many(statement["Action"])]
        [condition] = [statement["Condition"] for statement in of_s3]
        self.assertEqual(condition, {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}})

    def test_the_function_gets_the_expected_owner_of_the_bucket(self):
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["BUCKET_OWNER"], {"Ref": "AWS::AccountId"})
        self.assertIn('get("BUCKET_OWNER")', (ROOT / "lambda/src/main.rs").read_text())

    def test_nothing_is_allowed_on_everything(self):
        for action, resources in role().items():
            self.assertNotIn("*", action)
            self.assertNotIn("*", resources, action)

    def test_only_lambda_can_assume_the_role(self):
        [statement] = RESOURCES["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})


if __name__ == "__main__":
    unittest.main()
