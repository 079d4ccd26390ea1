"""Registration flows in the admin: written, published and put live by people who write no JSON."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import AuditEvent
from apps.channels.models import ChannelAccount
from apps.registration import default_texts, flows
from apps.registration.admin.flow_document import LANGUAGES, TEXTS
from apps.registration.models import FlowVersion, Registration, RegistrationFlow
from tests.cast import House
from tests.live.test_views import browser_of
from tests.messaging.desk import BIA, CAIO, open_account
from tests.registration.talks import CONSENT, Person, counter, definition, live_flow

pytestmark = pytest.mark.django_db
LIST = "/admin/registration/registrationflow/"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser_of(aurora.admin.user)


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return counter(aurora)


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def page(flow: RegistrationFlow, action: str = "change") -> str:
    return reverse(f"admin:registration_registrationflow_{action}", args=[flow.pk])


def typed(*questions: dict[str, str], **values: str) -> dict[str, str]:
    """As the page sends it."""
    rows = questions or ({"kind": "name"},)
    data = {
        "name": "Cadastro", "position": "0", "keywords": "cadastro, quero me cadastrar", "starts_by_intent": "on",
        "remind_after": "60", "close_after": "120", "redact_after": "", "keep_days": "", "told_by": "",
        "told_at": "", **{f"{name}_{ending}": "" for name in TEXTS for ending in LANGUAGES},
        "consent_pt": CONSENT, "versions-TOTAL_FORMS": str(len(rows)), "versions-INITIAL_FORMS": "0",
        "versions-MIN_NUM_FORMS": "0", "versions-MAX_NUM_FORMS": "1000",
    }  # fmt: skip
    for n, given in enumerate(rows):
        usual = {
            "kind": "", "key": "", "order": "", "required": "on", "id": "", "flow": "",
            **{f"{name}_{ending}": "" for name in ("ask", "help", "label") for ending in LANGUAGES},
        }  # fmt: skip
        data |= {f"versions-{n}-{name}": value for name, value in (usual | given).items()}
    return data | values


def as_shown(client: Client, flow: RegistrationFlow) -> dict[str, Any]:
    """What the page would send if nobody changed anything on it."""
    answer = client.get(page(flow))
    form, (formset,) = (
        answer.context["adminform"].form,
        [each.formset for each in answer.context["inline_admin_formsets"]],
    )
    fields = [*form, *formset.management_form, *(field for row in formset for field in row)]
    said = {field.html_name: field.value() for field in fields}
    return {name: value for name, value in said.items() if value is not None and value is not False}


def the_flow(house: House) -> RegistrationFlow:
    return RegistrationFlow.objects.for_organization(house.organization).select_related("published").get()


def test_flow_is_written_in_rows_and_published(client: Client, aurora: House, account: ChannelAccount) -> None:
    assert "Nome" not in shown(client.get(f"{LIST}add/"))
    answer = client.post(
        f"{LIST}add/",
        typed(
            {
                "kind": "free",
                "key": "size",
                "order": "2",
                "ask_pt": "Que número você calça?",
                "label_pt": "Número",
            },
            {"kind": "email", "order": "1", "required": "", "help_pt": "Para a nota."},
            {},
            accounts=str(account.pk),
            done_pt="Valeu!",
        ),
    )
    assert answer.status_code == 302, answer.content.decode()
    flow = the_flow(aurora)
    assert flow.accounts == [account.pk]
    assert flow.keywords == ["cadastro", "quero me cadastrar"]
    assert not flow.is_live
    assert flow.published is not None
    assert flow.published.number == 1
    assert flow.published.definition == {
        "languages": ["pt-BR"],
        "questions": [
            {
                "key": "email", "kind": "email", "required": False, "ask": {}, "help": {"pt-BR": "Para a nota."},
                "label": {},
            },
            {
                "key": "size", "kind": "free", "required": True, "ask": {"pt-BR": "Que número você calça?"},
                "help": {}, "label": {"pt-BR": "Número"},
            },
        ],
        "texts": {"pt-BR": {"consent": CONSENT, "done": "Valeu!"}},
    }  # fmt: skip
    trail = AuditEvent.across_organizations.values_list("action", flat=True)
    assert {"registration_flow.added", "registration_flow.published"} <= set(trail)


def test_question_is_folded_to_what_it_asks_for_unless_something_is_wrong_with_it(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    size = {"kind": "free", "key": "size", "ask": {"pt-BR": "Número?", "en": "Size?"}, "label": {}}
    flow = live_flow(aurora, account)
    flows.publish(aurora.principal(), flow, definition({"kind": "name"}, size))
    row = re.compile(r'<details( open)?> <summary[^>]*><span class="stacked-counter">\d</span>\. ([^<]+)<')
    titles = row.findall(shown(client.get(page(flow))))
    assert titles == [("", "Name"), ("", "Free text: size"), (" open", "Question")]
    wrong = shown(client.post(page(flow), as_shown(client, flow) | {"versions-1-key": "Não"}))
    assert row.findall(wrong) == [("", "Name"), (" open", "Free text: Não"), (" open", "Question")]


def test_flow_that_is_saved_unchanged_has_no_new_version(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    flow = live_flow(aurora, account)
    data = as_shown(client, flow)
    assert client.post(page(flow), data).status_code == 302
    assert the_flow(aurora).published_id == flow.published_id
    assert client.post(page(flow), data | {"name": "Other"}).status_code == 302
    assert (the_flow(aurora).name, FlowVersion.across_organizations.count()) == ("Other", 1)


def test_flow_with_other_questions_is_published_anew(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    flow = live_flow(aurora, account)
    data = as_shown(client, flow) | {"versions-2-required": "on", "versions-0-order": "25", "welcome_en": "Hi!"}
    assert client.post(page(flow), data).status_code == 302
    version = the_flow(aurora).published
    assert version is not None
    assert version.number == 2
    questions = version.definition["questions"]
    assert [(each["key"], each["required"]) for each in questions] == [
        ("email", True), ("name", True), ("tax_id", True),
    ]  # fmt: skip
    assert version.definition["texts"]["en"]["welcome"] == "Hi!"
    assert FlowVersion.across_organizations.get(number=1).definition == definition()


def test_question_that_is_left_out_is_asked_no_more(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    flow = live_flow(aurora, account)
    data = as_shown(client, flow) | {"versions-0-left_out": "on", "versions-0-kind": ""}
    assert client.post(page(flow), data).status_code == 302
    version = the_flow(aurora).published
    assert version is not None
    assert [each["key"] for each in version.definition["questions"]] == ["email", "tax_id"]


def test_languages_that_the_form_does_not_know_stay(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    flow = live_flow(aurora, account)
    document = definition({"kind": "name", "ask": {"es": "¿Su nombre?"}}) | {"languages": ["es", "en", "pt-BR"]}
    document["texts"]["es"] = {"consent": "Guardamos sus datos."}
    flows.publish(aurora.principal(), flow, document)
    assert client.post(page(flow), as_shown(client, flow) | {"ask_pt": "", "welcome_pt": "Oi!"}).status_code == 302
    version = the_flow(aurora).published
    assert version is not None
    assert version.definition["languages"] == ["es", "en", "pt-BR"]
    assert version.definition["texts"]["es"] == {"consent": "Guardamos sus datos."}
    assert version.definition["questions"][0]["ask"] == {"es": "¿Su nombre?"}


@pytest.mark.parametrize(
    ("questions", "values", "field", "said"),
    [
        ([], {"consent_pt": ""}, "consent_pt", "Say it in at least one language"),
        ([], {"welcome_en": "Hi!"}, "consent_en", "Say what people agree to"),
        ([], {"keywords": "ok, !!"}, "keywords", "A keyword has letters or digits"),
        ([], {"told_at": "https://books.example/"}, "told_by", "Give both the webhook account and the URL"),
        ([], {"remind_after": "0"}, "remind_after", "greater than or equal to 1"),
        ([{"kind": "free", "key": "size"}], {}, "ask_pt", "Say what is asked"),
        ([{"kind": "name"}, {"kind": "name", "key": "b"}], {}, "kind", "Only free questions can be asked"),
        ([{"kind": "name", "key": "Não"}], {}, "key", "Small letters, digits and underscores"),
        ([{"kind": "name", "help_en": "All of it."}], {}, "ask_en", "Say in this language too"),
        ([{"kind": "name", "ask_en": "Name?"}], {}, "ask_en", "Say in this language too what people agree to"),
        ([{"ask_pt": "Nome?"}], {}, "kind", "This field is required"),
    ],
)  # fmt: skip
def test_what_the_api_refuses_is_said_at_its_field(
    client: Client, questions: list[dict[str, str]], values: dict[str, str], field: str, said: str
) -> None:
    answer = client.post(f"{LIST}add/", typed(*questions) | values)
    assert said in shown(answer)
    rows = answer.context["inline_admin_formsets"][0].formset.forms
    wrong = [answer.context["adminform"].form.errors, *(row.errors for row in rows)]
    assert {name for errors in wrong for name in errors} == {field}
    assert not RegistrationFlow.across_organizations.exists()


def test_flow_without_a_question_or_with_a_taken_name_is_refused(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    assert "Ask at least one question" in shown(client.post(f"{LIST}add/", typed({})))
    live_flow(aurora, account)
    assert "Another registration flow has this name" in shown(client.post(f"{LIST}add/", typed()))


def test_only_accounts_that_hear_replies_are_offered(
    client: Client, aurora: House, boreal: House, account: ChannelAccount
) -> None:
    hook, theirs = open_account(aurora, "webhook"), open_account(boreal, "telegram")
    form = client.get(f"{LIST}add/").context["adminform"].form
    assert [value for value, _label in form.fields["accounts"].choices] == [str(account.pk)]
    assert [value for value, _label in form.fields["told_by"].choices] == ["", str(hook.pk)]
    refused = client.post(f"{LIST}add/", typed(accounts=str(theirs.pk)))
    assert "accounts" in refused.context["adminform"].form.errors


def offered(client: Client, flow: RegistrationFlow) -> list[str]:
    text = shown(client.get(page(flow)))
    return [each for each in ("funnel_page", "go_live_flow", "stop_flow") if f'"{page(flow, each)}"' in text]


def test_flow_goes_live_and_stops_after_asking(client: Client, aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    assert offered(client, flow) == ["funnel_page", "stop_flow"]
    assert "Nobody begins any more" in shown(client.get(page(flow, "stop_flow")))
    assert the_flow(aurora).is_live
    client.post(page(flow, "stop_flow"))
    assert not the_flow(aurora).is_live
    assert offered(client, flow) == ["funnel_page", "go_live_flow"]
    assert "is asked for their data from now on" in shown(client.get(page(flow, "go_live_flow")))
    client.post(page(flow, "go_live_flow"))
    assert the_flow(aurora).is_live


@pytest.mark.django_db(transaction=True)
def test_flow_that_registered_people_is_not_removed(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    flow = live_flow(aurora, account)
    Person(account).says("cadastro")
    answer = client.post(page(flow, "delete"), {"post": "yes"}, follow=True)
    assert "it can be stopped, but not removed" in shown(answer)
    assert RegistrationFlow.across_organizations.exists()


def test_list_names_channels_and_versions_in_few_statements(
    client: Client, aurora: House, account: ChannelAccount, django_assert_max_num_queries: Any
) -> None:
    other = open_account(aurora, "telegram")
    for n in range(5):
        live_flow(aurora, account, name=f"Flow {n}", accounts=[other.pk, account.pk])
    with django_assert_max_num_queries(12):
        text = shown(client.get(LIST))
    assert text.count(f"{other.name}, {account.name}") == 5


def test_viewer_reads_and_changes_nothing(aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    client = browser_of(aurora.viewer.user)
    text = shown(client.get(page(flow)))
    assert "What is your full name?" in text
    assert "consent_pt" not in text
    assert client.post(page(flow), typed(name="Mine")).status_code == 403
    assert client.get(page(flow, "stop_flow")).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert the_flow(aurora).name == "Cadastro"


def test_strangers_see_no_flow(boreal: House, aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    client = browser_of(boreal.owner.user)
    assert "Cadastro</a>" not in shown(client.get(LIST))
    for action in ("change", "funnel_page", "stop_flow"):
        answer = client.get(page(flow, action))
        assert answer.status_code in (302, 404)


@pytest.mark.django_db(transaction=True)
def test_funnel_shows_how_far_people_got(client: Client, aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    Person(account).says("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "não", "sim")
    Person(account, BIA).says("cadastro", "sim", "Bia Souza", "não quero mais")
    Person(account, CAIO).says("cadastro", "não")
    states = Registration.across_organizations.order_by("id").values_list("state", flat=True)
    assert list(states) == ["completed", "stopped", "declined"]
    answer = client.get(page(flow, "funnel_page"))
    assert [(each.label, each.reached, each.percent, each.dropped) for each in answer.context["stages"]] == [
        ("Started", 3, 100, 1), ("Agreed", 2, 67, 0), ("Name", 2, 67, 0), ("E-mail", 2, 67, 1),
        ("CPF/CNPJ", 1, 33, 0), ("Everything answered", 1, 33, 0), ("Completed", 1, 33, 0),
    ]  # fmt: skip
    text = shown(answer)
    assert "1 left here" in text
    assert "Stopped by the person" in text
    assert "Corrections of what is known" not in text
    Registration.across_organizations.filter(state="completed").update(is_update=True)
    answer = client.get(page(flow, "funnel_page"))
    assert (answer.context["stages"][0].reached, answer.context["updates"]) == (2, 1)
    assert "not counted here: 1" in shown(answer)
    for odd in ("7", "90", "0", "x"):
        assert shown(client.get(page(flow, "funnel_page") + f"?days={odd}"))


def test_form_has_a_field_for_each_text_that_a_flow_may_say() -> None:
    assert set(TEXTS) == set(default_texts.NAMES)
