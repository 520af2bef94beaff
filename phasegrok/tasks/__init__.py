"""Tasks: what is to be learned, as tables of examples."""

from phasegrok.tasks.base import Table
from phasegrok.tasks.modular import INPUTS, group_order, table, total

__all__ = ["INPUTS", "Table", "group_order", "table", "total"]
