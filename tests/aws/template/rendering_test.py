"""The templates that are rendered for the linters, with every condition true."""

import sys
import unittest

from cfnlint.decode import cfn_yaml

from common import ROOT

sys.path.insert(0, str(ROOT / "aws"))
from render import render, templates  # noqa: E402

TEMPLATES = templates()


def keys(value) -> set[str]:
    """Returns all keys in a nested value."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


class Rendering(unittest.TestCase):
    def test_a_rendered_template_has_every_resource_and_no_condition(self):
        self.assertTrue({"template.yaml", "events.yaml", "site.yaml", "watch.yaml"} <= {path.name for path in TEMPLATES})
        for path in TEMPLATES:
            template = cfn_yaml.load(str(path))
            rendered = render(template)
            self.assertEqual(set(rendered["Resources"]), set(template["Resources"]), path.name)
            self.assertFalse({"Fn::If", "Conditions"} & keys(rendered), path.name)
            self.assertFalse([item for item in rendered["Resources"].values() if "Condition" in item], path.name)

    def test_a_rendered_template_has_conditional_properties(self):
        rendered = render(cfn_yaml.load(str(ROOT / "aws/site.yaml")))
        distribution = rendered["Resources"]["Site"]["Properties"]["DistributionConfig"]
        self.assertEqual(distribution["ViewerCertificate"]["MinimumProtocolVersion"], "TLSv1.2_2021")
        rendered = render(cfn_yaml.load(str(ROOT / "aws/template.yaml")))
        self.assertEqual(rendered["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"], {"Status": "Enabled"})
        self.assertEqual(rendered["Resources"]["CreateRoute"]["Properties"]["AuthorizationType"], "JWT")

    def test_every_parameter_has_a_value(self):
        for path in TEMPLATES:
            for name, parameter in render(cfn_yaml.load(str(path)))["Parameters"].items():
                self.assertTrue(parameter["Default"], f"{path.name}: {name}")


if __name__ == "__main__":
    unittest.main()
