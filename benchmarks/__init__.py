"""What the design's bars are measured by: `make bench`."""
