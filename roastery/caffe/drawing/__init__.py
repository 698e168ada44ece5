"""Pictures of nets: what is drawn (graph), where (layout), and how (dot, svg, picture)."""
