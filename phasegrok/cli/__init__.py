"""The command: arguments, exit codes, the terminal."""
