"""An issuer of membership credentials, whose DID document and status list are served; and holders that are no node."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dmi_exchange.dcp.did import document_of, of_address
from dmi_exchange.dcp.messages import VC_CONTEXT
from dmi_infra import clock, jose

DAY = 86_400_000_000
BITS = 131_072


class Site:
    """Documents by path, and which of them were asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []

    def page(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.pages.get(path)


@contextmanager
def served() -> Iterator[Site]:
    """A site that listens on a port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.page(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: tests read what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class Party:
    """Somebody with a DID below a site, and the key that its document shows."""

    def __init__(self, site: Site, name: str, **services: str) -> None:
        self.site, self.name = site, name
        self.url = f"{site.url}/{name}"
        self.did = of_address(self.url)
        self.key = jose.SigningKey.generate()
        self.services = services
        self.publish()

    def publish(self, **changes: Any) -> None:
        """Show the document, with other members than it should have where a test wants that."""
        document = document_of(self.did, [self.key.public], self.services) | changes
        self.site.pages[f"/{self.name}/did.json"] = json.dumps(document).encode()


class Membership(Party):
    """An issuer: credentials, and the list by which it withdraws them."""

    def __init__(self, site: Site, name: str) -> None:
        super().__init__(site, name)
        self.list_url = f"{self.url}/list"
        self.withdraw()

    def withdraw(self, *indexes: int, **changes: Any) -> None:
        """Serve the list with these places set."""
        bits = bytearray(BITS // 8)
        for index in indexes:
            bits[index // 8] |= 0x80 >> index % 8
        packed = base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).rstrip(b"=").decode()
        says = {
            "@context": [VC_CONTEXT],
            "id": self.list_url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.did,
            "validUntil": clock.to_text(clock.now() + DAY),
            "credentialSubject": {
                "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": f"u{packed}",
            },
        }  # fmt: skip
        signed = self.key.sign_token(says | changes, "vc+jwt", self.did)
        self.site.pages[f"/{self.name}/list"] = signed.encode()

    def issue(self, holder: str, participant: str, index: int = 7, **changes: Any) -> str:
        """A membership credential, but for what ``changes`` says otherwise."""
        now = clock.now()
        says = {
            "@context": [VC_CONTEXT],
            "id": f"{self.url}/credentials/{index}",
            "type": ["VerifiableCredential", "MembershipCredential"],
            "issuer": self.did,
            "validFrom": clock.to_text(now - DAY),
            "validUntil": clock.to_text(now + DAY),
            "credentialSubject": {"id": holder, "participant": participant},
            "credentialStatus": {
                "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
                "statusListIndex": str(index), "statusListCredential": self.list_url,
            },
        }  # fmt: skip
        return self.key.sign_token(says | changes, "vc+jwt", self.did)
