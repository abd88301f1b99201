"""Named features of people: blocks, HDF5 files, tables, and the pool that extracts images."""
