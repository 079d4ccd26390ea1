"""The REST endpoints of messaging: one file a subject, one view class an address."""
