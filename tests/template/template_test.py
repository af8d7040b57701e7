"""The template as a reviewer reads it: what the role may, and what the bucket refuses.

Run by the Python of cfn-lint, whose loader knows CloudFormation's tags: `make validate`.
"""

import json
import re
import unittest
from pathlib import Path

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = cfn_yaml.load(str(ROOT / "lambda/template.yaml"))
RESOURCES = TEMPLATE["Resources"]
# Each operation that the function calls or signs, and the action that it takes.
OPERATIONS = json.loads((ROOT / "security/operations.json").read_text())


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def called() -> set[str]:
    """The operations in the function's sources: calls of SDK clients, and what is signed."""
    source = "\n".join(path.read_text() for path in (ROOT / "lambda/src").glob("*.rs"))
    calls = re.findall(r"\bclient\s*\.(\w+)\(\)", source)
    signed = re.findall(r'\("([A-Z][a-z]\w+)", key, ', source)
    return {camel(call) for call in calls} | set(signed)


def flat(statements) -> list[dict]:
    """The statements, those on a condition too."""
    found = []
    for statement in statements:
        if "Fn::If" in statement:
            found += [branch for branch in statement["Fn::If"][1:] if "Effect" in branch]
        else:
            found.append(statement)
    return found


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def role() -> dict[str, list]:
    """The actions of the role, and on what."""
    allowed: dict[str, list] = {}
    for policy in RESOURCES["Role"]["Properties"]["Policies"]:
        for statement in flat(policy["PolicyDocument"]["Statement"]):
            assert statement["Effect"] == "Allow"
            for action in many(statement["Action"]):
                allowed.setdefault(action, []).extend(many(statement["Resource"]))
    return allowed


def bucket_policy() -> dict[str, dict]:
    statements = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in statements}


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

    def test_nothing_is_allowed_on_everything(self):
        for action, resources in role().items():
            self.assertNotIn("*", action)
            self.assertNotIn("*", resources, action)

    def test_only_lambda_may_take_the_role(self):
        [statement] = RESOURCES["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})


class Bucket(unittest.TestCase):
    def test_nothing_is_public(self):
        buckets = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::S3::Bucket"]
        self.assertEqual(buckets, ["Bucket", "SiteBucket"])
        for name in buckets:
            blocks = RESOURCES[name]["Properties"]["PublicAccessBlockConfiguration"]
            self.assertEqual(len(blocks), 4, name)
            self.assertTrue(all(value is True for value in blocks.values()), name)

    def test_the_policy_only_ever_denies(self):
        for sid, statement in bucket_policy().items():
            self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"), sid)

    def test_each_rule_refuses_what_it_is_for(self):
        conditions = {sid: statement["Condition"] for sid, statement in bucket_policy().items()}
        self.assertEqual(conditions, {
            "TlsOnly": {"Bool": {"aws:SecureTransport": "false"}},
            "NoOldSignatures": {"NumericGreaterThan": {"s3:signatureAge": 600_000}},
            "SignatureVersion4Only": {"StringNotEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
            "NoForms": {"StringEquals": {"s3:authType": "POST"}},
            "WriteOnce": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
            "OnlyTheFunctionWrites": {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
        })

    def test_no_url_outlives_the_oldest_signature(self):
        longest = re.search(r"MAX_URL_SECONDS: u64 = (\d+)", (ROOT / "lambda/src/config.rs").read_text())
        age = bucket_policy()["NoOldSignatures"]["Condition"]["NumericGreaterThan"]["s3:signatureAge"]
        self.assertEqual(int(longest[1]) * 1000, age)


class Api(unittest.TestCase):
    def test_every_route_is_behind_the_authorizer_where_there_is_one(self):
        routes = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::ApiGatewayV2::Route"}
        self.assertEqual({route["RouteKey"] for route in routes.values()}, {
            "POST /uploads", "DELETE /uploads", "POST /uploads/parts", "GET /uploads/parts", "POST /uploads/complete",
        })
        for name, route in routes.items():
            self.assertEqual(route["AuthorizationType"], {"Fn::If": ["HasSignIn", "JWT", "NONE"]}, name)
            self.assertEqual(route["AuthorizerId"]["Fn::If"][:2], ["HasSignIn", {"Ref": "Authorizer"}], name)

    def test_without_sign_in_it_has_to_be_said_out_loud(self):
        [assertion] = TEMPLATE["Rules"]["SignInOrSayOtherwise"]["Assertions"]
        self.assertEqual(assertion["Assert"], {"Fn::Or": [
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]},
            {"Fn::Equals": [{"Ref": "AllowAnonymous"}, "true"]},
        ]})
        self.assertEqual(TEMPLATE["Parameters"]["AllowAnonymous"]["Default"], "false")

    def test_the_function_refuses_by_itself_who_has_no_caller(self):
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["NEEDS_CALLER"], {"Fn::If": ["HasSignIn", "true", "false"]})


    def test_opening_uploads_is_throttled_more_than_all_else(self):
        properties = RESOURCES["ApiStage"]["Properties"]
        self.assertEqual(properties["DefaultRouteSettings"]["ThrottlingRateLimit"], {"Ref": "CallsPerSecond"})
        opening = properties["RouteSettings"]["POST /uploads"]
        self.assertEqual(opening["ThrottlingRateLimit"], {"Ref": "UploadsPerSecond"})
        rate = lambda name: TEMPLATE["Parameters"][name]["Default"]
        self.assertLess(rate("UploadsPerSecond"), rate("CallsPerSecond"))


