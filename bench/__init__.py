"""`make bench`: what DESIGN.md promises, measured as ratios in one run on one machine.

stage       throw-away servers, the provider stub, and the environment of everything that is started
office      an organization with an account, people to write to, and messages that wait
workers     Celery workers and web processes, as they run in production
contenders  one_task_each (a), bare_loop (b) and bare_drf (c): what Recado is measured against
figures     one file for each subject
"""
