"""Python's garbage collector, told what need not be looked at."""

import gc

# Objects made before the youngest are looked at. A request makes thousands, nearly none of them in a circle.
_YOUNG = 10_000


def spare_what_is_loaded() -> None:
    """Called when a process has loaded its code: hundreds of thousands of objects that stay until it ends.

    Otherwise each full collection walks over all of them, which stops every request of the process for a tenth of
    a second (docs/adr/0024-garbage-collector.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
