"""Queries to the simulator's Resource Graph in, answers out."""

from typing import Any

from simulator.arm import Response
from tests.simulator.cloud import Cloud

PATH = "/providers/Microsoft.ResourceGraph/resources"
VERSION = "2021-03-01"
NETWORKS = "resources | where type =~ 'microsoft.network/virtualnetworks'"


def ask(cloud: Cloud, query: str, *, version: str = VERSION, **body: Any) -> Response:
    """A query in, the answer out."""
    return cloud.call("POST", PATH, {"query": query, **body}, version=version)


def rows(cloud: Cloud, query: str, **body: Any) -> list[dict[str, Any]]:
    """A query in, the rows of its 200 out."""
    answer = ask(cloud, query, **body)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def names(cloud: Cloud, query: str, **body: Any) -> list[str]:
    """A query in, the names in its rows out."""
    return [row["name"] for row in rows(cloud, query, **body)]


def refused(cloud: Cloud, query: str, **body: Any) -> tuple[int, str, list[str]]:
    """A query that fails in, its status, its code and the codes of its details out."""
    answer = ask(cloud, query, **body)
    error = answer.json()["error"]
    return answer.status, error["code"], [detail["code"] for detail in error["details"]]
