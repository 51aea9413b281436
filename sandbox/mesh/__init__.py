"""The sandbox's mesh: istiod and Envoy as they are, their addresses mapped, their metrics made."""

from sandbox.mesh.parts import manifests, processes

__all__ = ["manifests", "processes"]
