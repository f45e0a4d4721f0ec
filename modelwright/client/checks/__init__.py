"""All that can be known of the template before it is deployed: `modelwright synth --check`."""

from modelwright.client.checks.report import Accepted, CheckReport, Finding
from modelwright.client.checks.run import run_checks

__all__ = ["Accepted", "CheckReport", "Finding", "run_checks"]
