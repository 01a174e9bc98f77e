"""A search space as a template: lines with holes, and a field for every hole."""
