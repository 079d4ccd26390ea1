"""Files of invoices: read whoever wrote them, row by row, once each, whatever dies in between."""

import io
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from apps.billing import imports
from apps.billing.importing import cells, reading, run, workbooks
from apps.billing.importing.row import MOST_COLUMNS, Unreadable
from apps.billing.models import Invoice, InvoiceImport, ReminderPlan
from apps.core import clock
from apps.files.models import File
from apps.files.stores import store
from apps.files.stores.store import Store
from apps.messaging.models import Contact
from tests.billing.bills import wanted
from tests.cast import Api, House
from tests.files.bringing import keep

pytestmark = pytest.mark.django_db

HEADER = "Número;Cliente;Telefone;E-mail;Valor;Vencimento;Link;Pix;Boleto;Etiquetas"


@pytest.fixture(autouse=True)
def _store(file_store: Store) -> None:
    """Where files lie."""


def start(house: House, content: bytes | str, name: str = "contas.csv") -> InvoiceImport:
    written = content.encode() if isinstance(content, str) else content
    return imports.start(house.principal(), keep(house.organization, written, name).pk)


def read(house: House, content: bytes | str, name: str = "contas.csv") -> InvoiceImport:
    started = start(house, content, name)
    run.run(started.pk)
    started.refresh_from_db()
    assert started.leased_until is None
    return started


def outcome(done: InvoiceImport) -> tuple[str, int, int, int, int, int]:
    return (
        done.state, done.done_rows, done.created_rows, done.changed_rows, done.unchanged_rows, done.refused_rows,
    )  # fmt: skip


def lines(count: int, **values: Any) -> str:
    given = {"amount": "149,90"} | values
    return HEADER + "\n" + "".join(f"{n};Ana;+55119{n:08d};;{given['amount']};10/12/2026\n" for n in range(count))


def wrong(done: InvoiceImport) -> list[tuple[int, str, str]]:
    return [(each["row"], each["field"], each["code"]) for each in done.errors]


def test_portuguese_table_is_read(aurora: House) -> None:
    table = (
        f"{HEADER}\r\n"
        '"F 1";"Ana; Lima";(11) 91234-5601;ana@exemplo.com;"R$ 1.234,56";31/12/2026;'
        'https://p.example/1;;;"gold, sul"\r\n'
        "F 2;José;11 91234-5602;;99,9;2027-01-02;;;;\r\n"
    )  # fmt: skip
    for content in (table.encode("utf-8-sig"), table.encode("latin-1"), table.encode("utf-16")):
        done = read(aurora, content)
        assert done.state == "done", done.error_detail
        assert done.done_rows == done.total_rows == 2
        first, second = Invoice.across_organizations.select_related("contact").order_by("number")
        assert (first.number, first.amount, first.due_on) == ("F 1", 123456, date(2026, 12, 31))
        assert (first.tags, first.payment_url) == (["gold", "sul"], "https://p.example/1")
        assert first.contact.name == "Ana; Lima"
        assert set(first.contact.addresses.values_list("value", flat=True)) == {
            "+5511912345601",
            "ana@exemplo.com",
        }
        assert (second.contact.name, second.amount, second.due_on) == ("José", 9990, date(2027, 1, 2))
    assert done.unchanged_rows == 2
    assert ReminderPlan.across_organizations.filter(look_at__isnull=False).count() == 2


def test_english_table_is_read_whatever_separates_it(aurora: House) -> None:
    for n, separator in enumerate(",\t;"):
        header = separator.join(["Invoice Number", "Phone", "Amount", "Due date", "Their colour"])
        row = separator.join([f"{n}", "+5511912345601", "1234.56", "2026-12-31", "red"])
        assert read(aurora, f"{header}\n{row}\n").created_rows == 1
    assert set(Invoice.across_organizations.values_list("amount", flat=True)) == {123456}


