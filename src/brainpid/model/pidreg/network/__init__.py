"""The ensemble of networks of PIDReg: layers, losses, training."""
