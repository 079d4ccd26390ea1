"""The database, copied where its loss cannot reach: made, read back, kept for a while, and brought back.

`take` makes one, `verify` reads one, `prune` forgets old ones, `restore` fills an empty database from one, and
`settle` makes a database that was brought back safe to work with.
"""