def test_broken_rows_are_named_and_the_others_saved(aurora: House) -> None:
    done = read(
        aurora,
        f"{HEADER}\n"
        "1;Ana;11912345601;;10,00;31/12/2026\n"
        "2;Ana;;;10,00;31/12/2026\n"
        "3;Ana;12;;10,00;31/12/2026\n"
        "\n"
        "4;Ana;11912345601;;1.234;31/12/2026\n"
        "5;Ana;11912345601;;10,00;31/02/2026\n"
        "6;Ana;11912345601;;0;31/12/2026\n"
        ";Ana;11912345601;;10,00;31/12/2026\n"
        "8;Ana;11912345601;;10,00;31/12/2026;;x;1\n"
        "1;Ana;11912345601;;20,00;31/12/2026\n"
        "9;Ana;11912345601;;10,00;12/31/26\n",
    )
    assert wrong(done) == [
        (3, "customer", "required"),
        (4, "customer/phone", "bad_address"),
        (6, "amount", "ambiguous_amount"),
        (7, "due_on", "bad_date"),
        (8, "amount", "out_of_range"),
        (9, "number", "blank"),
        (10, "pix_code", "bad_pix"),
        (10, "boleto_line", "bad_boleto"),
        (11, "number", "repeated"),
        (12, "due_on", "bad_date"),
    ]
    assert outcome(done) == ("done", 11, 1, 0, 0, 9)
    assert all(each["detail"] for each in done.errors)


def workbook(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_workbook_is_read(aurora: House) -> None:
    done = read(
        aurora,
        workbook([
            ["Nº", "Nome", "Celular", "Valor", "Data de vencimento", "Cor"],
            [1001, "Ana", 11912345601, 1234.56, datetime(2026, 12, 31), "red"],  # noqa: DTZ001 - spreadsheets have none
            ["A 2", "Bia", "+5511912345602", "1.234,56", "2026-12-31"],
            [None, None, None, None, None, None],
            ["A 3", "Caio", 11912345603.0, 0.1 + 0.2, date(2026, 12, 31)],
            ["A 4", "Caio", 11912345603.0, 0.123, date(2026, 12, 31)],
        ]),
        "contas.xlsx",
    )  # fmt: skip
    assert done.state == "done", done.error_detail
    assert wrong(done) == [(6, "amount", "too_many_decimals")]
    found = dict(Invoice.across_organizations.values_list("number", "amount"))
    assert found == {"1001": 123456, "A 2": 123456, "A 3": 30}
    assert done.total_rows == done.done_rows == 5


def test_json_is_that_of_the_api_or_a_table(aurora: House) -> None:
    flat = {
        "número": "2",
        "cliente": "Bia",
        "telefone": "11912345602",
        "valor": "12,50",
        "vencimento": "31/12/2026",
    }
    objects = [wanted("1"), flat, wanted("3", amount="5"), flat | {"valor": 12.5}, 7]
    done = read(aurora, orjson.dumps(objects), "contas.json")
    assert wrong(done) == [(3, "amount", "wrong_type"), (4, "valor", "wrong_type"), (5, "", "wrong_type")]
    assert dict(Invoice.across_organizations.values_list("number", "amount")) == {"1": 14990, "2": 1250}
    by_line = b"\n".join(map(orjson.dumps, objects[:2])) + b"\n\n{broken\n"
    done = read(aurora, by_line, "contas.jsonl")
    assert outcome(done) == ("done", 4, 0, 0, 2, 1)
    assert wrong(done) == [(4, "", "malformed_json")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "number"),
        ("a;b\n1;2\n", "number"),
        ("number;phone;amount\n1;2;3\n", "due date"),
        ("number;phone;amount;valor;due\n1;2;3;4;5\n", "Two columns"),
        (";".join(["number", "phone", "amount", "due"] + ["x"] * MOST_COLUMNS), "columns"),
        (f'{HEADER}\n"{"x" * 200_000}"\n', "Line 2"),
        (b"PK\x03\x04rubbish", "workbook"),
        ("[1, 2", "JSON"),
    ],
)
def test_file_that_cannot_be_read_is_refused_as_a_whole(aurora: House, content: bytes | str, said: str) -> None:
    done = read(aurora, content)
    assert done.state == "refused"
    assert said in done.error_detail


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 10 * 1024 * 1024)
    monkeypatch.setattr(workbooks, "MOST_SHARED", 1024 * 1024)
    bombs = {
        "unpack": {"xl/worksheets/sheet1.xml": bytes(11 * 1024 * 1024)},
        "more text": {"xl/sharedStrings.xml": bytes(2 * 1024 * 1024)},
        "a row": {"xl/worksheets/sheet1.xml": b"<row>" + b"<c/>" * 2_000_000},
    }
    for said, parts in bombs.items():
        with pytest.raises(Unreadable, match=said):
            reading.count_rows(packed(tmp_path / "bomb.xlsx", parts))
    hidden = b"<row>" + (b"<c/>" * 1000 + b"<!--<row >-->") * 100
    with pytest.raises(Unreadable, match="a row"):
        reading.count_rows(packed(tmp_path / "bomb.xlsx", {"xl/worksheets/sheet1.xml": hidden}))


