"""The way in: an API key, or tokens that are refreshed when they run out."""

import time

from recado_cli.addresses import DEFAULT_URL, Addresses
from recado_cli.profiles import Profile, Profiles
from recado_cli.rest import Problem, Rest, not_logged_in

# Before it expires, for clocks differ.
EARLY_SECONDS = 60


class Session:
    def __init__(self, name: str, profile: Profile, profiles: Profiles | None = None) -> None:
        """Without `profiles` nothing is kept: the way in came from the environment."""
        self.name = name
        self.profile = profile
        self._profiles = profiles
        self.addresses = Addresses.of(profile.url, profile.grpc, insecure=profile.insecure)
        self.rest = Rest(self.addresses)

    @property
    def may_refresh(self) -> bool:
        return bool(self.profile.refresh and self._profiles)

    def authorization(self) -> str:
        """The header, with a token that is still good."""
        if self.profile.api_key:
            return f"Api-Key {self.profile.api_key}"
        if not self.profile.access or self.profile.expires_at - EARLY_SECONDS < time.time():
            self.refresh()
        return f"Bearer {self.profile.access}"

    def refresh(self) -> None:
        if self._profiles is None or not self.profile.refresh:
            raise not_logged_in(self.name)
        with self._profiles.only_one(self.name):
            kept = self._profiles.read(self.name)
            if kept is None:
                raise not_logged_in(self.name)
            if kept.access != self.profile.access and kept.expires_at - EARLY_SECONDS > time.time():
                self.profile = kept  # another command was first
                return
            try:
                pair = self.rest.post("/v1/auth/refresh", body={"refresh": kept.refresh})
            except Problem as problem:
                raise (not_logged_in(self.name) if problem.status == 401 else problem) from problem
            keep_tokens(kept, pair)
            self._profiles.write(self.name, kept)
            self.profile = kept


def keep_tokens(profile: Profile, pair: dict[str, str]) -> None:
    profile.access, profile.refresh = pair["access"], pair["refresh"]
    profile.expires_at = time.time() + float(pair["expires_in"])


def open_session(name: str, environment: dict[str, str], profiles: Profiles, *, insecure: bool) -> Session:
    """The environment's key before a profile's; its addresses before either's."""
    kept = profiles.read(name)
    url, grpc, key = (environment.get(f"RECADO_{word}", "") for word in ("URL", "GRPC", "API_KEY"))
    if key:
        known = kept if kept is not None and not url else Profile(url or DEFAULT_URL, "")
        return Session(name, Profile(known.url, grpc or known.grpc, insecure or known.insecure, api_key=key))
    if kept is None:
        raise not_logged_in(name)
    session = Session(name, kept, profiles)
    if url or grpc or insecure:
        session.addresses = Addresses.of(
            url or kept.url, grpc or ("" if url else kept.grpc), insecure=insecure or kept.insecure
        )
        session.rest = Rest(session.addresses)
    return session
