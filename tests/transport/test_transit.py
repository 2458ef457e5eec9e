"""In transit: servers that are known, TLS that is new enough, and nothing unencrypted that the user has not named."""

from __future__ import annotations

import ssl
import warnings

import pytest

from aigw import ConfigError, Target, Tls
from aigw.errors import BadResponse, Unreachable
from aigw.ports import HttpRequest
from aigw.transport.lines import Certificates, Origin
from gateway.faces import FACES
from transport.raw_server import CERTIFICATE, RawServer, receive, server_tls, whole

BODY = b'{"fine": true}'
CLIENT = CERTIFICATE.with_name("client.pem")
OWN = Tls(ca=str(CERTIFICATE))


def answer(server, connection):
    """Answer every request."""
    while receive(connection):
        connection.sendall(whole(BODY))


def old_tls():
    """Make a server that speaks nothing newer than TLS 1.1."""
    context = server_tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def ask(line, server, tls):
    """Ask with these certificates; return the body."""
    return line.wait(line.send_again(HttpRequest(server.url, tls=tls)).read_all(5.0))


def test_an_authority_of_ones_own(line):
    """It is trusted where it was given, and nowhere else: the next request without it does not take its connection."""
    with RawServer(answer, tls=True) as server:
        bodies = [ask(line, server, OWN) for _ in range(2)]
        with pytest.raises(Unreachable, match="certificate"):
            ask(line, server, None)
        line.close()

    assert bodies == [BODY, BODY]


def test_a_client_certificate(line):
    """A server that wants one gets the one that was given."""
    context = server_tls()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CLIENT)
    with RawServer(answer, tls=context) as server:
        body = ask(line, server, Tls(ca=str(CERTIFICATE), certificate=str(CLIENT)))
        for wrong in (OWN, Tls(ca=str(CERTIFICATE), certificate=str(CERTIFICATE))):
            with pytest.raises(Unreachable):
                ask(line, server, wrong)
        line.close()

    assert body == BODY


def test_old_tls_is_not_spoken(line):
    """A server that knows nothing newer than TLS 1.1 is not reached."""
    with RawServer(answer, tls=old_tls()) as server, pytest.raises(Unreachable):
        ask(line, server, OWN)


@pytest.mark.parametrize("tls", [None, OWN])
def test_servers_are_always_verified(tls):
    """With any certificates: their names too, and with TLS 1.2 at least."""
    context = Certificates().verify(Origin("https://here", tls))

    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("tls", [Tls(ca="missing.pem"), Tls(certificate="missing.pem"), Tls(ca=__file__)])
def test_certificates_that_cannot_be_read(tls):
    """The error names the file."""
    with pytest.raises(ConfigError, match=r"Tls: .*(missing\.pem|test_transit\.py)"):
        Certificates().verify(Origin("https://here", tls))


def test_the_password_of_a_key_is_not_shown():
    """Nor is it part of what is printed of a request."""
    tls = Tls(certificate="c.pem", key="k.pem", password="secret-of-the-key")

    assert "secret-of-the-key" not in repr(tls) + repr(HttpRequest("https://here", tls=tls))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://localhost:8000/v1",
        "http://[::1]:8000/v1",
        "http://app.localhost/v1",
        "http://127.8.8.8/v1",
        "https://gpu-1:8000/v1",
        "https://8.8.8.8/v1",
    ],
)
def test_what_needs_no_word_of_the_user(url):
    """This machine, and whatever is encrypted."""
    assert Target(url, model="m").provider.where == url


@pytest.mark.parametrize(
    "host", ["gpu-1", "10.0.0.7", "192.168.1.1", "[fd00::1]", "[fe80::1]", "169.254.1.1", "localhost.example.org"]
)
def test_what_is_unencrypted_needs_a_word_of_the_user(host):
    """Another machine, be it ever so near."""
    url = f"http://{host}:8000/v1"
    with pytest.raises(ConfigError, match="plain_http=True"):
        Target(url, model="m")
    with pytest.raises(ConfigError, match="plain_http=True"):
        Target("vllm/m", base_url=url)

    assert Target(url, model="m", plain_http=True).provider.where == url


@pytest.mark.parametrize("host", ["8.8.8.8", "[2001:4860:4860::8888]"])
def test_public_addresses_are_asked_with_tls(host):
    """Whatever the user says."""
    with pytest.raises(ConfigError, match="must be asked with https"):
        Target(f"http://{host}/v1", model="m", plain_http=True)


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(name, status):
    """So that neither the key nor the prompt goes where it leads."""
    with RawServer(answer) as other:
        head = f"HTTP/1.1 {status} Moved\r\nlocation: {other.url}\r\ncontent-length: 0\r\n\r\n".encode()

        def moved(server, connection):
            receive(connection)
            connection.sendall(head)

        with (
            RawServer(moved) as server,
            FACES[name]({"r": Target(server.url, model="m", api_key="sk-key")}) as face,
            pytest.raises(BadResponse, match="redirect"),
        ):
            face.chat("hello")

        assert other.accepted == 0
