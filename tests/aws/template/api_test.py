"""Callers, origins and rates of the API."""

import re
import unittest

from common import PARAMETERS, RESOURCES, ROOT, TEMPLATE, fits, of_type, stage


class SignIn(unittest.TestCase):
    def test_every_route_has_the_authorizer_if_the_stack_has_one(self):
        routes = {name: route["Properties"] for name, route in of_type("AWS::ApiGatewayV2::Route").items()}
        self.assertEqual({route["RouteKey"] for route in routes.values()}, {
            "POST /uploads", "POST /uploads/batch", "DELETE /uploads", "POST /uploads/parts", "GET /uploads/parts", "POST /uploads/complete",
        })
        for name, route in routes.items():
            self.assertEqual(route["AuthorizationType"], {"Fn::If": ["HasSignIn", "JWT", "NONE"]}, name)
            self.assertEqual(route["AuthorizerId"]["Fn::If"][:2], ["HasSignIn", {"Ref": "Authorizer"}], name)
            scopes = {"Fn::Split": [",", {"Ref": "JwtScopes"}]}
            self.assertEqual(route["AuthorizationScopes"]["Fn::If"][:2], ["HasScopes", scopes], name)

    def test_a_stack_without_sign_in_must_allow_anonymous_callers_explicitly(self):
        [assertion] = TEMPLATE["Rules"]["SignInOrSayOtherwise"]["Assertions"]
        self.assertEqual(assertion["Assert"], {"Fn::Or": [
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]},
            {"Fn::Equals": [{"Ref": "AllowAnonymous"}, "true"]},
        ]})
        self.assertEqual(PARAMETERS["AllowAnonymous"]["Default"], "false")

    def test_tokens_for_other_audiences_are_refused(self):
        rule = TEMPLATE["Rules"]["IssuerNeedsAudience"]
        self.assertEqual(rule["RuleCondition"], {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]})
        [assertion] = rule["Assertions"]
        self.assertEqual(assertion["Assert"], {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtAudience"}, ""]}]})
        for value, is_good in [("", True), ("app", True), ("app,admin", True), ("app,", False), (",", False)]:
            self.assertEqual(fits("JwtAudience", value), is_good, value)

    def test_the_function_itself_refuses_anonymous_calls(self):
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["NEEDS_CALLER"], {"Fn::If": ["HasSignIn", "true", "false"]})


class Downloads(unittest.TestCase):
    def test_downloads_have_file_names_only_if_the_stack_sets_it(self):
        self.assertEqual(PARAMETERS["DownloadNames"]["Default"], "none")
        # The values that lambda/src/download.rs accepts.
        self.assertEqual(PARAMETERS["DownloadNames"]["AllowedValues"], ["none", "attachment", "inline"])
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["DOWNLOAD_NAMES"], {"Ref": "DownloadNames"})

    def test_the_buckets_cors_rule_allows_the_header_of_the_name(self):
        condition, cors, _ = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
        for rule in cors["CorsRules"]:
            self.assertIn("content-disposition", rule["AllowedHeaders"])


class Lanes(unittest.TestCase):
    def test_pages_may_use_the_names_that_every_bucket_has(self):
        self.assertEqual(PARAMETERS["Lanes"]["Default"], "regional,dualstack,path")
        variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["LANES"], {"Ref": "Lanes"})
        # The values that lambda/src/lane.rs accepts.
        for value, is_good in [
            ("regional", True), ("dualstack-path,path", True), ("", False), ("regional,", False), ("accelerate", False),
            ("regional dualstack", False),
        ]:
            self.assertEqual(fits("Lanes", value), is_good, value)


