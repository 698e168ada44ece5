"""Programs in Python 2: their source rewritten as it is imported, and names that are gone offered.

``rewrite`` turns text into text, ``names`` holds what rewritten code finds among its builtins and
where it imports, ``dropped`` what libraries have dropped since, ``mode`` turns all of it on.
"""
