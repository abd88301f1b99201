"""A synthetic cohort with known truth, as images."""
