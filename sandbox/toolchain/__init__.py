"""Builds the sandbox's binaries from pinned, checksummed Go modules; finds their CRDs."""
