"""How a registration is talked through.

listen    notes down what came, in the transaction in which it came
converse  takes it under a lease, understands it, and settles what follows
advance   the one table of what follows from what: no database, no clock, no network
memory    where a conversation stands: in Redis, or thought over again from its turns
silence   asks once more where nobody answers, and closes
"""
