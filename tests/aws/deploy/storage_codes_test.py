"""Holds the codes that lambda/src/refusal.rs knows against S3's own: the list in the SDKs' model of S3, as botocore ships it."""

import re
import unittest
from pathlib import Path

import botocore.loaders

ROOT = Path(__file__).resolve().parents[3]
KNOWN = set(re.findall(r"[\w.]+", (ROOT / "lambda/src/refusal.rs").read_text()))


class StorageCodes(unittest.TestCase):
    def test_each_code_of_the_model_has_a_meaning_or_is_of_another_call(self):
        model = botocore.loaders.Loader().load_service_model("s3", "service-2")
        described = model["shapes"]["Error"]["members"]["Code"]["documentation"]
        listed = set(re.findall(r"<i>Code:</i>\s*(\w[\w.]*)\s*</p>", described))
        self.assertGreater(len(listed), 70, "the model describes S3's codes otherwise than it did")
        self.assertEqual(listed - KNOWN, set())

    def test_each_error_that_a_call_declares_has_a_meaning(self):
        model = botocore.loaders.Loader().load_service_model("s3", "service-2")
        calls = ["CreateMultipartUpload", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload"]
        declared = {error["shape"] for call in calls for error in model["operations"][call].get("errors", [])}
        self.assertIn("NoSuchUpload", declared)
        self.assertEqual(declared - KNOWN, set())
        special = re.findall(r"Error Code: <code>(\w+)</code>", model["operations"]["CompleteMultipartUpload"]["documentation"])
        self.assertGreaterEqual(set(special), {"EntityTooSmall", "InvalidPart", "InvalidPartOrder", "NoSuchUpload"})
        self.assertEqual(set(special) - KNOWN, set())


if __name__ == "__main__":
    unittest.main()
