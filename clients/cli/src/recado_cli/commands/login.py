"""Log in, and keep the way in for the commands that follow: a refresh token, never your password."""

import argparse
import getpass
import os
import sys

from recado_cli.addresses import DEFAULT_URL, Addresses
from recado_cli.failures import BadUsage, Exit
from recado_cli.painting import say
from recado_cli.profiles import Profile, Profiles
from recado_cli.rest import Problem, Rest
from recado_cli.session import Session, keep_tokens

EXAMPLES = """\
examples:
  recado login --url https://recado.example.com
  recado login --profile ci --api-key        asks for the key, so that it is in no history
"""
TRIES = 3


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help=f"where the server is ({DEFAULT_URL})")
    parser.add_argument("--grpc", help="where its gRPC is (the same host, port 50051)")
    parser.add_argument("--email", help="who you are; asked for otherwise")
    parser.add_argument("--organization", metavar="ID", help="if you belong to several")
    parser.add_argument(
        "--api-key", nargs="?", const="", metavar="KEY", help="keep this key in place of a person's tokens"
    )


def run(options: argparse.Namespace) -> int:
    addresses = Addresses.of(
        options.url or os.environ.get("RECADO_URL") or DEFAULT_URL,
        options.grpc or os.environ.get("RECADO_GRPC") or "",
        insecure=options.insecure,
    )
    profile = Profile(addresses.url, addresses.grpc, addresses.insecure)
    if options.api_key is None:
        _log_in(Rest(addresses), profile, options)
    else:
        profile.api_key = options.api_key or os.environ.get("RECADO_API_KEY") or _ask_secret("API key: ")
    me = Session(options.profile, profile).rest.get("/v1/me", _authorization(profile))
    path = Profiles().write(options.profile, profile)
    say(f"logged in to {me['organization']['name']} as {me['label']}; kept in {path}")
    return Exit.OK


def _log_in(rest: Rest, profile: Profile, options: argparse.Namespace) -> None:
    profile.email = options.email or _ask("E-mail: ")
    body = {"email": profile.email, "password": _ask_secret("Password: ")}
    if options.organization:
        body["organization_id"] = options.organization
    for tries_left in reversed(range(TRIES)):
        try:
            keep_tokens(profile, rest.post("/v1/auth/token", body=body))
        except Problem as problem:
            if problem.code not in {"mfa_required", "bad_mfa_code"} or not tries_left:
                raise
            if problem.code == "bad_mfa_code":
                say(str(problem))
            body["code"] = _ask("Code of your second factor: ")
        else:
            return


def _authorization(profile: Profile) -> str:
    return f"Api-Key {profile.api_key}" if profile.api_key else f"Bearer {profile.access}"


def _ask(question: str) -> str:
    if sys.stdin.isatty():
        print(question, end="", file=sys.stderr, flush=True)
    return _given(sys.stdin.readline(), question)


def _ask_secret(question: str) -> str:
    """Unseen at a terminal; a line of the input otherwise, for scripts."""
    return _given(getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline(), question)


def _given(line: str, question: str) -> str:
    answer = line.rstrip("\r\n")
    if not answer:
        raise BadUsage(f"Nothing was given for “{question.rstrip(': ')}”.")
    return answer
