"""The command line: `offramp …`. One file per command; nothing here decides what the job does."""