def test_rows_are_limited(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 2)
    for module in ("tables", "workbooks", "documents"):
        monkeypatch.setattr(f"apps.billing.importing.{module}.MOST_ROWS", 2)
    assert read(aurora, lines(3)).error_detail.startswith("A file has at most 2 rows")
    assert read(aurora, orjson.dumps([wanted("x")] * 3)).state == "refused"
    book = workbook(
        [["number", "phone", "amount", "due"], *([n, "11912345601", 1, "2026-12-31"] for n in range(3))]
    )
    done = read(aurora, book)
    assert (done.state, done.created_rows) == ("refused", 2)
    assert "Only the first 2 rows" in done.error_detail


def test_errors_are_kept_up_to_a_number(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_ERRORS", 3)
    monkeypatch.setattr(run, "BATCH_ROWS", 2)
    done = read(aurora, lines(7, amount="x"))
    assert [each["row"] for each in done.errors] == [2, 3, 4]
    assert done.refused_rows == 7


class Killed(BaseException):
    """As if the machine had gone."""


def test_next_worker_goes_on_where_one_was_killed(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 10)
    started = start(aurora, lines(35))
    save, saved = run._save, []

    def dies(claimed: InvoiceImport, rows: Any) -> None:
        save(claimed, rows)
        saved.append(len(rows))
        if len(saved) == 2:
            raise Killed

    monkeypatch.setattr(run, "_save", dies)
    monkeypatch.setattr(run, "_release", lambda _claimed: None)
    with pytest.raises(Killed):
        run.run(started.pk)
    started.refresh_from_db()
    assert (started.state, started.done_rows, started.total_rows) == ("running", 20, 35)
    assert Invoice.across_organizations.count() == 20
    run.run(started.pk)
    assert len(saved) == 2, "the lease of the dead one has not ended"
    InvoiceImport.across_organizations.update(leased_until=clock.now() - timedelta(seconds=1))
    run.run(started.pk)
    started.refresh_from_db()
    assert outcome(started) == ("done", 35, 35, 0, 0, 0)
    assert saved == [10, 10, 10, 5]


def test_rows_and_counters_are_saved_together(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    started = start(aurora, lines(3))

    def dies(*_given: Any, **_named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(InvoiceImport, "save", dies)
        with pytest.raises(Killed):
            run.run(started.pk)
    assert not Invoice.across_organizations.exists()
    run.run(started.pk)
    started.refresh_from_db()
    assert outcome(started) == ("done", 3, 3, 0, 0, 0)


def test_worker_whose_lease_was_taken_saves_nothing_more(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 10)
    started = start(aurora, lines(30))
    save = run._save

    def overtaken(claimed: InvoiceImport, rows: Any) -> None:
        save(claimed, rows)
        InvoiceImport.across_organizations.update(leased_until=clock.now() + timedelta(hours=1))

    monkeypatch.setattr(run, "_save", overtaken)
    run.run(started.pk)
    started.refresh_from_db()
    assert (started.state, started.done_rows, Invoice.across_organizations.count()) == ("running", 10, 10)


def test_forgotten_imports_are_rung_for(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Any] = []
    monkeypatch.setattr("apps.core.errands.start", lambda _task, subject: rung.append(subject))
    old, now = clock.now() - timedelta(minutes=5), clock.now()
    forgotten, dead, at_work, new, done = (start(aurora, lines(1)) for _ in range(5))
    rows = InvoiceImport.across_organizations
    rows.exclude(pk=new.pk).update(changed_at=old)
    rows.filter(pk=dead.pk).update(state="running", leased_until=now - timedelta(seconds=1))
    rows.filter(pk=at_work.pk).update(state="running", leased_until=now + timedelta(minutes=1))
    rows.filter(pk=done.pk).update(state="done")
    imports.ring_forgotten()
    assert set(rung) == {forgotten.pk, dead.pk}


def test_file_that_went_is_said(aurora: House) -> None:
    started = start(aurora, lines(1))
    file = File.across_organizations.get()
    assert file.is_used
    store().remove(file.key)
    run.run(started.pk)
    started.refresh_from_db()
    assert (started.state, started.error_detail) == ("refused", "The file was deleted.")


def test_import_is_begun_and_followed_over_rest(owner: Api, aurora: House, boreal: House) -> None:
    file = keep(aurora.organization, lines(3, amount="x").encode())
    answer = owner.post("/v1/invoices/import", {"file_id": str(file.pk)})
    assert answer.status_code == 202
    assert answer.json()["state"] == "waiting"
    run.run(answer.json()["id"])
    found = owner.get(f"/v1/invoice-imports/{answer.json()['id']}").json()
    assert (found["state"], found["refused_rows"], len(found["errors"])) == ("done", 3, 3)
    (listed,) = owner.get("/v1/invoice-imports").json()["data"]
    assert listed["id"] == found["id"]
    assert "errors" not in listed
    theirs = keep(boreal.organization, b"x")
    large = keep(aurora.organization, b"y")
    File.across_organizations.filter(pk=large.pk).update(size=imports.LARGEST_BYTES + 1)
    for file_id, code in ((theirs.pk, "unknown_file"), (large.pk, "file_too_large")):
        refused = owner.post("/v1/invoices/import", {"file_id": str(file_id)})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("1.234,56", 123456), ("1234.56", 123456), ("1,234.56", 123456), ("R$ 1.234.567,80", 123456780),
        ("10", 1000), ("10,5", 1050), ("1.000.000", 100000000), ("BRL 7,00", 700), ("1 234,56", 123456),
        (12.3, 1230), (5, 500), (0.07, 7),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(written: Any, cents: int) -> None:
    assert cells.amount(written, "BRL") == cents


@pytest.mark.parametrize(
    "written", ["1.234", "1,234", "ten", "1,23,4", "10.5.1", "٣", True, 1e30, float("nan"), "--1"]
)
def test_amount_that_could_be_another_is_refused(written: Any) -> None:
    with pytest.raises(cells.BadCell):
        cells.amount(written, "BRL")


def test_currency_says_how_many_decimals_there_are() -> None:
    assert cells.amount("1500", "JPY") == 1500
    with pytest.raises(cells.BadCell):
        cells.amount("15,5", "JPY")


def test_thousands_of_rows_are_read(aurora: House) -> None:
    done = read(aurora, lines(2200))
    assert outcome(done) == ("done", 2200, 2200, 0, 0, 0)
    assert Contact.across_organizations.count() == 2200
