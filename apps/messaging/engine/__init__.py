"""The dispatcher, in the order in which a message meets it.

    accept    written down, and the account's bell is rung
    doorbell  how one Celery task is enough for any number of messages
    deliver   the drain that a bell wakes: claim, send and record, overlapping
    claim     take due messages, under a lease
    retry     what a failure means: a pure function
    record    write outcomes down, if the lease is still ours
    receive   what providers say later
    publish   events, to the stream that clients follow
    recover   whatever no bell rang for
    cancel, replay   what people ask for

A message that is still to be sent is one row of `delivery`. Its conversation's row is the lock of its order:
whoever ends a delivery or adds one holds it, so that exactly one delivery of a conversation is its head, and only
a head can be claimed (order.py).
"""
