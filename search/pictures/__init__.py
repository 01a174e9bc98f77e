"""Pictures of networks and trainings, written as SVG without a drawing library."""
