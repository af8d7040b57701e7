"""The site: who reads its files, and what browsers are told."""

import re
import unittest

from common import PARAMETERS, RESOURCES, ROOT


class Site(unittest.TestCase):
    SOURCE = (ROOT / "local/src/site.rs").read_text()
    HEADERS = RESOURCES["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]

    def test_nothing_of_it_is_there_unless_it_is_wanted(self):
        names = {name for name in RESOURCES if name.startswith("Site")}
        self.assertEqual(names, {"Site", "SiteAccess", "SiteBucket", "SiteBucketPolicy", "SiteHeaders"})
        for name in names:
            self.assertEqual(RESOURCES[name]["Condition"], "HasSite")
        self.assertEqual(PARAMETERS["DeploySite"]["Default"], "false")

    def test_only_this_distribution_reads_its_bucket(self):
        deny, allow = RESOURCES["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual((deny["Effect"], deny["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))
        self.assertEqual(allow["Principal"], {"Service": "cloudfront.amazonaws.com"})
        self.assertEqual(allow["Action"], "s3:GetObject")
        self.assertTrue(allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(":distribution/${Site}"))

    def test_its_content_security_policy_is_the_local_servers(self):
        here = self.HEADERS["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
        [there] = re.findall(r'CONTENT_SECURITY_POLICY: &str = "(.*?)";', self.SOURCE, re.DOTALL)
        there = re.sub(r"\\\n\s*", "", there)
        name = RESOURCES["Bucket"]["Properties"]["BucketName"]["Fn::Sub"]
        bucket = f"https://{name}.s3.${{AWS::Region}}.${{AWS::URLSuffix}}"
        self.assertEqual(here, there.replace("{bucket}", bucket))

    def test_its_other_headers_are_the_local_servers_and_tls(self):
        config = self.HEADERS["SecurityHeadersConfig"]
        self.assertEqual(set(config), {
            "ContentSecurityPolicy", "ContentTypeOptions", "FrameOptions", "ReferrerPolicy", "StrictTransportSecurity",
        })
        self.assertIn(f'X_FRAME_OPTIONS, "{config["FrameOptions"]["FrameOption"]}"', self.SOURCE)
        self.assertIn(f'REFERRER_POLICY, "{config["ReferrerPolicy"]["ReferrerPolicy"]}"', self.SOURCE)
        for item in self.HEADERS["CustomHeadersConfig"]["Items"]:
            self.assertIn(f'("{item["Header"].lower()}"), "{item["Value"]}"', self.SOURCE)


if __name__ == "__main__":
    unittest.main()
