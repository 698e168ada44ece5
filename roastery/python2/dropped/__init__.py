"""Names that libraries have dropped since scripts of Python 2 were written, a file for each.

They are there only while Python 2 is on.
"""
