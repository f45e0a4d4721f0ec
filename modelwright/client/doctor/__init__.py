"""What a deploy and a run need, looked at before: on this machine, and in the account that is deployed to."""

from modelwright.client.doctor.account import examine_account
from modelwright.client.doctor.findings import Finding
from modelwright.client.doctor.machine import examine_machine

__all__ = ["Finding", "examine_account", "examine_machine"]
