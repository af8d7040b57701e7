"""Alarms, budget, dashboard and logs of a stack."""

import json
import re
import unittest

from common import PARAMETERS, RESOURCES, TEMPLATE, WATCH, of_type, stage

ALARMS = {name: alarm["Properties"] for name, alarm in of_type("AWS::CloudWatch::Alarm", WATCH).items()}


def metrics(alarm: dict) -> set[tuple[str, str]]:
    """Returns namespace and name of an alarm's metric."""
    if "MetricName" in alarm:
        return {(alarm["Namespace"], json.dumps(alarm["MetricName"]).strip('"'))}
    stats = [metric["MetricStat"]["Metric"] for metric in alarm["Metrics"] if "MetricStat" in metric]
    return {(metric["Namespace"], metric["MetricName"]) for metric in stats}


class Alarms(unittest.TestCase):
    def test_each_kind_of_trouble_has_an_alarm(self):
        measured = set().union(*map(metrics, ALARMS.values()))
        for wanted in [
            ("AWS/ApiGateway", "5xx"), ("AWS/Lambda", "Throttles"), ("AWS/Lambda", "Errors"), ("AWS/Lambda", "Duration"),
            ("AWS/S3", "BucketSizeBytes"), ("directput", "OpenedBytes"),
        ]:
            self.assertIn(wanted, measured)
        self.assertEqual(ALARMS["Throttled"]["MetricName"],
                         WATCH["RefusedByRate"]["Properties"]["MetricTransformations"][0]["MetricName"])

    def test_all_alarms_use_one_topic_and_ignore_missing_data(self):
        for name, alarm in ALARMS.items():
            self.assertEqual(alarm["AlarmActions"]["Fn::If"][:2], ["HasTopic", [{"Ref": "AlarmTopicArn"}]], name)
            self.assertEqual(alarm["TreatMissingData"], "notBreaching", name)

    def test_durations_are_four_fifths_of_the_timeouts(self):
        for alarm, function in [("FunctionDuration", "Function"), ("CompleteDuration", "CompleteFunction")]:
            timeout = RESOURCES[function]["Properties"]["Timeout"]
            self.assertEqual(ALARMS[alarm]["Threshold"], timeout * 800, alarm)

    def test_a_day_of_dev_is_small(self):
        self.assertEqual(int(stage("dev")["BytesPerDay"]), 1 << 30)
        for name in ["OpenedBytes", "BucketGrowth"]:
            self.assertEqual(ALARMS[name]["Threshold"], {"Ref": "BytesPerDay"})

    def test_a_budget_needs_a_topic(self):
        [assertion] = TEMPLATE["Rules"]["BudgetNeedsTopic"]["Assertions"]
        self.assertEqual(assertion["Assert"], {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]})
        for told in WATCH["Budget"]["Properties"]["NotificationsWithSubscribers"]:
            self.assertEqual(told["Subscribers"], [{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopicArn"}}])

    def test_the_dashboard_is_json_and_shows_existing_metrics(self):
        body = WATCH["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets = json.loads(re.sub(r"\$\{[\w:]+\}", "1", body))["widgets"]
        self.assertEqual({widget["type"] for widget in widgets}, {"metric"})
        places = [(widget["x"], widget["y"]) for widget in widgets]
        self.assertEqual(len(places), len(set(places)))


class Logs(unittest.TestCase):
    GROUPS = of_type("AWS::Logs::LogGroup")

    def test_log_groups_do_not_use_the_accounts_policy(self):
        self.assertEqual(set(self.GROUPS), {"AccessLog", "FunctionLog"})
        for name, group in self.GROUPS.items():
            sub, _ = group["Properties"]["LogGroupName"]["Fn::Sub"]
            self.assertTrue(sub.startswith("/aws/vendedlogs/directput-${Stage}/${Id}/"), name)

    def test_parameters_set_the_retention_of_logs_and_whether_they_outlive_the_stack(self):
        for name, group in self.GROUPS.items():
            self.assertEqual(group["Properties"]["RetentionInDays"], {"Ref": "LogDays"}, name)
            self.assertEqual(group["DeletionPolicy"], {"Fn::If": ["KeepsLogs", "RetainExceptOnCreate", "Delete"]}, name)
            self.assertEqual(group["UpdateReplacePolicy"], {"Fn::If": ["KeepsLogs", "Retain", "Delete"]}, name)
        self.assertEqual(TEMPLATE["Transform"][0], "AWS::LanguageExtensions")
        self.assertEqual(stage("prod")["KeepLogs"], "true")
        self.assertIn(stage("prod")["LogDays"], PARAMETERS["LogDays"]["AllowedValues"])

    def test_the_access_log_has_caller_and_address_and_links_to_the_functions_log(self):
        line = json.loads(RESOURCES["ApiStage"]["Properties"]["AccessLogSettings"]["Format"])
        for name, variable in {
            "requestId": "requestId", "integrationRequestId": "integration.requestId", "ip": "identity.sourceIp",
            "sub": "authorizer.claims.sub", "authorizerError": "authorizer.error",
        }.items():
            self.assertEqual(line[name], f"$context.{variable}")
        # Query, path and headers can hold tokens.
        self.assertFalse([value for value in line.values() if re.search("path|query|header|token", value, re.IGNORECASE)])

    # The status is a text in the log, so the filter must compare it with a text.
    def test_throttled_calls_are_counted_in_the_access_log(self):
        pattern = WATCH["RefusedByRate"]["Properties"]["FilterPattern"]
        self.assertEqual(pattern, '{ $.status = "429" }')
        self.assertIn('"status":"$context.status"', RESOURCES["ApiStage"]["Properties"]["AccessLogSettings"]["Format"])


if __name__ == "__main__":
    unittest.main()
