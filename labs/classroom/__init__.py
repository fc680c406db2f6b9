"""A folder for each operating system of a class: wheels, the built book, the course, a start.

`python -m classroom` makes them below `_build/classroom`; it needs the network, whoever uses such a
folder needs none. `what_a_learner_needs` measures memory and processor time for a class on a hub.
"""
