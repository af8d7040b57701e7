"""What cfripper, the second opinion on the stack, asks that doesn't apply, and why: `make validate`."""

from cfripper.config.rule_config import RuleConfig
from cfripper.model.enums import RuleMode

OFF = RuleConfig(rule_mode=RuleMode.DISABLED)

RULES_CONFIG = {
    # Both are about the site's bucket: its files are made by `make deploy`, which can make them again, and it removes what
    # is old. The bucket of the uploads has both by parameter.
    "S3LifecycleConfigurationRule": OFF,
    "S3ObjectVersioningRule": OFF,
}
