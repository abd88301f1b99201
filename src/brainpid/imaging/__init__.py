"""From images of one person to named numbers with units and quality measures; nothing here knows about cohorts."""
