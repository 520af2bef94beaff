"""``python -m tests.distribute.command sweep ...``: the command, whose training is null."""

from tests.distribute.children import command_here

if __name__ == "__main__":
    command_here()
