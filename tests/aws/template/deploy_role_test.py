"""Rights of the workflow that deploys, and the conditions on its identity."""

import re
import unittest

import yaml
from cfnlint.decode import cfn_yaml

from common import EVENTS, OPERATIONS, ROOT, flat, many, of_type

ROLES = cfn_yaml.load(str(ROOT / "aws/deploy-role.yaml"))["Resources"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())


def statements(role: str) -> list[dict]:
    [policy] = ROLES[role]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def actions(role: str) -> set[str]:
    return {action for statement in statements(role) for action in many(statement["Action"])}


def boundary() -> set[str]:
    bounds = ROLES["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    return {action for statement in bounds for action in many(statement["Action"])}


class Trust(unittest.TestCase):
    def test_only_one_environment_of_one_repository_can_assume_each_role(self):
        for role, environment in [("Plan", "${Stage}-plan"), ("Apply", "${Stage}")]:
            [trust] = ROLES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            # Not a pattern: StringLike could match other branches and forks by accident.
            self.assertEqual(trust["Condition"], {"StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": {"Fn::Sub": f"repo:${{Repository}}:environment:{environment}"},
            }}, role)

    def test_only_cloudformation_makes_changes(self):
        [trust] = ROLES["Executor"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(trust["Principal"], {"Service": "cloudformation.amazonaws.com"})


class Rights(unittest.TestCase):
    def test_planning_and_executing_are_separate_roles(self):
        self.assertNotIn("cloudformation:ExecuteChangeSet", actions("Plan"))
        self.assertFalse({"cloudformation:CreateChangeSet", "iam:PassRole"} & actions("Apply"))
        for role in ["Plan", "Apply"]:
            self.assertFalse({"cloudformation:UpdateStack", "cloudformation:CreateStack"} & actions(role), role)

    def test_no_role_has_all_actions_of_a_service(self):
        for role in ["Plan", "Apply", "Executor"]:
            for statement in statements(role):
                self.assertFalse([action for action in many(statement["Action"]) if "*" in action], role)
                if "*" in many(statement["Resource"]):
                    self.assertEqual(statement["Sid"], "WithoutResource")

    def test_a_deployment_has_no_actions_on_uploads(self):
        in_reach = {action for action in actions("Executor") if action.startswith("s3:")} - {"s3:GetObject"}
        self.assertFalse([action for action in in_reach if "Object" in action and "ObjectLock" not in action])
        [reads] = [rule for rule in statements("Executor") if "s3:GetObject" in many(rule["Action"])]
        self.assertEqual(reads["Resource"], {"Fn::Sub": "${Artifacts.Arn}/*"})
        [writes] = [rule for rule in statements("Apply") if "s3:PutObject" in many(rule["Action"])]
        self.assertEqual(writes["Resource"], [{"Fn::Sub": "arn:${AWS::Partition}:s3:::directput-${Stage}-site-*"}])

    def test_new_roles_must_have_the_boundary(self):
        for action in ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"]:
            [statement] = [rule for rule in statements("Executor") if action in many(rule["Action"])]
            self.assertEqual(statement["Condition"], {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}, action)
        self.assertFalse({"iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:CreateUser"} & actions("Executor"))

    def test_the_boundary_allows_the_actions_of_the_stacks_roles(self):
        roles = of_type("AWS::IAM::Role") | of_type("AWS::IAM::Role", EVENTS)
        self.assertEqual(set(roles), {"Role", "ScanRole", "TellRole"})
        for name, role in roles.items():
            properties = role["Properties"]
            bounded = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
            self.assertEqual(properties["PermissionsBoundary"], bounded, name)
            documents = [policy["PolicyDocument"]["Statement"] for policy in properties["Policies"]]
            found = {action for rules in documents for rule in flat(rules) for action in many(rule["Action"])}
            self.assertTrue(found, name)
            self.assertFalse(found - boundary(), name)
        self.assertFalse(set(OPERATIONS.values()) - boundary())


class Workflow(unittest.TestCase):
    JOBS = WORKFLOW["jobs"]

    def test_actions_are_pinned_by_commit(self):
        for name, job in self.JOBS.items():
            for step in job["steps"]:
                if "uses" in step:
                    self.assertRegex(step["uses"], r"^[\w-]+/[\w-]+@[0-9a-f]{40}$", name)

    def test_a_job_has_only_the_rights_that_it_needs(self):
        self.assertEqual(WORKFLOW["permissions"], {})
        for name, job in self.JOBS.items():
            self.assertEqual(job["permissions"], {"contents": "read", "id-token": "write"}, name)

    def test_executing_needs_a_plan_of_the_same_run_and_a_reviewer(self):
        plan, execute = self.JOBS["plan"], self.JOBS["apply"]
        self.assertEqual(execute["needs"], "plan")
        self.assertEqual((plan["environment"], execute["environment"]), ("${{ inputs.stage }}-plan", "${{ inputs.stage }}"))
        self.assertEqual(WORKFLOW["env"]["CHANGES"], "run-${{ github.run_id }}")

    def test_no_script_contains_an_input(self):
        for job in self.JOBS.values():
            for step in job["steps"]:
                self.assertNotIn("${{", step.get("run", ""))

    def test_it_calls_existing_make_targets(self):
        makefile = (ROOT / "Makefile").read_text()
        called = re.findall(r"make (?:--[\w-]+ )?([a-z ]+)", str(self.JOBS))
        self.assertTrue(called)
        for target in " ".join(called).split():
            self.assertIn(f"\n{target}:", makefile)


if __name__ == "__main__":
    unittest.main()
