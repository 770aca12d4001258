"""`python -m cvlib`: the same as the `cvlib` command."""

from cvlib.cli import main

main(prog_name="cvlib")
