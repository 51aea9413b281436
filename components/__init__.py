"""The Pulumi side of Sluice: what a team writes, turned into Kubernetes objects."""
