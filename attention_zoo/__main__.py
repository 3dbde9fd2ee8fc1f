"""`python -m attention_zoo`: the shell command."""

from attention_zoo.cli import main

main()
