"""The pages that people look at."""

from console.pages.site import add_pages

__all__ = ["add_pages"]
