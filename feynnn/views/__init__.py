"""Pictures and pages: everything that people look at."""
