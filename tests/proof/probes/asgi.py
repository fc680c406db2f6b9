"""One request without a server, for the probes beside this file."""


async def ask(app, heard=lambda message: None, receive=None, spec="2.3"):
    """GET / of an ASGI app; `heard` is called with each message of the reply."""
    body = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def once():
        return next(body, {"type": "http.disconnect"})

    async def send(message):
        heard(message)

    asgi = {"version": "3.0", "spec_version": spec}
    request = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
    }
    request |= {"query_string": b"", "headers": [], "scheme": "http", "root_path": "", "asgi": asgi}
    await app(request | {"server": ("x", 80), "client": ("y", 1)}, receive or once, send)
