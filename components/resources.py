"""Plain manifests become Pulumi resources."""

from collections.abc import Sequence
from importlib.metadata import version

import pulumi

from components.manifests.manifest import Manifest


class KubernetesObject(pulumi.CustomResource):
    """One Kubernetes object, exactly as its manifest says.

    The typed classes of pulumi-kubernetes would register the same resource under the same type;
    importing them takes longer than all the rest of the program.
    """

    def __init__(self, manifest: Manifest, opts: pulumi.ResourceOptions) -> None:
        super().__init__(_token(manifest), manifest.name, dict(manifest.body), opts)


def declare(
    manifests: Sequence[Manifest], parent: pulumi.Resource, after: pulumi.ResourceOptions
) -> list[KubernetesObject]:
    """Declare `manifests` as children of `parent`.

    Each depends on everything of the waves before its own, and on the `depends_on` of `after`.
    Pulumi waits for what a component depends on before it creates the component's children, but
    deletes in the order that the children themselves state.
    """
    outside = pulumi.ResourceOptions(depends_on=after.depends_on)
    declared: list[tuple[int, KubernetesObject]] = []
    for manifest in sorted(manifests, key=lambda each: each.wave):
        own = pulumi.ResourceOptions(
            parent=parent,
            depends_on=[resource for wave, resource in declared if wave < manifest.wave],
            ignore_changes=list(manifest.controlled),
            version=version("pulumi-kubernetes"),
        )
        resource = KubernetesObject(manifest, pulumi.ResourceOptions.merge(own, outside))
        declared.append((manifest.wave, resource))
    return [resource for _, resource in declared]


def _token(manifest: Manifest) -> str:
    """Pulumi's type of a Kubernetes object; the core group has no name of its own in apiVersion."""
    group = manifest.api_version if "/" in manifest.api_version else f"core/{manifest.api_version}"
    return f"kubernetes:{group}:{manifest.kind}"
