"""The command line: `python -m kdcore data|train|predict|evaluate|explain`."""
