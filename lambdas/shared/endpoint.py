"""What the handlers that look at an endpoint agree on.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""

from __future__ import annotations

from typing import Any

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""The statuses that pass by themselves."""

FROM_ZERO = "from-zero"
"""The policy that starts the first machine of an endpoint that has none; its alarm is ours, not Auto Scaling's."""
Target = dict[str, Any]
"""How a variant scales: `{variant, min, max, policies: [{PolicyName, PolicyType, <the type's configuration>}]}`"""
