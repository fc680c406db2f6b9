"""Visit one request of your own application: what it asks the database, and what it holds.

    python -m bench.visit --python .venv/bin/python --env 'DATABASE_URL={dsn}' \\
        app.main:app 'GET /items?limit=20' --guests 6 --rtt 20 --html report.html

`wire` counts between the application and its database, `application` starts it with `child` inside,
`asking` sends the requests, `account` joins what both saw, `judging` finds what is wrong, `report`
and `page` tell. `reading` finds faults in the source alone. Nothing of the application is edited.
"""
