"""Pod addresses never clash, and a freed one rests before it is used again."""

import ipaddress

import pytest

from sandbox.network import is_pod_ip
from sandbox.node.addresses import Addresses

ALL = 254 * 254


def test_every_address_is_a_pod_address_outside_the_sandboxs_own_range():
    addresses = Addresses()
    taken = [addresses.take() for _ in range(ALL)]
    assert len(set(taken)) == ALL
    assert (taken[0], taken[253], taken[254]) == ("10.244.1.1", "10.244.1.254", "10.244.2.1")
    assert taken[-1] == "10.244.254.254"
    assert all(is_pod_ip(address) for address in taken)
    thirds = {int(ipaddress.ip_address(address)) >> 8 & 255 for address in taken}
    assert 0 not in thirds


def test_a_full_network_is_an_error_and_a_freed_address_is_found_again():
    addresses = Addresses()
    for _ in range(ALL):
        addresses.take()
    with pytest.raises(RuntimeError, match="in use"):
        addresses.take()
    addresses.free("10.244.7.7")
    assert addresses.take() == "10.244.7.7"


def test_addresses_of_running_pods_are_not_given_away_after_a_restart():
    addresses = Addresses()
    addresses.reserve("10.244.1.3")
    addresses.reserve("10.244.1.1")
    assert [addresses.take(), addresses.take()] == ["10.244.1.4", "10.244.1.5"]


def test_a_freed_address_is_not_the_next_one():
    addresses = Addresses()
    first = addresses.take()
    addresses.free(first)
    assert addresses.take() != first
