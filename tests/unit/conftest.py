"""What these tests need: Python and the packages of the course.

No database, no web server, no browser, no built book: they are the ones to run after every change.
"""
