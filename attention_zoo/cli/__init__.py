"""The command `attention-zoo`: parse, call, print. One file a command."""

from attention_zoo.cli.app import main as main
