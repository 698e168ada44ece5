"""Sources of Datum records: what `sources.data` opens."""
