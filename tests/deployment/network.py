"""Who may speak with whom, as Kubernetes reads network policies."""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.deployment.kubernetes import Manifests, Object, matches


@dataclass(frozen=True)
class Peer:
    """A pod of ours, a pod of another namespace, or an address."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = "recado"
    address: str = ""


def may_speak(manifests: Manifests, source: Peer, target: Peer, port: int) -> bool:
    policies = manifests.of("NetworkPolicy")
    return _allows(policies, "Egress", source, target, port) and _allows(policies, "Ingress", target, source, port)


def _allows(policies: list[Object], direction: str, who: Peer, other: Peer, port: int) -> bool:
    if who.namespace != "recado" or who.address:
        return True  # its own policies are not ours
    specs = [each["spec"] for each in policies if direction in each["spec"]["policyTypes"]]
    about = [spec for spec in specs if matches(spec["podSelector"], who.labels)]
    rules = [rule for spec in about for rule in spec.get(direction.lower(), [])]
    peers = "to" if direction == "Egress" else "from"
    return not about or any(
        _has_port(rule, port) and any(_is_peer(peer, other) for peer in rule[peers]) for rule in rules
    )


def _has_port(rule: Object, port: int) -> bool:
    return any(
        each["protocol"] == "TCP" and each["port"] <= port <= each.get("endPort", each["port"])
        for each in rule["ports"]
    )


def _is_peer(peer: dict[str, Any], other: Peer) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return (
            bool(other.address)
            and _is_in(other.address, block["cidr"])
            and not any(_is_in(other.address, network) for network in block.get("except", []))
        )
    if other.address:
        return False
    wanted = peer.get("namespaceSelector")
    in_namespace = (
        other.namespace == "recado"
        if wanted is None
        else matches(wanted, {"kubernetes.io/metadata.name": other.namespace})
    )
    return in_namespace and matches(peer.get("podSelector", {}), other.labels)


def _is_in(address: str, network: str) -> bool:
    return ip_address(address) in ip_network(network)
