"""Generated services against ones of the same stack that were written by hand."""
