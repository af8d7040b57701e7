"""Events of uploads, and malware scans."""

import unittest

from common import EVENTS, RESOURCES, TEMPLATE, fits, flat, many

BUCKET_ARN = "arn:${AWS::Partition}:s3:::${BucketName}"


def targets(rule: str) -> dict[str, dict]:
    """Returns a rule's targets by condition."""
    return {target["Fn::If"][0]: target["Fn::If"][1] for target in EVENTS[rule]["Properties"]["Targets"]}


class News(unittest.TestCase):
    def test_events_are_only_of_complete_objects_below_uploads(self):
        pattern = EVENTS["Stored"]["Properties"]["EventPattern"]
        self.assertEqual((pattern["source"], pattern["detail-type"]), (["aws.s3"], ["Object Created"]))
        self.assertEqual(pattern["detail"]["bucket"]["name"], [{"Ref": "BucketName"}])
        self.assertEqual(pattern["detail"]["object"]["key"], [{"prefix": "uploads/"}])

    def test_events_of_scans_have_the_same_targets(self):
        self.assertEqual(EVENTS["Scanned"]["Condition"], "NotifiesOfScans")
        detail = EVENTS["Scanned"]["Properties"]["EventPattern"]["detail"]["s3ObjectDetails"]
        self.assertEqual(detail, {"bucketName": [{"Ref": "BucketName"}], "objectKey": [{"prefix": "uploads/"}]})
        self.assertEqual(targets("Scanned"), targets("Stored"))

    def test_events_go_to_url_and_queue_and_failed_ones_are_kept(self):
        found = targets("Stored")
        self.assertEqual(found["HasUrl"]["Arn"], {"Fn::GetAtt": ["Destination", "Arn"]})
        self.assertEqual(found["HasQueue"]["Arn"], {"Ref": "NotifyQueueArn"})
        for target in found.values():
            self.assertEqual(target["DeadLetterConfig"], {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}})
        [allowed] = EVENTS["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual(allowed["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(allowed["Condition"]["ArnEquals"]["aws:SourceArn"][0], {"Fn::GetAtt": ["Stored", "Arn"]})
        self.assertEqual(EVENTS["Undelivered"]["Properties"]["Threshold"], 1)

    def test_requests_carry_a_secret_of_the_stack(self):
        key = EVENTS["Connection"]["Properties"]["AuthParameters"]["ApiKeyAuthParameters"]
        self.assertEqual(key, {
            "ApiKeyName": "x-directput-key", "ApiKeyValue": {"Fn::Sub": "{{resolve:secretsmanager:${NotifySecret}}}"},
        })
        self.assertFalse(fits("NotifyUrl", "http://api.example.com"))

    def test_the_bucket_sends_events_only_if_a_parameter_needs_them(self):
        needs = TEMPLATE["Conditions"]["NeedsEvents"]["Fn::Or"]
        self.assertEqual(needs, [{"Condition": "Notifies"}, {"Condition": "HasScan"}])
        self.assertEqual(TEMPLATE["Conditions"]["HasEvents"]["Fn::Or"][0], {"Condition": "NeedsEvents"})
        notification = RESOURCES["Bucket"]["Properties"]["NotificationConfiguration"]["Fn::If"]
        self.assertEqual(notification[:2], ["HasEvents", {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}])
        self.assertEqual(RESOURCES["Events"]["Condition"], "NeedsEvents")


class Scan(unittest.TestCase):
    def test_uploads_are_scanned_and_tagged(self):
        plan = EVENTS["Scan"]["Properties"]
        self.assertEqual(plan["ProtectedResource"]["S3Bucket"]["ObjectPrefixes"], ["uploads/"])
        self.assertEqual(plan["Actions"], {"Tagging": {"Status": "ENABLED"}})

    def test_the_scan_role_reads_and_tags_uploads_and_writes_only_guarddutys_object(self):
        [policy] = EVENTS["ScanRole"]["Properties"]["Policies"]
        statements = flat(policy["PolicyDocument"]["Statement"])
        on = {action: rule["Resource"] for rule in statements for action in many(rule["Action"])}
        self.assertEqual(on["s3:PutObject"]["Fn::Sub"], f"{BUCKET_ARN}/malware-protection-resource-validation-object")
        for action in ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]:
            self.assertEqual(on[action]["Fn::Sub"], f"{BUCKET_ARN}/uploads/*", action)
        self.assertFalse([action for action in on if "*" in action or "Delete" in action and action.startswith("s3:")])
        [trust] = EVENTS["ScanRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(trust["Principal"], {"Service": "malware-protection-plan.guardduty.amazonaws.com"})


if __name__ == "__main__":
    unittest.main()
