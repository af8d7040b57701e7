"""Tests of the output of `sam build`: `make function`. Runs with the Python of cfn-lint."""

import io
import os
import re
import struct
import unittest
import zipfile
from pathlib import Path

from cfnlint.decode import cfn_yaml

BUILD = Path(os.environ["SAM_BUILD"])
RESOURCES = cfn_yaml.load(str(BUILD / "template.yaml"))["Resources"]
# Folders with the code of the functions. Functions with the same folder share one build of SAM.
FUNCTIONS = sorted({
    resource["Properties"]["CodeUri"] for resource in RESOURCES.values() if resource["Type"] == "AWS::Serverless::Function"
})
# ELF header: e_machine is 183 for AArch64 (ELF for the Arm 64-bit Architecture).
AARCH64 = 183
# Newest version of glibc that the function may need: the version in Amazon Linux 2023 (`provided.al2023`).
NEWEST_GLIBC = (2, 34)
# Maximum size of the zipped function, in bytes. The goal in bench/README.md is 3.5 MB. Lambda's own limit is 50 MB.
MAX_ZIP_BYTES = 4_000_000


def zipped(folder: Path) -> zipfile.ZipFile:
    """Packs the folder like `sam deploy`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return zipfile.ZipFile(packed)


class Package(unittest.TestCase):
    def test_both_functions_are_the_same_program(self):
        self.assertEqual(len(FUNCTIONS), 1)

    def test_each_function_contains_only_the_program(self):
        for name in FUNCTIONS:
            with zipped(BUILD / name) as file:
                self.assertEqual(file.namelist(), ["bootstrap"], name)
                mode = file.getinfo("bootstrap").external_attr >> 16
                self.assertTrue(mode & 0o001, f"{name}: everybody may run it")
                size = file.getinfo("bootstrap").compress_size
                print(f"{name}: {size} bytes zipped")
                self.assertLess(size, MAX_ZIP_BYTES, name)

    # `aws/changes.py` sends the template itself (CloudFormation quotas, "Template body size in a request").
    def test_the_template_fits_into_a_request_and_brings_its_nested_stacks(self):
        self.assertLess((BUILD / "template.yaml").stat().st_size, 51_200)
        nested = [stack["Properties"]["TemplateURL"] for stack in RESOURCES.values()
                  if stack["Type"] == "AWS::CloudFormation::Stack"]
        self.assertEqual(len(nested), 3)
        for path in nested:
            self.assertTrue((BUILD / path).is_file(), path)

    def test_it_runs_on_arm64_with_the_libraries_of_amazon_linux(self):
        for name in FUNCTIONS:
            program = (BUILD / name / "bootstrap").read_bytes()
            self.assertEqual(program[:5], b"\x7fELF\x02", f"{name}: a program of 64 bits")
            [machine] = struct.unpack_from("<H", program, 18)
            self.assertEqual(machine, AARCH64, name)
            wanted = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", program)}
            self.assertTrue(wanted)
            self.assertLessEqual(max(wanted), NEWEST_GLIBC, name)

    def test_the_program_contains_no_secret_of_the_tests(self):
        program = (BUILD / FUNCTIONS[0] / "bootstrap").read_bytes()
        for secret in [b"0123456789abcdef0123456789abcdef", b"AKID", b"BEGIN PRIVATE KEY"]:
            self.assertNotIn(secret, program)


if __name__ == "__main__":
    unittest.main()
