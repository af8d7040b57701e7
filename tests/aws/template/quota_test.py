"""Daily quotas of callers, and their table."""

import re
import unittest

from common import PARAMETERS, RESOURCES, ROOT, TEMPLATE, flat, many, stage

VARIABLES = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]


class Quota(unittest.TestCase):
    def test_quotas_are_off_by_default_and_then_have_no_resources(self):
        for name in ["UploadsOfCallerPerDay", "BytesOfCallerPerDay"]:
            self.assertEqual(PARAMETERS[name]["Default"], "0")
        self.assertEqual(RESOURCES["Quotas"]["Condition"], "HasQuota")
        for name, value in VARIABLES.items():
            if name.startswith("QUOTA_"):
                self.assertEqual((value["Fn::If"][0], value["Fn::If"][2]), ("HasQuota", {"Ref": "AWS::NoValue"}), name)

    def test_the_function_gets_the_variables_that_it_reads(self):
        source = (ROOT / "server/src/quota.rs").read_text()
        read = set(re.findall(r'"(QUOTA_[A-Z]+)"', source.split("mod tests")[0]))
        self.assertEqual(read, {name for name in VARIABLES if name.startswith("QUOTA_")})

    def test_the_table_has_the_key_that_the_code_writes(self):
        table = RESOURCES["Quotas"]["Properties"]
        source = (ROOT / "lambda/src/quota_table.rs").read_text()
        self.assertEqual(table["KeySchema"], [{"AttributeName": "id", "KeyType": "HASH"}])
        self.assertIn('.key("id",', source)
        self.assertEqual(table["TimeToLiveSpecification"], {"Enabled": True, "AttributeName": "expires"})
        self.assertIn('"#expires", "expires"', source)

    def test_the_role_may_only_count(self):
        statements = flat(RESOURCES["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])
        [allowed] = [rule for rule in statements if "dynamodb:UpdateItem" in many(rule["Action"])]
        self.assertEqual(allowed, {
            "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": {"Fn::GetAtt": ["Quotas", "Arn"]},
        })

    def test_an_anonymous_stage_accepts_at_most_a_gibibyte_a_day(self):
        dev = stage("dev")
        self.assertEqual((dev["AllowAnonymous"], int(dev["BytesOfCallerPerDay"])), ("true", 1 << 30))


if __name__ == "__main__":
    unittest.main()
