"""`python -m onefold` is the command line."""

from onefold.cli import main

main()
