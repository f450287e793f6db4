"""The notebook in a real browser; a package, so that its browser and servers end before the next folder's tests."""
