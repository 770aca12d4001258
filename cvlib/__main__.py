"""The `cvlib` command, as a process of its own begins it; `python -m cvlib` is the same."""

import sys


def main() -> None:
    """Begin as a kernel begins, where one is to be started, and do what was asked."""
    if "run" in sys.argv[1:3]:  # after -v, perhaps
        from cvlib.study.warm import begin_as_a_kernel

        begin_as_a_kernel()
    from cvlib.cli import main as command

    command(prog_name="cvlib")


if __name__ == "__main__":
    main()
