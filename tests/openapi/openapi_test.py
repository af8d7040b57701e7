"""Compares `docs/openapi.yaml` with the pinned messages, the errors, and a running server: `make test-openapi`.

Runs with the Python of SAM, which has libraries for YAML and JSON Schema (2020-12, the version of OpenAPI 3.1).
"""

import copy
import json
import os
import re
import subprocess
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SPEC = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
SERVER = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/directput-local"

# The pinned messages, which tests/protocol.rs compares with the Rust types.
MESSAGES = {
    "complete-upload": "CompleteUpload", "create-upload": "CreateUpload", "create-uploads": "CreateUploads", "sign-parts": "SignParts",
    "parts-listed": "PartsListed", "parts-signed": "PartsSigned", "problem": "Problem",
    "upload-completed": "UploadCompleted", "upload-created-multipart": "UploadCreated",
    "upload-created-single": "UploadCreated", "uploads-created": "UploadsCreated",
}
# Codes with which the API refuses the form of a body.
FORM = {
    "missing-field", "empty-field", "field-too-long", "wrong-type", "unknown-field", "out-of-range", "invalid-value",
}


# Values of each type, and at the limits of each range.
OTHERS = [
    None, True, 5, -1, 0, 1.5, 10_000, 10_001, 53_687_091_200_000, 53_687_091_200_001, "", "x", [], {},
    "n" * 1_024, "n" * 1_025, "a/" + "b" * 253, "a/" + "b" * 254,
]


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": SPEC["components"]})


def golden(name: str):
    return json.loads((ROOT / f"tests/golden/{name}.json").read_text())


def changed(message: dict) -> list[tuple[str, dict]]:
    """Returns variants of a message: with each field missing, of another type or out of range, and with an extra field."""
    found = [("more", message | {"somethingNew": 1})]

    def visit(value, path):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            here = [*path, key]
            for other in OTHERS:
                change(here, lambda outer, key: outer.__setitem__(key, other), f"{str(other)[:16]}")
            change(here, lambda outer, key: outer.pop(key), "left out")
            if isinstance(inner, (dict, list)):
                visit(inner, here)

    def change(path, how, words):
        other = copy.deepcopy(message)
        outer = other
        for key in path[:-1]:
            outer = outer[key]
        how(outer, path[-1])
        found.append((f"{path} {words}", other))

    visit(message, [])
    return found


class OpenApi(unittest.TestCase):
    def test_every_schema_is_valid(self):
        for name, value in SPEC["components"]["schemas"].items():
            with self.subTest(name):
                Draft202012Validator.check_schema(value)

    def test_the_pinned_messages_match_their_schemas(self):
        for name, of in MESSAGES.items():
            with self.subTest(name):
                self.assertEqual([error.message for error in schema(of).iter_errors(golden(name))], [])

    def test_the_codes_are_the_apis_codes(self):
        rows = re.findall(r"^\| `([a-z-]+)` \| (\S+) \|", (ROOT / "docs/errors.md").read_text(), re.M)
        self.assertEqual(SPEC["components"]["schemas"]["Code"]["enum"], [code for code, status in rows if status != "–"])

    def test_the_calls_are_the_routers_calls(self):
        source = (ROOT / "server/src/request.rs").read_text()
        there = {}
        for method, path in re.findall(r'\("([A-Z]+)", "(/[^"]+)", Self::', source):
            there.setdefault(path, set()).add(method.lower())
        self.assertEqual({path: set(calls) for path, calls in SPEC["paths"].items()}, there)


class Running(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        free = ["--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", "--exit-with-stdin", "--data", folder.name]
        self.server = subprocess.Popen(
            [SERVER, *free], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"RUST_LOG": "off", "MAX_FILE_BYTES": "53687091200000"})
        self.addCleanup(self.server.communicate)
        ready = dict(pair.split("=", 1) for pair in self.server.stdout.readline().split()[1:])
        self.api = self.other_host(ready) if "API_HOST" in os.environ else ready["page"] + "/uploads"

    def other_host(self, ready: dict[str, str]) -> str:
        """Starts the host of the API that API_HOST names, with the server's S3. Returns the address of its API."""
        settings = {
            "BUCKET": ready["bucket"], "AWS_REGION": "us-east-1", "S3_ENDPOINT": ready["s3"], "TOKEN_KEY": "k" * 32,
            "AWS_ACCESS_KEY_ID": ready["access_key"], "AWS_SECRET_ACCESS_KEY": ready["secret_key"],
            "MAX_FILE_BYTES": "53687091200000",
        }
        host = subprocess.Popen(["node", ROOT / os.environ["API_HOST"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, env=os.environ | settings)
        self.addCleanup(host.communicate)
        return host.stdout.readline().split("api=")[1].strip()

    def post(self, path: str, body, token: str = "") -> tuple[int, dict]:
        headers = {"content-type": "application/json", "upload-token": token}
        request = urllib.request.Request(self.api + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def agree(self, of: str, path: str, message: dict, token: str = ""):
        """Checks that the schema accepts a body if and only if the API does not refuse its form."""
        cases = changed(message)
        for words, body in cases:
            with self.subTest(f"{of}: {words}"):
                status, reply = self.post(path, body, token)
                # The checksum that a part needs depends on another field. The schema states this only in its
                # description.
                is_its_form = not reply.get("detail", "").startswith("this upload is verified by")
                is_refused = status == 400 and reply["code"] in FORM and is_its_form
                self.assertEqual(schema(of).is_valid(body), not is_refused, reply)
                answer = {201: "UploadCreated", 200: "PartsSigned"}.get(status, "Problem")
                self.assertEqual([error.message for error in schema(answer).iter_errors(reply)], [])
        print(f"{of}: {len(cases)} bodies")

    def test_schema_and_api_agree_about_opening_an_upload(self):
        self.agree("CreateUpload", "", golden("create-upload"))

    def test_schema_and_api_agree_about_each_file_of_a_batch(self):
        cases = changed(golden("create-upload"))
        for start in range(0, len(cases), 100):
            batch = cases[start:start + 100]
            status, reply = self.post("/batch", {"uploads": [body for _, body in batch]})
            self.assertEqual((status, len(reply["uploads"])), (200, len(batch)))
            self.assertEqual([error.message for error in schema("UploadsCreated").iter_errors(reply)], [])
            for (words, body), entry in zip(batch, reply["uploads"]):
                with self.subTest(words):
                    # The schema states only in its descriptions which uploads a batch refuses, and which checksum a
                    # part needs.
                    detail = entry.get("detail", "")
                    is_its_form = not detail.startswith("this upload is verified by") and "batch" not in detail \
                        and detail != "expected the checksum of the whole file"
                    is_refused = entry.get("code") in FORM and is_its_form
                    self.assertEqual(schema("CreateUpload").is_valid(body), not is_refused, entry)
        for uploads in [[], [golden("create-upload")] * 129, {}, None, "x"]:
            status, reply = self.post("/batch", {"uploads": uploads})
            self.assertEqual((status, reply["field"]), (400, "uploads"), reply)

    def test_schema_and_api_agree_about_signing_parts(self):
        _, opened = self.post("", golden("create-upload") | {"size": 20 << 20, "parts": []})
        self.agree("SignParts", "/parts", golden("sign-parts"), opened["token"])


if __name__ == "__main__":
    unittest.main()
