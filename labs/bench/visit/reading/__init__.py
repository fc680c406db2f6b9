"""Reads an application's source, and says where it goes wrong with its database: nothing is run.

`python -m bench.visit --read src/`. `project` parses and finds out what a name stands for, `rules`
has one function for each kind of hit, `hits` prints them. Few false alarms matter more than many
hits: what cannot be told from the source is left out.
"""
