"""What runs in a process of its own: a private PostgreSQL, and uvicorn."""
