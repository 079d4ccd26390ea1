"""WhatsApp Cloud and Instagram as far as a sender can tell, on one machine and with faults to order.

`python -m apps.channels.simulators` answers their send APIs over real HTTP, calls back with signed statuses, and
counts what a person would have received: that is how the demo, the tests and the chaos runs see what was lost
and what was sent twice. Everything under /control changes or asks it while it runs.
"""
