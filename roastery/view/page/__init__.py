"""The page's own files, which a browser reads as they stand; ``document.py`` puts them together."""
