"""Log out: the session ends at the server, and what was kept of it here is removed. An API key stays valid."""

import argparse

from recado_cli.failures import Exit, Failed, NotLoggedIn
from recado_cli.painting import say
from recado_cli.profiles import Profiles
from recado_cli.session import Session

EXAMPLES = ""


def configure(_parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    profiles = Profiles()
    profile = profiles.read(options.profile)
    if profile is None:
        say("you were not logged in")
        return Exit.OK
    ended: Failed | None = None
    if profile.refresh:
        try:
            session = Session(options.profile, profile, profiles)
            session.rest.post("/v1/auth/logout", session.authorization())
        except NotLoggedIn:
            pass  # it had ended before
        except Failed as failed:
            ended = failed
    profiles.remove(options.profile)
    if ended is not None:
        ended.add_note("It is forgotten here, but the server may not know.")
        raise ended
    say("logged out")
    return Exit.OK
