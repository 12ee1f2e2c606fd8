import pytest

from fabric_shim import ConfigurationError, Settings

PLAIN = {
    "CORE_CHAINCODE_ID": "label:1",
    "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:7052",
    "CHAINCODE_TLS_DISABLED": "true",
}


@pytest.fixture
def secured(tmp_path):
    environment = {**PLAIN, "CHAINCODE_TLS_DISABLED": "false"}
    for name in ("CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT"):
        path = tmp_path / name
        path.write_bytes(f"-----BEGIN {name}-----".encode())
        environment[name] = str(path)
    return environment


def test_plain_settings_and_their_defaults():
    settings = Settings.from_environment(PLAIN)
    assert (settings.package_id, settings.address, settings.tls) == ("label:1", "127.0.0.1:7052", None)
    assert (settings.limits.time_window_seconds, settings.limits.execute_timeout_seconds) == (60, 60)


def test_the_other_name_of_the_package_id_is_read_too():
    environment = {**PLAIN, "CHAINCODE_ID": "label:2"}
    del environment["CORE_CHAINCODE_ID"]
    assert Settings.from_environment(environment).package_id == "label:2"


def test_limits_are_read():
    environment = {
        **PLAIN,
        "CHAINCODE_TIME_WINDOW_SECONDS": "2.5",
        "CHAINCODE_EXECUTE_TIMEOUT_SECONDS": "7",
        "CHAINCODE_GRACE_SECONDS": "30",
    }
    settings = Settings.from_environment(environment)
    limits = settings.limits
    assert (settings.grace_seconds, Settings.from_environment(PLAIN).grace_seconds) == (30, 5)
    assert (limits.time_window_seconds, limits.execute_timeout_seconds) == (2.5, 7)


def test_mutual_tls_is_read_and_the_key_not_shown(secured):
    settings = Settings.from_environment(secured)
    assert settings.tls.key == b"-----BEGIN CHAINCODE_TLS_KEY-----"
    assert settings.tls.client_authorities == b"-----BEGIN CHAINCODE_CLIENT_CA_CERT-----"
    assert "TLS_KEY" not in repr(settings)


def test_tls_is_the_default_and_client_authorities_optional(secured):
    del secured["CHAINCODE_TLS_DISABLED"], secured["CHAINCODE_CLIENT_CA_CERT"]
    assert Settings.from_environment(secured).tls.client_authorities is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORE_CHAINCODE_ID", ""),
        ("CHAINCODE_SERVER_ADDRESS", ""),
        ("CHAINCODE_SERVER_ADDRESS", "7052"),
        ("CHAINCODE_SERVER_ADDRESS", "host:"),
        ("CHAINCODE_SERVER_ADDRESS", "host:port"),
        ("CHAINCODE_SERVER_ADDRESS", "host:65536"),
        ("CHAINCODE_TLS_DISABLED", "yes"),
        ("CHAINCODE_TLS_DISABLED", "false"),
        ("CHAINCODE_TIME_WINDOW_SECONDS", "0"),
        ("CHAINCODE_TIME_WINDOW_SECONDS", "-1"),
        ("CHAINCODE_TIME_WINDOW_SECONDS", "inf"),
        ("CHAINCODE_TIME_WINDOW_SECONDS", "a minute"),
        ("CHAINCODE_EXECUTE_TIMEOUT_SECONDS", "nan"),
        ("CHAINCODE_GRACE_SECONDS", "0"),
    ],
)
def test_what_cannot_be_used_is_named(name, value):
    with pytest.raises(ConfigurationError, match="CHAINCODE"):
        Settings.from_environment({**PLAIN, name: value})


@pytest.mark.parametrize("name", ["CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT"])
def test_files_that_are_missing_or_no_pem_are_named(secured, name, tmp_path):
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({**secured, name: str(tmp_path / "none")})
    (tmp_path / "text").write_text("no certificate")
    with pytest.raises(ConfigurationError, match="no PEM"):
        Settings.from_environment({**secured, name: str(tmp_path / "text")})


def test_operations_and_concurrency_are_read():
    environment = {
        **PLAIN,
        "CHAINCODE_OPERATIONS_ADDRESS": "127.0.0.1:9443",
        "CHAINCODE_CONCURRENT_TRANSACTIONS": "7",
        "CHAINCODE_WAITING_TRANSACTIONS": "9",
    }
    settings = Settings.from_environment(environment)
    limits = settings.limits
    assert (limits.concurrent_transactions, limits.waiting_transactions) == (7, 9)
    assert settings.operations_address == "127.0.0.1:9443"
    assert Settings.from_environment(PLAIN).operations_address is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHAINCODE_OPERATIONS_ADDRESS", "9443"),
        ("CHAINCODE_CONCURRENT_TRANSACTIONS", "0"),
        ("CHAINCODE_CONCURRENT_TRANSACTIONS", "many"),
    ],
)
def test_operations_and_concurrency_that_cannot_be_are_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({**PLAIN, name: value})
