"""`python -m nearimage` is the command `nearimage`."""

from nearimage.cli.main import main

main()
