"""What plays PostgreSQL, its drivers and the server where a lab is checked in a browser's page."""
