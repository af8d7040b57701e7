"""The web ACL in front of the site: another spelling of a path or a token does not bypass it."""

import posixpath
import unittest
from urllib.parse import unquote

from cfnlint.decode import cfn_yaml

from common import ROOT

ACL = cfn_yaml.load(str(ROOT / "aws/web-acl.yaml"))["Resources"]["WebAcl"]["Properties"]
RULES = {rule["Name"]: rule["Statement"]["RateBasedStatement"] for rule in ACL["Rules"]}
# Emulation of AWS WAF's text transformations (AWS WAF Developer Guide, "Text transformations").
TRANSFORMATIONS = {
    "NONE": lambda text: text,
    "URL_DECODE": unquote,
    "NORMALIZE_PATH": lambda path: posixpath.normpath(path.replace("//", "/")) + "/" * path.endswith("/"),
    "COMPRESS_WHITE_SPACE": lambda text: " ".join(text.split()),
    "LOWERCASE": str.lower,
}


def transform(text: str, transformations: list[dict]) -> str:
    for step in sorted(transformations, key=lambda step: step["Priority"]):
        text = TRANSFORMATIONS[step["Type"]](text)
    return text


def matches(statement: dict, method: str, path: str) -> bool:
    """Returns whether a request is counted."""
    [(kind, body)] = statement.items()
    if kind == "AndStatement":
        return all(matches(part, method, path) for part in body["Statements"])
    if kind == "NotStatement":
        return not matches(body["Statement"], method, path)
    text = transform(method if "Method" in body["FieldToMatch"] else path, body["TextTransformations"])
    wanted = body["SearchString"]
    return text == wanted if body["PositionalConstraint"] == "EXACTLY" else text.startswith(wanted)


class WebAcl(unittest.TestCase):
    def test_opening_an_upload_is_counted_for_every_spelling_of_the_path(self):
        for name, rule in RULES.items():
            counted = lambda method, path: matches(rule["ScopeDownStatement"], method, path)
            for path in ["/uploads", "/%75ploads", "//uploads", "/uploads/", "/x/../uploads", "/uploads/parts/..", "/uploads/batch"]:
                self.assertTrue(counted("POST", path), f"{name}: {path}")
            for method, path in [
                ("POST", "/uploads/parts"), ("POST", "/uploads/complete"), ("POST", "/uploads/./parts"),
                ("GET", "/uploads"), ("DELETE", "/uploads"), ("POST", "/other"),
            ]:
                self.assertFalse(counted(method, path), f"{name}: {method} {path}")

    def test_every_spelling_of_a_token_counts_as_one_caller(self):
        [key] = RULES["UploadsOfCaller"]["CustomKeys"]
        self.assertEqual(key["Header"]["Name"], "authorization")
        written = {transform(text, key["Header"]["TextTransformations"]) for text in [
            "Bearer ey.J9", "bearer ey.J9", "Bearer   ey.J9", " Bearer ey.J9 ",
        ]}
        self.assertEqual(len(written), 1)


if __name__ == "__main__":
    unittest.main()
