"""The whole story on either engine, on real data: what `make demo` runs."""

from consentry.demo.run import run

__all__ = ["run"]
