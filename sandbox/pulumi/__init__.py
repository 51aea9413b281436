"""Stand-ins for the two Pulumi plugins no package carries, and the environment of the CLI."""
