"""What this product is."""

from importlib.metadata import PackageNotFoundError, version


def product_version() -> str:
    """Return the version of the installed product, or `0` when it runs from a folder that was never installed."""
    try:
        return version("graphmark")
    except PackageNotFoundError:
        return "0"
