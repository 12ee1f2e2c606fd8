"""Reports by mail, taken by a real SMTP server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from consentry.reports.scheduled.delivery import DeliveryFailed, send_mail
from consentry.reports.scheduled.schedule_file import Mail

pytestmark = pytest.mark.integration


class Inbox(Message):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__(message_class=EmailMessage)
        self.messages: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


def test_the_files_arrive_as_they_were_sent(inbox: tuple[Inbox, int]) -> None:
    received, port = inbox
    mail = Mail("127.0.0.1", port, "ledger@example.org", ("dpo@example.org", "cio@example.org"))
    files = {"processing.html": b"<!DOCTYPE html>", "processing.manifest.json": b"{}"}
    send_mail(mail, "Records of processing", "Article 30", files)
    (message,) = received.messages
    assert message["To"] == "dpo@example.org, cio@example.org"
    parts = {
        part.get_filename(): part.get_payload(decode=True) for part in message.walk() if part.get_filename()
    }
    assert parts == files


def test_a_server_that_is_not_there_is_said(inbox: tuple[Inbox, int]) -> None:
    mail = Mail("127.0.0.1", 1, "ledger@example.org", ("dpo@example.org",))
    with pytest.raises(DeliveryFailed, match="MAIL_FAILED"):
        send_mail(mail, "subject", "text", {})
