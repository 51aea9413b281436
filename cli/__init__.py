"""The command line: `sluice …`."""
