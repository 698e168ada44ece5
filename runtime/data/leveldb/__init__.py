"""Reading LevelDB without LevelDB: nothing is written, locked, recovered or left out.

Opening a database by the library always recovers it, which writes, and drops what it finds
damaged in the write-ahead log. These modules read the same files and refuse what is not whole.

``current`` and ``manifest`` say which files make up the database, ``log`` and ``batch`` read
the write-ahead log, ``block`` and ``table`` the sorted tables, and ``reader`` merges them.
The format is the one of LevelDB's doc/log_format.md, doc/table_format.md and doc/impl.md.
"""
