"""The command line, one module a verb: parse, read, one pure call, write."""
