"""One file for each hazard, found by being there."""
