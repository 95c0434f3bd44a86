"""Read the topic of a transfer: ``python reader.py URL PARTICIPANT KEYFILE TRANSFER`` prints what comes, row by row.

An example for vendors, with httpx and kafka-python. The transfer is one in the format ``Kafka-PULL`` with ``own``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider

from dmi_infra.jose import ASSERTION_TYPE, SigningKey, make_assertion

REFUSED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)
"""What the broker says while the transfer is suspended, and after it has ended."""


class Exchange:
    """Your own node's exchange, asked in your name; its access token lives ten minutes."""

    def __init__(self, url: str, participant: str, key: SigningKey) -> None:
        self._http = httpx.Client(base_url=f"{url}/exchange")
        self._me = participant
        self._key = key
        self._token, self._until = "", 0.0

    def ask(self, method: str, path: str) -> Any:
        """The answer to one request."""
        if time.time() > self._until:
            assertion = make_assertion(self._key, self._me, f"{self._http.base_url}token", int(time.time()))
            form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
            got = self._http.post("/token", data={**form, "client_assertion": assertion}).raise_for_status()
            self._token, self._until = got.json()["access_token"], time.time() + 300
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.request(method, path, headers=headers).raise_for_status().json()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class Tokens(AbstractTokenProvider):
    """Tokens for the broker. Each lives a minute; the client asks for one whenever it connects or goes on."""

    def __init__(self, exchange: Exchange, transfer: str) -> None:
        self._exchange = exchange
        self._path = f"/v1/transfers/{transfer}/token"

    def token(self) -> str:
        """A token that is fresh; the exchange refuses one once the transfer does not run any more."""
        return str(self._exchange.ask("POST", self._path)["access_token"])


def consumer(exchange: Exchange, transfer: str, group: str = "reader") -> KafkaConsumer:
    """A consumer as the transfer's data address tells; the names of its groups begin as the topic's does."""
    told = exchange.ask("GET", f"/v1/transfers/{transfer}")["data_address"]
    found = {item["name"]: item["value"] for item in told["endpointProperties"]}
    made = KafkaConsumer(
        bootstrap_servers=told["endpoint"].split(","),
        security_protocol=found["security.protocol"],
        sasl_mechanism=found["sasl.mechanism"],
        sasl_oauth_token_provider=Tokens(exchange, transfer),
        group_id=f"{found['groupPrefix']}.{group}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    # Such a topic has one partition. Taken by number it is read at once, and by the position that the group keeps;
    # a member that joined before it had heard of the topic would be given nothing for minutes.
    made.assign([TopicPartition(found["topic"], 0)])
    return made


def main(url: str, participant: str, keyfile: str, transfer: str) -> None:
    """Print rows until the transfer has ended; what was printed once is not printed again."""
    exchange = Exchange(url, participant, SigningKey.load_or_create(Path(keyfile)))
    while (state := exchange.ask("GET", f"/v1/transfers/{transfer}")["state"]) not in (
        "COMPLETED",
        "TERMINATED",
    ):
        if state == "STARTED":
            reader = consumer(exchange, transfer)
            try:
                while True:
                    for records in reader.poll(timeout_ms=1000).values():
                        for record in records:
                            rows = json.loads(record.value)["observations"] or {"datastream": []}
                            for number, name in enumerate(rows["datastream"]):
                                print(
                                    name, rows["phenomenon_time"][number], rows["result"][number], flush=True
                                )
                        reader.commit()
            except REFUSED:
                pass  # suspended or ended: the exchange tells which
            finally:
                reader.close()
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
