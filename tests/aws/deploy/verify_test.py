"""Tests of `make verify-aws` without an account, with the local server and moto."""

import logging
import os
import re
import socket
import subprocess
import sys
import time
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "aws"))
import checks  # noqa: E402
import verify  # noqa: E402
from stage import Answer, Skipped, Stage, Wrong  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SERVER = os.environ.get("DIRECTPUT_LOCAL", TARGET / "debug/directput-local")
ORIGIN = "https://app.example"
# Verdict of `delete-marker` if AWS behaves as expected.
MARKED = ("ok", "other bytes 400, the same bytes 200, then 412")
NAMES = [verify.name_of(check) for check in checks.CHECKS]


def run(stage: Stage, *names: str) -> dict[str, str]:
    """Runs checks, and returns their printed verdicts by name."""
    said = StringIO()
    with redirect_stdout(said):
        verify.verify(stage, list(names))
    lines = [re.split(r" {2,}", line, maxsplit=2) for line in said.getvalue().splitlines() if not line.startswith("note")]
    return {name: (word, seen) for word, name, seen in lines}


def start(test: unittest.TestCase, *more: str, **settings: str) -> dict[str, str]:
    """Starts the local server for a test, and returns the values of its first line."""
    folder = TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    arguments = ["--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--data", folder.name, "--exit-with-stdin", *more]
    server = subprocess.Popen([SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, env={**os.environ, **settings})

    def stop():
        server.stdin.close()
        server.wait(10)
        server.stdout.close()

    test.addCleanup(stop)
    return dict(pair.split("=", 1) for pair in server.stdout.readline().split()[1:])


def keep_versions(stage: Stage) -> None:
    stage.s3().put_bucket_versioning(
        Bucket=stage.outputs["BucketName"], VersioningConfiguration={"Status": "Enabled"})


class Local(unittest.TestCase):
    """The local server replaces a stage. It does not emulate API Gateway and CloudFront."""

    def setUp(self):
        ready = start(self)
        page = ready["page"]
        self.stage = Stage(
            "local", {"Endpoint": f"{page}/uploads", "SiteUrl": page, "BucketName": ready["bucket"]},
            {"AllowedOrigins": page, "UploadsPerSecond": "1"},
            s3_options={"endpoint_url": ready["s3"], "aws_access_key_id": ready["access_key"],
                        "aws_secret_access_key": ready["secret_key"], "region_name": "us-east-1"})

    def test_checks_that_the_local_server_supports_are_ok(self):
        names = ["api-preflight", "bucket-preflight", "single-put", "batch", "unsigned-headers", "delete-then-put", "other-prefixes",
                 "completion", "encoded-path", "headers-through-cloudfront", "errors-uncached"]
        for name, (word, seen) in run(self.stage, *names).items():
            self.assertEqual(word, "ok", f"{name}: {seen}")

    def test_checks_fail_where_the_local_server_differs_from_aws(self):
        # The local server has no throttling, and accepts objects that are signed with its own credentials.
        for name in ["throttling", "cors-on-429", "refused-to-others"]:
            self.assertEqual(run(self.stage, name)[name][0], "FAIL", name)

    def test_checks_of_missing_features_are_skipped(self):
        for name in ["cors-on-401", "lanes", "plain-http", "delete-marker", "unscanned", "largest-completion", "execute-api-closed",
                     "undelivered", "verified-after"]:
            self.assertEqual(run(self.stage, name)[name][0], "skip", name)

    def test_checksums_that_s3_computes_are_checked(self):
        allowed = "sha256,crc64nvme-after"
        ready = start(self, ALLOWED_CHECKSUMS=allowed)
        stage = Stage("local", {"Endpoint": f"{ready['page']}/uploads"}, {"AllowedChecksums": allowed})
        self.assertEqual(run(stage, "verified-after")["verified-after"], ("ok", "other bytes 409 parts-refused, then 200"))

    def test_each_lane_is_checked(self):
        ready = start(self, "--lanes", "3")
        page = ready["page"]
        s3 = {"endpoint_url": ready["s3"], "aws_access_key_id": ready["access_key"],
              "aws_secret_access_key": ready["secret_key"], "region_name": "us-east-1"}
        stage = Stage("local", {"Endpoint": f"{page}/uploads", "BucketName": ready["bucket"]}, {"AllowedOrigins": page},
                      s3_options=s3)
        # Browsers resolve names below `localhost` to this machine. Python asks the system, which may not resolve them.
        resolve = socket.getaddrinfo
        broken = set()

        def find(host, *more, **options):
            if host in broken:
                raise OSError("no such name")
            return resolve("127.0.0.1" if host.endswith(".localhost") else host, *more, **options)

        with patch("socket.getaddrinfo", find):
            self.assertEqual(run(stage, "lanes")["lanes"], ("ok", "3 hosts"))
            broken.add("b.localhost")
            self.assertEqual(run(stage, "lanes")["lanes"][0], "FAIL")

    def test_only_the_same_bytes_can_replace_a_delete_marker(self):
        keep_versions(self.stage)
        self.assertEqual(run(self.stage, "delete-marker")["delete-marker"], MARKED)

    def test_a_stage_with_sign_in_needs_a_token(self):
        self.stage.parameters["JwtIssuer"] = "https://login.example"
        word, seen = run(self.stage, "single-put")["single-put"]
        self.assertEqual(word, "skip")
        self.assertIn("DIRECTPUT_AUTHORIZATION", seen)


class Moto(unittest.TestCase):
    """The API of the local server with moto's S3, an independent implementation of versions and conditional writes."""

    def setUp(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = ThreadedMotoServer(port=0, verbose=False)
        moto.start()
        self.addCleanup(moto.stop)
        address = "http://{}:{}".format(*moto.get_host_and_port())
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        options = {"endpoint_url": address, **keys}
        boto3.client("s3", **options).create_bucket(Bucket="the-uploads")
        ready = start(self, "--use-s3", address, BUCKET="the-uploads", AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="test",
                      AWS_SECRET_ACCESS_KEY="test")
        self.stage = Stage("moto", {"Endpoint": f"{ready['page']}/uploads", "BucketName": "the-uploads"}, {}, s3_options=options)

    def test_only_the_same_bytes_can_replace_a_delete_marker(self):
        self.assertEqual(run(self.stage, "delete-marker")["delete-marker"][0], "skip")
        keep_versions(self.stage)
        self.assertEqual(run(self.stage, "delete-marker")["delete-marker"], MARKED)


@mock_aws
@patch.dict("os.environ", {
    "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
})
class Measured(unittest.TestCase):
    def setUp(self):
        self.stage = Stage("dev", {"Endpoint": "https://api.example/uploads"}, {})
        opened = patch.object(Stage, "open")
        opened.start()
        self.addCleanup(opened.stop)
        names = patch.object(Stage, "resource", lambda _, name: name)
        names.start()
        self.addCleanup(names.stop)

    def test_metrics_of_the_function_are_required(self):
        self.assertEqual(run(self.stage, "metrics")["metrics"][0], "FAIL")
        for name in ["Opened", "OpenedBytes"]:
            data = [{"MetricName": name, "Value": 1, "Dimensions": [{"Name": "Stage", "Value": "dev"}]}]
            boto3.client("cloudwatch").put_metric_data(Namespace="directput", MetricData=data)
        self.assertEqual(run(self.stage, "metrics")["metrics"], ("ok", "Opened, OpenedBytes"))

    def test_an_alarm_that_is_on_fails(self):
        client = boto3.client("cloudwatch")
        self.assertEqual(run(self.stage, "alarms")["alarms"], ("FAIL", "there are none"))
        client.put_metric_alarm(AlarmName="directput-dev-Watch-1-Throttled", MetricName="x", Namespace="directput", Period=300,
                                EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Threshold=1, Statistic="Sum")
        self.assertEqual(run(self.stage, "alarms")["alarms"], ("ok", "1, none on"))
        client.set_alarm_state(AlarmName="directput-dev-Watch-1-Throttled", StateValue="ALARM", StateReason="test")
        self.assertEqual(run(self.stage, "alarms")["alarms"][0], "FAIL")

    def test_undelivered_events_fail(self):
        client = boto3.client("sqs")
        url = client.create_queue(QueueName="dead")["QueueUrl"]
        self.stage.outputs["DeadLettersUrl"] = url
        self.assertEqual(run(self.stage, "undelivered")["undelivered"], ("ok", "empty"))
        client.send_message(QueueUrl=url, MessageBody="x")
        self.assertEqual(run(self.stage, "undelivered")["undelivered"], ("FAIL", "1 messages"))

    def test_other_prefixes_are_written_and_test_objects_are_removed(self):
        client = boto3.client("s3")
        client.create_bucket(Bucket="the-uploads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.stage.outputs["BucketName"] = "the-uploads"
        self.assertEqual(run(self.stage, "other-prefixes")["other-prefixes"], ("ok", "written"))
        self.assertNotIn("Contents", client.list_objects_v2(Bucket="the-uploads"))

    # moto does not support JSON patterns, so the test does not use the filter.
    def test_the_two_logs_are_joined_by_lambdas_id(self):
        client = boto3.client("logs")
        line = '{"status":"201","integrationRequestId":"0123456789"}'
        for group, message in [("AccessLog", line), ("FunctionLog", '{"request_id":"0123456789"}')]:
            client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName="s")
            event = {"timestamp": int(time.time() * 1000), "message": message}
            client.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
        messages = {group: [event["message"] for event in client.filter_log_events(logGroupName=group)["events"]]
                    for group in ["AccessLog", "FunctionLog"]}
        found = lambda group, pattern: [m for m in messages[group] if pattern.startswith("{") or pattern.strip('"') in m]
        with patch.object(checks, "log_lines", found):
            self.assertEqual(run(self.stage, "logs-join")["logs-join"], ("ok", "joined"))
            messages["FunctionLog"] = ['{"request_id":"another"}']
            self.assertEqual(run(self.stage, "logs-join")["logs-join"][0], "FAIL")


class Verdicts(unittest.TestCase):
    def test_each_check_is_documented(self):
        rows = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/aws-checks.md").read_text(), re.MULTILINE)
        self.assertEqual(rows, NAMES)
        for check in checks.CHECKS:
            self.assertTrue(check.__doc__.endswith("."), check.__name__)

    def test_a_check_that_breaks_fails_and_does_not_stop_the_others(self):
        def breaks(_):
            raise ConnectionRefusedError("no")
        self.assertEqual(verify.verdict(breaks, None), ("FAIL", "ConnectionRefusedError: no"))

    def test_a_gateways_answer_without_cors_headers_fails(self):
        with self.assertRaises(Wrong):
            checks.allows(Answer(429, {}, b""), ORIGIN)
        for allowed in [ORIGIN, "*"]:
            checks.allows(Answer(429, {"access-control-allow-origin": allowed}, b""), ORIGIN)
        with self.assertRaises(Wrong):
            checks.allows(Answer(429, {"access-control-allow-origin": "https://other.example"}, b""), ORIGIN)

    def test_an_answer_is_printed_without_urls(self):
        answer = Answer(403, {}, b"<Error><Code>AccessDenied</Code><Resource>https://x?X-Amz-Signature=0</Resource></Error>")
        self.assertEqual(str(answer), "403 AccessDenied")

    def test_a_high_limit_is_not_tested(self):
        with self.assertRaises(Skipped):
            checks.throttled(Stage("prod", {}, {"UploadsPerSecond": "100"}))


if __name__ == "__main__":
    unittest.main()
