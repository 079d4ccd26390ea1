"""Files and uploads under /v1/. Their bytes come by apps.files.intake, or never come here at all."""
