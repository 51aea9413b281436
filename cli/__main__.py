"""`python -m cli`, installed as `sluice`."""

from cli.app import main

main()
