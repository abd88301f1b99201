"""What every room uses: arrays, modalities, errors, files, logs, seeds, provenance."""