class Origins(unittest.TestCase):
    def test_only_dev_allows_pages_of_this_machine(self):
        self.assertEqual(stage("dev")["AllowedOrigins"], "http://127.0.0.1:8080")
        self.assertNotIn("http:", stage("prod")["AllowedOrigins"])
        self.assertEqual(PARAMETERS["AllowedOrigins"]["Default"], "")

    def test_an_origin_has_the_form_that_browsers_send(self):
        for value in ["", "https://a.example", "https://a.example:8443,http://localhost:3000", "http://127.0.0.1:8080"]:
            self.assertTrue(fits("AllowedOrigins", value), value)
        for value in ["*", "https://*.example", "https://a.example/", "http://a.example", "https://a.example,", "null"]:
            self.assertFalse(fits("AllowedOrigins", value), value)

    def test_api_and_bucket_allow_the_same_origins_and_the_bucket_also_the_site(self):
        api = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
        self.assertEqual(api[0], "HasOrigins")
        self.assertEqual(api[1]["AllowOrigins"], {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]})
        condition, cors, _ = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
        self.assertEqual(condition, "HasPages")
        [comma, (has_site, with_site, without)] = (
            lambda split: [split[0], split[1]["Fn::If"]])(cors["CorsRules"][0]["AllowedOrigins"]["Fn::Split"])
        self.assertEqual((comma, has_site, without), (",", "HasSite", {"Ref": "AllowedOrigins"}))
        self.assertEqual(with_site["Fn::If"], [
            "HasOrigins", {"Fn::Sub": "${AllowedOrigins},${Site.Outputs.Url}"}, {"Fn::GetAtt": ["Site", "Outputs.Url"]},
        ])

    def test_the_buckets_cors_rule_is_equal_to_the_local_servers(self):
        source = (ROOT / "local/src/site.rs").read_text()
        [rule] = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"][1]["CorsRules"]
        for name, key in [("BUCKET_HEADERS", "AllowedHeaders"), ("BUCKET_EXPOSED", "ExposedHeaders")]:
            [there] = re.findall(rf"const {name}: .*?=\s*\[(.*?)\];", source, re.DOTALL)
            self.assertEqual(rule[key], re.findall(r'"([^"]+)"', there), name)


class Address(unittest.TestCase):
    # Callers could use a second address of the API to bypass a web ACL in front of the site.
    def test_an_api_with_its_own_domain_has_no_other_address(self):
        closed = RESOURCES["Api"]["Properties"]["DisableExecuteApiEndpoint"]
        self.assertEqual(closed, {"Fn::If": ["HasApiDomain", True, False]})
        [name] = RESOURCES["ApiName"]["Properties"]["DomainNameConfigurations"]
        self.assertEqual((name["SecurityPolicy"], name["EndpointType"]), ("TLS_1_2", "REGIONAL"))
        site = RESOURCES["Site"]["Properties"]["Parameters"]["ApiHost"]["Fn::If"]
        self.assertEqual(site[:2], ["HasApiDomain", {"Ref": "ApiDomain"}])
        endpoint = TEMPLATE["Outputs"]["Endpoint"]["Value"]["Fn::If"]
        self.assertEqual(endpoint[:2], ["HasApiDomain", {"Fn::Sub": "https://${ApiDomain}/uploads"}])

    def test_domains_need_certificates(self):
        site, api = TEMPLATE["Rules"]["DomainsNeedCertificates"]["Assertions"]
        for assertion, name in [(site, "Site"), (api, "Api")]:
            self.assertEqual(assertion["Assert"], {"Fn::Or": [
                {"Fn::Equals": [{"Ref": f"{name}Domain"}, ""]},
                {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{name}CertificateArn"}, ""]}]},
            ]})


class Limits(unittest.TestCase):
    def test_opening_uploads_has_a_lower_rate_than_other_calls(self):
        properties = RESOURCES["ApiStage"]["Properties"]
        self.assertEqual(properties["DefaultRouteSettings"]["ThrottlingRateLimit"], {"Ref": "CallsPerSecond"})
        opening = properties["RouteSettings"]["POST /uploads"]
        self.assertEqual(opening["ThrottlingRateLimit"], {"Ref": "UploadsPerSecond"})
        rate = lambda name: int(PARAMETERS[name]["Default"])
        batches = properties["RouteSettings"]["POST /uploads/batch"]
        self.assertEqual(batches["ThrottlingRateLimit"], {"Ref": "BatchesPerSecond"})
        self.assertLess(rate("BatchesPerSecond"), rate("UploadsPerSecond"))
        self.assertLess(rate("UploadsPerSecond"), rate("CallsPerSecond"))

    def test_an_anonymous_stage_has_small_limits(self):
        dev = stage("dev")
        self.assertEqual(dev["AllowAnonymous"], "true")
        self.assertLessEqual(int(dev["UploadsPerSecond"]), 2)
        self.assertLessEqual(int(dev["MaxFileSize"]), 100 << 20)

    # CloudFormation's JSON turns 53687091200 into 5.36870912E10, which the function refuses.
    def test_numbers_are_quoted(self):
        numbers = {name: value for name, value in PARAMETERS.items() if value["Type"] == "Number"}
        self.assertTrue(numbers)
        for name, parameter in numbers.items():
            for key in {"Default", "MinValue", "MaxValue"} & set(parameter):
                self.assertIsInstance(parameter[key], str, f"{name}.{key}")


if __name__ == "__main__":
    unittest.main()
