"""`python -m bcfstats` is the `bcfstats` command."""

from bcfstats.cli import main

if __name__ == "__main__":
    main()
