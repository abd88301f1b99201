"""Cross-fitting: everything that is fitted on training rows and read on held-out people, and the permutation null."""
