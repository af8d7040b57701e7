"""Compares the codes in server/src/s3/refusal.rs with the list in the SDKs' model of S3, which is part of botocore."""

import re
import unittest
from pathlib import Path

import botocore.loaders

ROOT = Path(__file__).resolve().parents[3]
KNOWN = set(re.findall(r"[\w.]+", (ROOT / "server/src/s3/refusal.rs").read_text()))


class StorageCodes(unittest.TestCase):
    def test_each_code_of_the_model_is_in_the_source(self):
        model = botocore.loaders.Loader().load_service_model("s3", "service-2")
        described = model["shapes"]["Error"]["members"]["Code"]["documentation"]
        listed = set(re.findall(r"<i>Code:</i>\s*(\w[\w.]*)\s*</p>", described))
        self.assertGreater(len(listed), 70, "the model's description of S3's codes has changed")
        self.assertEqual(listed - KNOWN, set())

    def test_each_declared_error_of_a_call_is_in_the_source(self):
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
