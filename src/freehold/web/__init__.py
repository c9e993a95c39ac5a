"""HTTP: endpoint declarations, and everything between a socket and the function that answers."""
