"""Addresses: everything on loopback, pods by arithmetic, a network of its own per sandbox."""

import ipaddress
import socket

from hypothesis import given
from hypothesis import strategies as st

from sandbox.layout import Layout
from sandbox.network import HOSTS, POD_NETWORK, Network, is_pod_ip, port_is_free


@given(st.integers(1, 254), st.integers(0, 2**16 - 1))
def test_a_pods_address_maps_to_loopback_of_this_sandbox_only(octet: int, offset: int) -> None:
    pod = POD_NETWORK[offset]
    mapped = ipaddress.ip_address(Network(octet).loopback(str(pod)))
    assert is_pod_ip(str(pod))
    assert mapped in ipaddress.ip_network(f"127.{octet}.0.0/16")
    assert int(mapped) & 0xFFFF == offset


def test_parts_never_share_an_address_with_each_other_or_a_pod() -> None:
    addresses = [Network(77).address(host) for host in HOSTS]
    assert len(set(addresses)) == len(addresses)
    assert all(address.startswith("127.77.0.") for address in addresses)


def test_a_network_is_kept_until_it_is_forgotten(tmp_path) -> None:
    layout = Layout(state=tmp_path)
    chosen = layout.network()
    assert Layout(state=tmp_path).network() == chosen
    layout.forget_network()
    assert not (layout.sandbox / "network.json").exists()


def test_a_listening_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_is_free(*server.getsockname())
        address = server.getsockname()
    assert port_is_free(*address)


def test_the_sandboxes_of_a_clone_are_found(tmp_path) -> None:
    """`make down` after a killed test run must find what it left."""
    for name in ("sandbox", "test"):
        (tmp_path / name / "run").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    found = Layout(state=tmp_path).instances()
    assert {layout.instance for layout in found} == {"sandbox", "test"}
