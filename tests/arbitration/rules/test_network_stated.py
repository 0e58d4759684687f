"""Tests of causes that alerts of networks, proxies and certificates state themselves."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, case_of, check_cause

pytestmark = pytest.mark.pure

CAUSES = {cause.id: cause for cause in parse(sources()).causes}
CASES = [
    ("infra_bgp_down", "BGPPeerDown", "The session to leaf-3 went down"),
    ("infra_routing", "OSPF neighbor down", "Adjacency with core-2 is lost"),
    ("infra_bgp_hold_timer", "BGP peer lost", "Session to AS64500 is Idle. Hold timer expired"),
    ("infra_bgp_optics", "BGP peer lost", "Hold timer expired. The port stays up with rx power -24 dBm"),
    ("infra_vpn_peer_changed", "IPsec tunnel down", "Phase 1 gets no answer. The branch changed its public IP"),
    ("infra_vpn_peer_changed", "VPN 通道中斷", "分公司昨日更換固定 IP"),
    ("infra_tunnel", "IPsec tunnel down", "Phase 2 negotiation fails"),
    ("infra_wireguard", "WireguardHandshakeOld", "The last handshake of the peer is 20 minutes old"),
    ("infra_link_flapping", "Uplink: link down", "Link went down 9 times in 15 minutes"),
    ("infra_pool_member", "F5PoolMemberDown", "Pool member dns-2:53 is not available"),
    ("infra_orphaned_sockets", "OrphanedSocketsHigh", "Over half of the sockets are orphaned"),
    ("infra_asa_cluster", "ASAClusterDegraded", "One unit of the ASA is degraded"),
    ("infra_fabric_mapping", "APIC fault", "The node-id to pod-id mapping of leaf 104 is wrong"),
    (
        "infra_proxy_secret_restart",
        "EnvoySDSInitFetchTimeout",
        "Envoy got no TLS secret over SDS. The pod must be restarted",
    ),
    ("infra_proxy_secret", "EnvoySDSInitFetchTimeout", "Envoy got no TLS secret over SDS"),
    ("infra_envoy_tls", "EnvoyListenerSSLConnectionErrors", "80 in five minutes"),
    ("infra_cert_manager_expiry", "CertManagerCertificateExpiring", "Certificate web-tls expires in 12 days"),
    ("infra_proxy_directive", "NginxReloadFailed", 'Reload of nginx failed. unknown directive "proxy_foo"'),
    ("infra_dns_all_upstreams", "CoreDNSForwardHealthcheck", "Health checks fail for all upstream servers"),
    ("infra_cost_endpoint", "Cost anomaly", "NatGateway-Bytes +300%. The S3 gateway endpoint was removed on Monday"),
    ("infra_brute_force", "Wazuh: authentication failures", "sshd: brute force, 900 attempts from 12 addresses"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES)
def test_the_stated_cause_is_found(cause: str, name: str, text: str) -> None:
    check_cause(CAUSES[cause], name, text)


@pytest.mark.parametrize("name", ["NodeBondDegraded", "WanLinkProbesFailing"])
def test_a_label_of_the_platform_makes_no_second_team(name: str) -> None:
    judgement = judge(case_of(Example("INFRA", name, "Outage ahead", "service=node node=node-7")), Language.EN)
    assert Responsibility.BE not in judgement.secondary_teams
