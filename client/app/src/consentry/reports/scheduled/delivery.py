"""Where reports go: a folder or any storage that fsspec knows, and mail."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from mimetypes import guess_type
from typing import Any

from consentry.errors import ConsentryError
from consentry.reports.scheduled.schedule_file import Mail

PASSWORD_VARIABLE = "CONSENTRY_SMTP_PASSWORD"  # noqa: S105 - the variable's name
_SECONDS = 60


class DeliveryFailed(ConsentryError):
    """A report was made and could not be delivered; the next run tries again."""


class Storage:
    """A folder, or a bucket (``s3://…`` needs ``pip install consentry[s3]``, and a bucket that exists).

    Args:
        url: path or fsspec URL.
    """

    def __init__(self, url: str) -> None:
        # Here, for whoever composes reports and delivers none.
        import fsspec

        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise DeliveryFailed(
                "STORAGE_UNAVAILABLE", f"reports cannot be delivered to this kind of storage: {error}"
            ) from error
        self._is_local = "file" in _protocols(self._files)

    def read(self, name: str) -> bytes | None:
        """A file's content, None where there is none.

        Raises:
            DeliveryFailed: STORAGE_FAILED.
        """
        path = f"{self._root}/{name}"
        try:
            # Asking first whether it exists would be answered from a listing made earlier.
            return bytes(self._files.cat_file(path))
        except FileNotFoundError:
            return None
        except Exception as error:  # each kind of storage raises errors of its own
            raise _failed(error) from error

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files; in a folder each appears whole, for its owner's eyes only.

        Raises:
            DeliveryFailed: STORAGE_FAILED.
        """
        try:
            if self._is_local:
                self._files.makedirs(self._root, exist_ok=True)
            for name, data in files.items():
                self._write(f"{self._root}/{name}", data)
        except Exception as error:  # each kind of storage raises errors of its own
            raise _failed(error) from error

    def _write(self, path: str, data: bytes) -> None:
        if not self._is_local:
            self._files.pipe_file(path, data)
            return
        temporary = f"{path}.tmp"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105


def send_mail(mail: Mail, subject: str, text: str, files: Mapping[str, bytes]) -> None:
    """Mail files over TLS (STARTTLS; port 465: TLS from the start); without TLS to this machine only.

    Raises:
        DeliveryFailed: MAIL_FAILED.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(mail.recipients), subject
    message.set_content(text)
    for name, data in files.items():
        main, _, sub = (guess_type(name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    try:
        with _connected(mail) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(
            "MAIL_FAILED", f"{mail.server}:{mail.port} did not take the reports ({type(error).__name__})"
        ) from error


def _connected(mail: Mail) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if mail.port == smtplib.SMTP_SSL_PORT:
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.server, mail.port, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(mail.server, mail.port, timeout=_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif mail.server not in ("localhost", "127.0.0.1", "::1"):
            server.close()
            raise smtplib.SMTPException("the server offers no TLS")
    password = os.environ.get(PASSWORD_VARIABLE)
    if mail.user and password:
        server.login(mail.user, password)
    return server


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _failed(error: Exception) -> DeliveryFailed:
    # Never an error's own words: they may hold addresses signed with a secret.
    reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return DeliveryFailed("STORAGE_FAILED", f"the storage for reports did not work: {reason}")
