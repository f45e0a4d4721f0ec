"""Where a subnet's traffic goes, of what EC2 describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ANYWHERE = "0.0.0.0/0"
_INTERFACE = "Interface"


@dataclass(frozen=True)
class Routes:
    """The route tables of a VPC, and its endpoints for S3."""

    tables: Sequence[Mapping[str, Any]]
    endpoints: Sequence[Mapping[str, Any]]

    def reaches_s3(self, subnet: str) -> bool:
        """Tell whether what has no public address in the subnet reaches S3: by an endpoint, or out of the VPC."""
        table = table_of(self.tables, subnet)
        by_gateway = any(table in each["RouteTableIds"] for each in self.endpoints)
        by_interface = any(
            each["VpcEndpointType"] == _INTERFACE and each["PrivateDnsEnabled"] for each in self.endpoints
        )
        return by_gateway or by_interface or self.leads_out(subnet)

    def leads_out(self, subnet: str) -> bool:
        """Tell whether what has no public address in the subnet reaches the internet."""
        table = table_of(self.tables, subnet)
        return any(_leads_out(each) for each in self.tables if each["RouteTableId"] == table)


def s3_endpoints(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those that are for S3 and can be used; every one has all the members that are looked at."""
    default = {"RouteTableIds": [], "PrivateDnsEnabled": False}
    return [
        {**default, **each}
        for each in found
        if each["ServiceName"].endswith(".s3") and each["State"].lower() == "available"
    ]


def table_of(tables: Iterable[Mapping[str, Any]], subnet: str) -> str | None:
    """Return the id of the subnet's own route table, or else of the VPC's main one.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    """
    main = None
    for table in tables:
        for link in table.get("Associations", []):
            if link.get("SubnetId") == subnet:
                return str(table["RouteTableId"])
            if link.get("Main"):
                main = str(table["RouteTableId"])
    return main


def _leads_out(table: Mapping[str, Any]) -> bool:
    """An internet gateway needs a public address, which jobs do not have."""
    for route in table.get("Routes", []):
        anywhere = route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State") == "active"
        if anywhere and not str(route.get("GatewayId", "")).startswith("igw-"):
            return True
    return False
