"""The demo app refuses an environment it cannot use, naming every variable that is wrong."""

import pytest

from sandbox.demoapp.settings import Settings, SettingsError, read


def test_an_empty_environment_is_a_healthy_service():
    assert read({}) == Settings()
    assert read({}).error_ratio == read({}).slow_ratio == 0


def test_every_setting_is_read():
    environment = {
        "HOST": "127.42.1.1",
        "PORT": "9000",
        "VERSION": "1.1.0-0a1b2c3d",
        "HOSTNAME": "checkout-1",
        "ERROR_RATIO": "0.05",
        "LATENCY_MS": "20",
        "SLOW_RATIO": "0.2",
        "SLOW_MS": "400",
        "ORDER_FAILURE_RATIO": "0.1",
        "LEAK_MIB_PER_SECOND": "8",
        "CRASH_AFTER_SECONDS": "3",
        "INVENTORY_URL": "http://inventory.shop.svc/",
        "HTTP_PROXY": "http://127.42.0.7:15080",
        "START_SECONDS": "1.5",
        "DRAIN_SECONDS": "0",
    }
    assert read(environment) == Settings(
        host="127.42.1.1",
        port=9000,
        version="1.1.0-0a1b2c3d",
        pod="checkout-1",
        error_ratio=0.05,
        latency_ms=20,
        slow_ratio=0.2,
        slow_ms=400,
        order_failure_ratio=0.1,
        leak_mib_per_second=8,
        crash_after_seconds=3,
        inventory_url="http://inventory.shop.svc/",
        proxy="http://127.42.0.7:15080",
        start_seconds=1.5,
        drain_seconds=0,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ERROR_RATIO", "5%"),
        ("ERROR_RATIO", "1.5"),
        ("ERROR_RATIO", "-0.1"),
        ("ERROR_RATIO", "nan"),
        ("SLOW_RATIO", "2"),
        ("LATENCY_MS", "250ms"),
        ("LATENCY_MS", "inf"),
        ("SLOW_MS", "-1"),
        ("ORDER_FAILURE_RATIO", "2"),
        ("LEAK_MIB_PER_SECOND", "8Mi"),
        ("CRASH_AFTER_SECONDS", "-3"),
        ("START_SECONDS", "soon"),
        ("PORT", "0"),
        ("PORT", "80.5"),
        ("PORT", "http"),
        ("INVENTORY_URL", "inventory.shop.svc"),
        ("HTTP_PROXY", "127.0.0.1:15080"),
        ("INVENTORY_URL", "http://inventory:port/"),
        ("INVENTORY_URL", "https://inventory.shop.svc/"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(name: str, value: str):
    with pytest.raises(SettingsError, match=rf"{name}={value}: must "):
        read({name: value})


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(SettingsError) as error:
        read({"ERROR_RATIO": "x", "SLOW_MS": "y"})
    assert "ERROR_RATIO=x" in str(error.value)
    assert "SLOW_MS=y" in str(error.value)
