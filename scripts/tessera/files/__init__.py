"""Opening, checking and writing file formats; with cli/, the only place that knows paths."""
