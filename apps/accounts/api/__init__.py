"""The REST endpoints of accounts: one file a subject, one view class an address."""
