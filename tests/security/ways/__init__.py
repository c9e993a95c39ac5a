"""The ways on which rows are written, deleted and read, all of which have to come to the same.

Each is walked in both vocabularies. A route on rows that no way leads through fails S22, unless `NO_WAY` says
why none does.
"""
