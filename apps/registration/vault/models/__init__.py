from apps.registration.vault.models.access import Access, Action
from apps.registration.vault.models.applied import Applied
from apps.registration.vault.models.person import LONGEST_NAME, Person, PersonField

__all__ = ["LONGEST_NAME", "Access", "Action", "Applied", "Person", "PersonField"]
