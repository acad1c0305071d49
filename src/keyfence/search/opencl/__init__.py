"""DES keys on OpenCL devices: what keyfence.search.des searches, the same candidates, the same answers.

Engine     the search on one device: Engine("name").search(problem, start, stop) -> Hit | None
devices    the devices of this machine, as Device
"""

from .engine import Engine
from .platforms import Device, devices

__all__ = ["Device", "Engine", "devices"]
