"""The console: destinations in a browser, and the same over an HTTP API. It reads the journal and the files, and gives
commands through the journal; the job knows nothing of it.
"""
