"""The bistro: the app the course builds, from its first course to a production-grade service."""
