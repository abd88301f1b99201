"""From out-of-fold predictions to tables: accuracy, information, selection, importance."""
