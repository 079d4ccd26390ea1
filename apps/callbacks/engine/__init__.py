"""How an event reaches the applications that want it, in the order in which it gets there.

fan_out   what happened becomes one delivery for each endpoint that wants it, exactly once
bell      one Celery task is enough for any number of them
deliver   the task that the bell wakes: claim, call and record, overlapping
claim     take due deliveries, under a lease, few for each endpoint
call      one signed POST, and what came of it
retry     what a failure means: a pure function
record    write outcomes down, if the lease is still ours
notice    an endpoint that only failed is disabled, and its people are told
recover   whatever no bell rang for
expiry    what is old enough to be forgotten
"""
