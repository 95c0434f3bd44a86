"""Real servers in folders of their own: for the tests and for ``make up-server``."""

from dmi_command.servers.errors import ServerError, ServerMissing, ServerStartFailed
from dmi_command.servers.kafka import KafkaServer, Outside, fetch_jars, outside_port
from dmi_command.servers.keeper import Keeper
from dmi_command.servers.mosquitto import MosquittoServer
from dmi_command.servers.nginx import NginxServer
from dmi_command.servers.postgres import PostgresServer
from dmi_command.servers.process import free_port

__all__ = [
    "KafkaServer",
    "Keeper",
    "MosquittoServer",
    "NginxServer",
    "Outside",
    "PostgresServer",
    "ServerError",
    "ServerMissing",
    "ServerStartFailed",
    "fetch_jars",
    "free_port",
    "outside_port",
]
