"""The HTTP proxy of a cluster: what a caller sent of it in, what AKS keeps or refuses out."""

import base64
import binascii
import re
from typing import Final

from simulator import errors
from simulator.planned_clusters import Planned
from simulator.wire import Body, members, text

CONFIG: Final = "httpProxyConfig"
# Of the addresses that AKS lets past every proxy.
_OWN: Final = ("localhost", "127.0.0.1", "168.63.129.16", "169.254.169.254", "konnectivity")
_PLAIN: Final = re.compile(r"http://\S+")
_ANY: Final = re.compile(r"https?://\S+")


def completed(properties: Body, before: Body) -> Body:
    """The properties of a cluster as they would be and as they are in; its proxy as AKS keeps it, if it has one, out.

    One that is turned off is kept with all that it had.
    """
    sent, old = members(properties.get(CONFIG)), members(before.get(CONFIG))
    if not sent:
        return {}
    given = {name: value for name, value in sent.items() if value is not None and name != "effectiveNoProxy"}
    if given.get("enabled") is False:
        return {CONFIG: old | given}
    network = members(properties.get("networkProfile"))
    named = (text(properties.get(name)) for name in ("fqdn", "privateFQDN"))
    ranges = (text(network.get(name)) for name in ("serviceCidr", "podCidr"))
    asked = [one for one in given.get("noProxy") or [] if isinstance(one, str)]
    past = list(dict.fromkeys((*asked, *_OWN, *filter(None, (*named, *ranges)))))
    return {CONFIG: {"enabled": True} | given | {"noProxy": past, "effectiveNoProxy": sorted(past)}}


def changes(properties: Body, before: Body) -> bool:
    """The properties of a cluster as they will be and as they were in, whether all its nodes are reimaged out."""
    return _in_force(properties) != _in_force(before)


def check_proxy(planned: Planned) -> None:
    """A cluster as it would be in; refused where AKS would refuse its proxy."""
    config = _in_force(planned.properties)
    if not config:
        return
    plain, secure = text(config.get("httpProxy")), text(config.get("httpsProxy"))
    if not (plain or secure):
        raise errors.cluster(400, "HTTPProxyConfigInputError", "HTTPProxy and HTTPSProxy both cannot be empty.")
    if (plain and not _PLAIN.fullmatch(plain)) or (secure and not _ANY.fullmatch(secure)):
        raise errors.cluster(400, "HTTPProxyWrongUrlError", f"The proxy URL '{plain or secure}' is not valid.")
    for entry in config.get("noProxy") or []:
        if text(entry).startswith("*"):
            raise errors.cluster(400, "HTTPProxyConfigInputError", f"NoProxy '{entry}' must not begin with a wildcard.")
    if config.get("trustedCa") is not None and not _is_certificate(text(config["trustedCa"])):
        raise errors.cluster(400, "HTTPProxyConfigCADecodeError", "The trusted CA is no PEM in base64.")
    for name, pool in planned.pools.items():
        if text(pool.get("osType")).lower() == "windows":
            raise errors.cluster(
                400, "HTTPProxyConfigFeatureNotSupported", f"Agent pool {name} runs Windows, which takes no HTTP proxy."
            )


def _in_force(properties: Body) -> Body:
    config = members(properties.get(CONFIG))
    return {} if config.get("enabled") is False else config


def _is_certificate(said: str) -> bool:
    try:
        return b"-----BEGIN CERTIFICATE-----" in base64.b64decode(said, validate=True)
    except (ValueError, binascii.Error):
        return False
