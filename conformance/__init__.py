"""One suite of tests over HTTP for every generated service, in whatever language it is written."""
