"""The site: access to its files, and its security headers."""

import json
import re
import unittest

from common import PARAMETERS, RESOURCES, ROOT, SITE, TEMPLATE, fits

DISTRIBUTION = SITE["Site"]["Properties"]["DistributionConfig"]


class Site(unittest.TestCase):
    SOURCE = (ROOT / "local/src/site.rs").read_text()
    HEADERS = SITE["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]

    def test_the_site_is_optional(self):
        self.assertEqual(RESOURCES["Site"]["Condition"], "HasSite")
        self.assertEqual([name for name in RESOURCES if name.startswith("Site")], ["Site"])
        self.assertEqual(PARAMETERS["DeploySite"]["Default"], "false")

    def test_only_the_sites_distribution_reads_its_bucket(self):
        deny, allow = SITE["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual((deny["Effect"], deny["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))
        self.assertEqual(allow["Principal"], {"Service": "cloudfront.amazonaws.com"})
        self.assertEqual(allow["Action"], "s3:GetObject")
        self.assertTrue(allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(":distribution/${Site}"))

    def test_its_content_security_policy_is_equal_to_the_local_servers(self):
        here = self.HEADERS["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
        [there] = re.findall(r'CONTENT_SECURITY_POLICY: &str = "(.*?)";', self.SOURCE, re.DOTALL)
        there = re.sub(r"\\\n\s*", "", there)
        name = RESOURCES["Bucket"]["Properties"]["BucketName"]["Fn::Sub"]
        host = "${AWS::Region}.${AWS::URLSuffix}"
        # Host names of the bucket. A source with a path contains the bucket's name, so it allows no other bucket.
        bucket = f"https://{name}.s3.{host} https://{name}.s3.dualstack.{host} https://s3.{host}/{name}/ https://s3.dualstack.{host}/{name}/"
        self.assertEqual(here, there.replace("{bucket}", bucket + " ${ConnectSources}"))

    def test_a_parameter_adds_origins_to_the_policy_and_nothing_else(self):
        for value, is_good in [
            ("", True), ("https://login.example,https://eu.auth.example", True), ("*", False), ("https://*.example", False),
            ("https://a.example; script-src 'unsafe-inline'", False), ("https://a.example https://b.example", False),
        ]:
            self.assertEqual(fits("ConnectSources", value), is_good, value)
        told = RESOURCES["Site"]["Properties"]["Parameters"]["ConnectSources"]
        self.assertEqual(told, {"Fn::Join": [" ", {"Fn::Split": [",", {"Ref": "ConnectSources"}]}]})

    def test_the_page_has_sign_in_only_with_a_client_id(self):
        self.assertEqual(PARAMETERS["SiteClientId"]["Default"], "")
        output = TEMPLATE["Outputs"]["SiteSignIn"]
        self.assertEqual(output["Condition"], "HasSiteSignIn")
        text, names = output["Value"]["Fn::Sub"]
        self.assertEqual(set(json.loads(text)), {"issuer", "clientId", "scope"})
        self.assertEqual(names["Scope"], {"Fn::Join": [" ", {"Fn::Split": [",", {"Ref": "JwtScopes"}]}]})
        needed = [assertion["Assert"] for assertion in TEMPLATE["Rules"]["SiteSignsInAtTheIssuer"]["Assertions"]]
        self.assertEqual(needed, [
            {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ["JwtIssuer", "ConnectSources"]
        ])
        for value, is_good in [("4abc_DEF-1.x", True), ('x","issuer":"https://evil.example', False)]:
            self.assertEqual(fits("SiteClientId", value), is_good, value)

    def test_a_custom_domain_has_modern_tls(self):
        self.assertEqual(DISTRIBUTION["Aliases"]["Fn::If"][:2], ["HasDomain", [{"Ref": "Domain"}]])
        has_domain, certificate, _ = DISTRIBUTION["ViewerCertificate"]["Fn::If"]
        self.assertEqual((has_domain, certificate["MinimumProtocolVersion"]), ("HasDomain", "TLSv1.2_2021"))

    def test_errors_of_the_api_are_not_cached(self):
        kept = {error["ErrorCode"]: error["ErrorCachingMinTTL"] for error in DISTRIBUTION["CustomErrorResponses"]}
        # All errors that CloudFront caches by default and that can be configured.
        self.assertEqual(kept, dict.fromkeys([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504], 0))

    def test_the_site_has_an_access_log_only_if_it_is_set(self):
        self.assertEqual(DISTRIBUTION["Logging"]["Fn::If"][0], "HasSiteLog")
        logging = SITE["SiteBucket"]["Properties"]["LoggingConfiguration"]["Fn::If"]
        self.assertEqual((logging[0], logging[1]["DestinationBucketName"]), ("HasAccessLog", {"Ref": "AccessLogBucket"}))

    def test_its_other_headers_are_equal_to_the_local_servers_plus_tls(self):
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
