"""The bucket's policy, its lifecycle rules, and its removal."""

import re
import unittest

from common import PARAMETERS, RESOURCES, ROOT, SITE, TEMPLATE, bucket_policy, many, of_type, stage

BUCKET = RESOURCES["Bucket"]["Properties"]
NOT_THE_SCAN = {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["Events", "Outputs.ScanRoleArn"]}}}
UPLOADS = {"Fn::Sub": "${Bucket.Arn}/uploads/*"}


def lifecycle() -> dict[str, dict]:
    """Returns the lifecycle rules by Id, each with its condition."""
    rules = {}
    for rule in BUCKET["LifecycleConfiguration"]["Rules"]:
        condition, rule = rule["Fn::If"][:2] if "Fn::If" in rule else (None, rule)
        rules[rule["Id"]] = {**rule, "on": condition}
    return rules


def assertions(rule: str) -> list:
    return [assertion["Assert"] for assertion in TEMPLATE["Rules"][rule]["Assertions"]]


class Access(unittest.TestCase):
    def test_nothing_is_public(self):
        buckets = of_type("AWS::S3::Bucket") | of_type("AWS::S3::Bucket", SITE)
        self.assertEqual(set(buckets), {"Bucket", "SiteBucket"})
        for name, bucket in buckets.items():
            blocks = bucket["Properties"]["PublicAccessBlockConfiguration"]
            self.assertEqual(len(blocks), 4, name)
            self.assertTrue(all(value is True for value in blocks.values()), name)

    def test_the_policy_only_denies(self):
        for sid, statement in bucket_policy().items():
            self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"), sid)

    def test_each_statement_denies_its_requests(self):
        conditions = {sid: statement["Condition"] for sid, statement in bucket_policy().items()}
        self.assertEqual(conditions, {
            "TlsOnly": {"Bool": {"aws:SecureTransport": "false"}},
            "NoOldSignatures": {"NumericGreaterThan": {"s3:signatureAge": "600000"}},
            "SignatureVersion4Only": {"StringNotEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
            "NoForms": {"StringEquals": {"s3:authType": "POST"}},
            "WriteOnce": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
            "OnlyTheFunctionWrites": {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
            "NothingIsReadUnlessClean": {
                "StringNotEquals": {"s3:ExistingObjectTag/GuardDutyMalwareScanStatus": "NO_THREATS_FOUND"}, **NOT_THE_SCAN,
            },
            "OnlyGuardDutySaysWhatIsClean": {
                "ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": "GuardDutyMalwareScanStatus"}, **NOT_THE_SCAN,
            },
        })

    # GuardDuty writes a validation object at the bucket's root, and quarantine has another prefix.
    def test_writes_outside_of_uploads_are_not_denied(self):
        writes = {sid: rule for sid, rule in bucket_policy().items() if "s3:PutObject" in many(rule["Action"])}
        self.assertEqual(len(writes), 5)
        for sid, rule in writes.items():
            self.assertEqual(rule["Resource"], UPLOADS, sid)
        whole = many(bucket_policy()["TlsOnly"]["Resource"])
        self.assertEqual(whole, [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}])

    def test_reading_is_denied_only_if_uploads_are_scanned(self):
        statements = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        on_scan = [rule["Fn::If"][1]["Sid"] for rule in statements if rule.get("Fn::If", [""])[0] == "HasScan"]
        self.assertEqual(on_scan, ["NothingIsReadUnlessClean", "OnlyGuardDutySaysWhatIsClean"])
        self.assertEqual(bucket_policy()[on_scan[0]]["Action"], ["s3:GetObject", "s3:GetObjectVersion"])
        for sid in on_scan:
            self.assertEqual(bucket_policy()[sid]["Resource"], UPLOADS, sid)

    def test_no_url_outlives_the_maximum_age_of_signatures(self):
        longest = re.search(r"MAX_URL_SECONDS: u64 = (\d+)", (ROOT / "server/src/config.rs").read_text())
        age = bucket_policy()["NoOldSignatures"]["Condition"]["NumericGreaterThan"]["s3:signatureAge"]
        self.assertEqual(int(longest[1]) * 1000, int(age))


class Life(unittest.TestCase):
    def test_kept_resources_are_removed_after_a_failed_first_deployment(self):
        policies = {name: resource.get("DeletionPolicy") for name, resource in RESOURCES.items()}
        self.assertNotIn("Retain", policies.values())
        for name in ["Bucket", "BucketPolicy"]:
            self.assertEqual(policies[name], "RetainExceptOnCreate", name)
            self.assertEqual(RESOURCES[name]["UpdateReplacePolicy"], "Retain", name)

    def test_a_bucket_with_versions_removes_deleted_objects_later(self):
        rule = lifecycle()["forget-deleted-objects"]
        self.assertEqual(rule["on"], "HasVersions")
        self.assertEqual(rule["NoncurrentVersionExpiration"], {"NoncurrentDays": {"Ref": "KeepDeletedDays"}})
        self.assertIs(rule["ExpiredObjectDeleteMarker"], True)

    def test_uploads_expire_only_if_it_is_set(self):
        rule = lifecycle()["expire-unclaimed-uploads"]
        self.assertEqual((rule["on"], rule["Prefix"]), ("HasExpiry", "uploads/"))
        self.assertEqual(rule["ExpirationInDays"], {"Ref": "ExpireDays"})
        self.assertEqual(PARAMETERS["ExpireDays"]["Default"], "0")
        self.assertEqual(stage("dev")["ExpireDays"], "1")

    def test_a_lock_has_one_of_two_modes(self):
        lock = BUCKET["ObjectLockConfiguration"]["Fn::If"][1]["Rule"]["DefaultRetention"]
        self.assertEqual(lock, {"Mode": {"Ref": "ObjectLockMode"}, "Days": {"Ref": "ObjectLockDays"}})
        self.assertEqual(PARAMETERS["ObjectLockMode"]["AllowedValues"], ["GOVERNANCE", "COMPLIANCE"])

    def test_a_lock_needs_versions_and_checksums(self):
        versions, checksums = assertions("LockNeedsVersions")
        self.assertEqual(versions, {"Fn::Equals": [{"Ref": "Versioning"}, "true"]})
        allowed, parameter = checksums["Fn::Contains"]
        self.assertEqual(parameter, {"Ref": "AllowedChecksums"})
        self.assertIn(PARAMETERS["AllowedChecksums"]["Default"], allowed)
        self.assertFalse([value for value in allowed if "none" in value])


if __name__ == "__main__":
    unittest.main()
