"""Sources of pictures with boxes: what `sources.annotated_data` opens."""
