"""The labels of the service `checkout`, as those who count its requests write them."""


def istio(namespace: str, version: str, **more: str) -> dict[str, str]:
    """As a caller's proxy."""
    return {
        "reporter": "source",
        "destination_workload_namespace": namespace,
        "destination_workload": "checkout",
        "destination_version": version,
        **more,
    }


def application(namespace: str, version: str, **more: str) -> dict[str, str]:
    """As the service itself, with its pods' labels."""
    return {"namespace": namespace, "app": "checkout", "version": version, **more}
