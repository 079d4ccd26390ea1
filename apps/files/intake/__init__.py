"""`POST /v1/files`: a body of gigabytes on its way into the store, never whole in memory or on a disk.

application.py   the way in: who may, what is answered
reading.py       the body, taken apart as it comes
pouring.py       its bytes, hashed and put into the store part by part
"""