class Site(unittest.TestCase):
    SOURCE = (ROOT / "local/src/site.rs").read_text()
    HEADERS = RESOURCES["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]

    def test_nothing_of_it_is_there_unless_it_is_wanted(self):
        names = {name for name in RESOURCES if name.startswith("Site")}
        self.assertEqual(names, {"Site", "SiteAccess", "SiteBucket", "SiteBucketPolicy", "SiteHeaders"})
        for name in names:
            self.assertEqual(RESOURCES[name]["Condition"], "HasSite")
        self.assertEqual(TEMPLATE["Parameters"]["DeploySite"]["Default"], "false")

    def test_only_this_distribution_reads_its_bucket(self):
        deny, allow = RESOURCES["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual((deny["Effect"], deny["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))
        self.assertEqual(allow["Principal"], {"Service": "cloudfront.amazonaws.com"})
        self.assertEqual(allow["Action"], "s3:GetObject")
        self.assertTrue(allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(":distribution/${Site}"))

    def test_its_content_security_policy_is_the_local_servers(self):
        here = self.HEADERS["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
        [there] = re.findall(r'CONTENT_SECURITY_POLICY: &str = "(.*?)";', self.SOURCE, re.DOTALL)
        there = re.sub(r"\\\n\s*", "", there)
        name = RESOURCES["Bucket"]["Properties"]["BucketName"]["Fn::Sub"]
        bucket = f"https://{name}.s3.${{AWS::Region}}.${{AWS::URLSuffix}}"
        self.assertEqual(here, there.replace("{bucket}", bucket))

    def test_its_other_headers_are_the_local_servers_and_tls(self):
        config = self.HEADERS["SecurityHeadersConfig"]
        self.assertEqual(set(config), {
            "ContentSecurityPolicy", "ContentTypeOptions", "FrameOptions", "ReferrerPolicy", "StrictTransportSecurity",
        })
        self.assertIn(f'X_FRAME_OPTIONS, "{config["FrameOptions"]["FrameOption"]}"', self.SOURCE)
        self.assertIn(f'REFERRER_POLICY, "{config["ReferrerPolicy"]["ReferrerPolicy"]}"', self.SOURCE)
        for item in self.HEADERS["CustomHeadersConfig"]["Items"]:
            self.assertIn(f'("{item["Header"].lower()}"), "{item["Value"]}"', self.SOURCE)

    def test_the_cors_rules_are_the_local_servers(self):
        [rule] = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
        for name, key in [("BUCKET_HEADERS", "AllowedHeaders"), ("BUCKET_EXPOSED", "ExposedHeaders")]:
            [there] = re.findall(rf"const {name}: .*?=\s*\[(.*?)\];", self.SOURCE, re.DOTALL)
            self.assertEqual(rule[key], re.findall(r'"([^"]+)"', there), name)


if __name__ == "__main__":
    unittest.main()
