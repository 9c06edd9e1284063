"""What `dx new` makes projects from: the catalogue of templates, and their rendering."""
