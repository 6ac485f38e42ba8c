"""``python -m handgrad``, where the command is not on the path."""

from handgrad.cli import main

main(prog_name="handgrad")
