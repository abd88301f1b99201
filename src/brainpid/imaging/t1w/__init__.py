"""T1-weighted MRI."""
