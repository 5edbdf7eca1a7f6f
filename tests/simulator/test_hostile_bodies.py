"""Bodies of every modelled type with one thing wrong in them: each is answered in ARM's words, and all stays whole."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulator.arm import Arm, Dropped, ManualClock, Request, Response, bearer
from tests.simulator.cloud import GROUP, NETWORK
from tests.simulator.valid_bodies import BODIES, ESTATE, OTHER

HOSTILE: Any = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 28, 2**63, -(2**70), 10**400, 1e308, float("nan"), float("inf"), 0.1),
        *(
            "",
            " ",
            "x",
            "/",
            "\x00",
            "\ud800",
            "\U0001f4a9",
            "\u0131",
            "x" * 100_000,
            "10.0.0.0/33",
            "10.0.0.0/0",
            "::/0",
        ),
        *(
            "10.0.0.1/24",
            "999.0.0.0/8",
            "10.0.0.0/24",
            "2001:db8::/64",
            "\u0661.\u0660.\u0660.\u0660/8",
            "1/2/3",
            "%s%n",
            "*",
            "eastus",
        ),
        *("/subscriptions", f"/subscriptions/{OTHER}", f"{NETWORK}/virtualNetworks", f"{NETWORK}//natGateways/n"),
        *(
            f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Network/{kind}/x"
            for kind in ("natGateways",)
        ),
        *(f"{NETWORK}/natGateways/n", f"{NETWORK}/virtualNetworks/v", f"{NETWORK}/virtualNetworks/v/subnets/s"),
        *(f"{NETWORK}/publicIPAddresses/p", f"{NETWORK}/loadBalancers/l/backendAddressPools/b", "/providers/x/y/z"),
        *([], {}, [[]], [None], [{}], [[], {}], {"": ""}, {"id": 5}, {"id": None}, {"name": []}, ["x"] * 500),
        *({"id": f"{NETWORK}/networkSecurityGroups/g"}, {"properties": []}, {"properties": None}, {"name": "a/b"}),
        "DEEP",
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """A JSON value in, where all values inside it stand out."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        found += places(member, (*path, key))
    return found


def spoiled(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A body, a place in it and what is put there in, the body with it out."""
    copy = json.loads(json.dumps(body))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copy


def written(body: Any) -> bytes:
    """A body in, its bytes out: with NaN and half of surrogate pairs, as careless clients send them."""
    return json.dumps(body).replace('"DEEP"', "[" * 400 + "]" * 400).encode()


@st.composite
def spoiled_requests(draw: st.DrawFn) -> Request:
    """A PUT (mostly) of a valid body in which one, two or three values are others."""
    path = draw(st.sampled_from(list(BODIES)))
    body: Any = BODIES[path]
    for _ in range(draw(st.integers(1, 3))):
        choices = [place for place in places(body) if len(place) > 1] or places(body)
        if choices:
            body = spoiled(body, draw(st.sampled_from(choices)), draw(HOSTILE))
    method = "POST" if "/simulator/" in path or path.endswith("ResourceGraph/resources") else "PUT"
    method = draw(st.sampled_from([method] * 6 + ["PATCH", "DELETE", "GET"]))
    version = draw(st.sampled_from(["2024-05-01"] * 9 + ["2022-07-01"]))
    if "Management/" in path or "ResourceGraph" in path:
        version = "2021-03-01"
    return Request(method, f"{path}?api-version={version}", bearer(), written(body))


def told(answer: Response) -> None:
    """An answer in; it is one of ARM's: a body of JSON, and an error in one of the three envelopes."""
    body = answer.json()
    if answer.status >= 400 and answer.body:
        error = body.get("error", body)
        assert {"code", "message"} <= error.keys(), body
        assert error["code"]
        assert "Traceback" not in error["message"]
    for name, value in answer.headers.items():
        assert not {"\n", "\r"} & set(name + value)
        value.encode("utf-8")


@given(st.lists(spoiled_requests(), min_size=1, max_size=6), st.sampled_from([{}, {"": 5.0}]))
def test_bodies_with_something_wrong_are_told_so(requests: list[Request], durations: dict[str, float]) -> None:
    arm = Arm(ManualClock(), throttle="off", estate=ESTATE, durations=durations, busy="async")
    for request in requests:
        try:
            answer = arm.handle(request)
        except Dropped:
            continue
        asked_for = answer.status >= 500 and arm.faults
        assert answer.status < 500 or answer.status == 501 or asked_for, (request, answer)
        told(answer)
    arm.faults.clear()
    for path in ("resources", ""):
        assert arm.handle(
            Request("GET", f"{GROUP}/{path}".rstrip("/") + "?api-version=2021-04-01", bearer())
        ).status in (200, 404)
    arm.settle()
    for delivery in arm.take_events():
        msgspec.json.decode(delivery.body)
    exported = arm.export()
    for entry in exported:
        told(arm.handle(Request("GET", f"{entry['id']}?api-version=2024-05-01", bearer())))
    assert len(Arm(ManualClock(), throttle="off", estate=exported).export()) == len(exported)
