"""What a write of a cluster's proxy does to the facts: `known` changes as AKS would change it, or why it would not."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from governor.core import ids
from governor.core.cluster import Cluster, HttpProxy
from governor.core.estate import AnyFact
from governor.core.proxy import Value, Wanted, certificate, value_of
from governor.core.proxy_step import Proxy, WriteProxy
from governor.core.secret import Concealed, Secret

Known = dict[str, AnyFact]
Secrets = Mapping[str, Secret]
_WINDOWS: Final = "windows"
_AVAILABILITY_SET: Final = "availabilityset"


def write(step: WriteProxy, known: Known, secrets: Secrets) -> str | None:
    """A write of a cluster's proxy and the secrets that were read in."""
    cluster = known.get(ids.key(step.target))
    if not isinstance(cluster, Cluster):
        return f"cluster {ids.name(step.target)} does not exist, or was not read"
    there, to = cluster.properties.http_proxy_config or HttpProxy(), of_step(step.to, secrets)
    if not to.known:
        return "a secret that the proxy needs was not read"
    if step.to.enabled and (why := unsupported(cluster)):
        return why
    gone = {one.casefold() for one in step.without}
    after = replace(there, enabled=step.to.enabled)
    if step.to.enabled:
        after = HttpProxy(
            True,
            to.http.text if to.http else there.http_proxy,
            to.https.text if to.https else there.https_proxy,
            tuple(dict.fromkeys((*(one for one in there.no_proxy or () if one.casefold() not in gone), *to.no_proxy))),
            there.effective_no_proxy,
            to.trusted_ca.text if to.trusted_ca else there.trusted_ca,
        )
    known[ids.key(step.target)] = replace(cluster, properties=replace(cluster.properties, http_proxy_config=after))
    return None


def of_step(to: Proxy, secrets: Secrets) -> Wanted:
    """The proxy of a step and the secrets that were read in, what it stands for out."""
    known = {value.named: value for value in map(value_of, secrets.values())}
    missing = tuple(one for one in to.named if one not in known)
    http, https, trusted_ca = (
        known.get(one, Value(one, Concealed(one))) if one else None for one in (to.http, to.https, to.trusted_ca)
    )
    trusted_ca = certificate(trusted_ca) if trusted_ca else None
    return Wanted(http, https, trusted_ca, to.no_proxy, missing)


def unsupported(cluster: Cluster) -> str | None:
    """Why AKS gives a cluster no proxy at all."""
    for pool in cluster.pools:
        if (pool.os_type or "").casefold() == _WINDOWS:
            return f"pool {pool.name} runs Windows, and AKS gives clusters with Windows nodes no proxy"
        if (pool.type or "").casefold() == _AVAILABILITY_SET:
            return f"pool {pool.name} is an availability set, and AKS gives clusters with such pools no proxy"
    return None
