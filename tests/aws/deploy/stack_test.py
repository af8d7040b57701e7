"""Tests of `aws/stack.py` with moto: the page's config, the site's files, the token key. `make test-deploy`."""

import json
import sys
import time
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import boto3
from botocore.stub import Stubber
from moto import mock_aws

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "aws"))
import stack  # noqa: E402

REGION = "eu-central-1"
WEEK = 7 * 86_400


def template(outputs: dict[str, str]) -> str:
    """Creates a stack with the outputs of directput's stack."""
    return json.dumps({
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    })


@mock_aws
@patch.dict("os.environ", {
    "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
})
class Stack(unittest.TestCase):
    def deploy(self, has_site: bool) -> dict:
        self.secret = boto3.client("secretsmanager").create_secret(Name="token", SecretString="o" * 64)["ARN"]
        outputs = {
            "Endpoint": "https://api.example/uploads",
            "BucketUrl": "https://uploads.example",
            "BucketName": "the-uploads",
            "TokenSecretArn": self.secret,
        }
        if has_site:
            boto3.client("s3").create_bucket(
                Bucket="the-site", CreateBucketConfiguration={"LocationConstraint": REGION})
            config = {"CallerReference": "x", "Comment": "", "Enabled": True,
                      "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
                      "Origins": {"Quantity": 1, "Items": [
                          {"Id": "o", "DomainName": "the-site.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}]}}
            made = boto3.client("cloudfront").create_distribution(DistributionConfig=config)
            outputs |= {"SiteUrl": "https://site.example", "SiteId": made["Distribution"]["Id"],
                        "SiteBucketName": "the-site"}
        boto3.client("cloudformation").create_stack(StackName="directput-dev", TemplateBody=template(outputs))
        return stack.stack_of("dev")

    def inside(self) -> Path:
        """Creates a source tree with a page and a package."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        for name in ["www/index.html", "www/app.js", "pkg/index.js", "pkg/directput_bg.wasm",
                     "node_modules/oauth4webapi/build/index.js"]:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        patched = patch.object(stack, "ROOT", root)
        patched.start()
        self.addCleanup(patched.stop)
        return root

    def test_the_config_has_the_addresses(self):
        root = self.inside()
        outputs = self.deploy(has_site=False)
        stack.config(outputs)
        told = json.loads((root / "www/config.json").read_text())
        self.assertEqual(told, {"endpoint": "https://api.example/uploads", "preconnect": "https://uploads.example"})
        stack.config(outputs | {"SiteUrl": "https://site.example"})
        self.assertEqual(json.loads((root / "www/config.json").read_text())["endpoint"], "/uploads")

    def test_the_config_has_the_sign_in_only_if_the_stage_has_one(self):
        root = self.inside()
        outputs = self.deploy(has_site=False)
        sign_in = {"issuer": "https://login.example", "clientId": "page", "scope": "uploads"}
        stack.config(outputs | {"SiteSignIn": json.dumps(sign_in)})
        self.assertEqual(json.loads((root / "www/config.json").read_text())["signIn"], sign_in)
        stack.config(outputs)
        self.assertNotIn("signIn", json.loads((root / "www/config.json").read_text()))

    def test_the_site_has_page_and_package_and_no_old_files(self):
        self.inside()
        outputs = self.deploy(has_site=True)
        client = boto3.client("s3")
        client.put_object(Bucket="the-site", Key="old.js", Body=b"old")
        stack.config(outputs)
        stack.site(outputs)
        listed = client.list_objects_v2(Bucket="the-site")["Contents"]
        self.assertEqual({item["Key"] for item in listed}, {
            "index.html", "app.js", "config.json", "oauth4webapi.js", "directput/index.js", "directput/directput_bg.wasm",
        })
        head = client.head_object(Bucket="the-site", Key="directput/directput_bg.wasm")
        self.assertEqual((head["ContentType"], head["CacheControl"]), ("application/wasm", "no-cache"))
        stale = boto3.client("cloudfront").list_invalidations(DistributionId=outputs["SiteId"])
        self.assertEqual(stale["InvalidationList"]["Quantity"], 1)
        with patch("builtins.input", return_value="prod"), self.assertRaisesRegex(SystemExit, "nothing was removed"):
            stack.clear("dev")
        self.assertIn("Contents", client.list_objects_v2(Bucket="the-site"))
        with patch("builtins.input", return_value="dev"):
            stack.clear("dev")
        self.assertNotIn("Contents", client.list_objects_v2(Bucket="the-site"))

    # moto does not support termination protection, so botocore's stub checks the call against AWS's model.
    def test_a_stage_other_than_dev_is_protected_from_removal(self):
        client = boto3.client("cloudformation")
        stub = Stubber(client)
        stub.add_response("update_termination_protection", {}, {
            "StackName": "directput-prod", "EnableTerminationProtection": True,
        })
        stub.add_response("describe_stacks", {"Stacks": [{
            "StackName": "directput-prod", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE",
            "EnableTerminationProtection": True,
        }]}, {"StackName": "directput-prod"})
        with stub, patch.object(boto3, "client", return_value=client):
            stack.protect("dev")
            stack.protect("prod")
            with patch("builtins.input", side_effect=AssertionError("it asks")), \
                    self.assertRaisesRegex(SystemExit, "--no-enable-termination-protection --stack-name directput-prod"):
                stack.clear("prod")
            stub.assert_no_pending_responses()

    def test_the_previous_key_stays_and_a_second_rotation_waits_for_its_tokens(self):
        outputs = self.deploy(has_site=False)
        client = boto3.client("secretsmanager")
        # Only this error code proves to the function that there is no previous key.
        with self.assertRaises(client.exceptions.ResourceNotFoundException):
            client.get_secret_value(SecretId=self.secret, VersionStage="AWSPREVIOUS")
        value = lambda stage: client.get_secret_value(SecretId=self.secret, VersionStage=stage)["SecretString"]
        stack.rotate(outputs)
        first = value("AWSCURRENT")
        self.assertEqual((len(first), value("AWSPREVIOUS")), (64, "o" * 64))
        with self.assertRaisesRegex(SystemExit, "days old"):
            stack.rotate(outputs)
        self.assertEqual(value("AWSCURRENT"), first)
        with patch.object(time, "time", return_value=time.time() + WEEK + 60):
            stack.rotate(outputs)
        self.assertEqual(value("AWSPREVIOUS"), first)

    def test_a_revocation_replaces_all_keys_of_any_age(self):
        outputs = self.deploy(has_site=False)
        client = boto3.client("secretsmanager")
        stages = lambda: [client.get_secret_value(SecretId=self.secret, VersionStage=stage)["SecretString"]
                          for stage in ["AWSCURRENT", "AWSPREVIOUS"]]
        stack.rotate(outputs)
        before = stages()
        self.assertEqual(before[1], "o" * 64)
        for _ in range(2):
            stack.revoke(outputs)
            after = stages()
            self.assertEqual(len({*before, *after}), 4, "both keys are new and differ")
            self.assertEqual([len(key) for key in after], [64, 64])
            before = after


if __name__ == "__main__":
    unittest.main()
