"""Official SDKs of other languages, run as processes of their own."""
