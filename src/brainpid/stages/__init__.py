"""One module per verb of the command line: read, call pure functions, write."""
