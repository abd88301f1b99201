"""PIDReg: base learners and networks on each modality, joined by stacking."""
