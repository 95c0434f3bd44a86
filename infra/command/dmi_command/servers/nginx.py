"""nginx: the one address before services that run in processes of their own."""

from __future__ import annotations

import grp
import json
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dmi_command.heads import TOO_LONG as LONG_ADDRESS
from dmi_command.servers.errors import ServerStartFailed
from dmi_command.servers.process import ServerProcess, program, run
from dmi_infra.http.problems import MEDIA_TYPE, Problem

REMEDY: Final = "install it (Debian: apt-get install nginx-light; macOS: brew install nginx)"
KEEP_ALIVE_SECONDS: Final = 25
"""Shorter than the services keep a silent connection (30 s), so that none is used that they just closed."""
RETRY_SECONDS: Final = 1

AWAY: Final = Problem(503, "unavailable", "the service $service does not answer")
NOT_HTTP: Final = Problem(400, "invalid-input", "the request is not valid HTTP")
TOO_LONG: Final = Problem(
    431, "invalid-input", "the address and the headers may hold 64 KiB together, one header 32 KiB"
)

TEMPLATE: Final = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
# Streams that are open at a stop were told so by their service; nothing else takes this long.
worker_shutdown_timeout 1s;
events {{
  worker_connections 4096;
}}
http {{
  access_log off;
  server_tokens off;
  client_body_temp_path {folder}/temp;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp;
  scgi_temp_path {folder}/temp;
  # The services bound heads, and addresses more closely.
  large_client_header_buffers 4 32k;
  # How large a body may be is the services' to say.
  client_max_body_size 0;
  keepalive_requests 1000000;
{upstreams}
  server {{
    listen {address};
    merge_slashes off;
    error_page 400 405 501 505 =400 /.not-http;
    error_page 414 /.long-address;
    error_page 494 =431 /.too-long;
    error_page 502 504 =503 /.away;
    location / {{
      set $service {rest};
      {forward}
    }}
    location ~ ^/(?<named>{names})(?:/|$) {{
      set $service $named;
      {forward}
    }}
    location = /.well-known/dspace-version {{
      set $service exchange;
      {forward}
    }}
    location = /.not-http {{
      internal;
      {not_http}
    }}
    location = /.too-long {{
      internal;
      {too_long}
    }}
    location = /.long-address {{
      internal;
      {long_address}
    }}
    location = /.away {{
      internal;
      add_header Retry-After {retry} always;
      {away}
    }}
  }}
}}
"""
FORWARD: Final = """\
proxy_pass http://$service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      # Bodies and answers pass as they come: live events at once, large files without a copy on disk.
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_connect_timeout 5s;
      proxy_read_timeout 1h;
      # Asking again could do a thing twice; who asked decides that.
      proxy_next_upstream off;"""


class NginxServer:
    """One nginx on ``host``:``port`` before the services at ``targets`` (name to ``http://host:port``).

    The first part of a path names the service; everything else goes to ``rest``.
    """

    def __init__(self, folder: Path, host: str, port: int, targets: Mapping[str, str], rest: str) -> None:
        self.folder = folder.resolve()
        self._host = host
        self._port = port
        self._targets = dict(targets)
        self._rest = rest
        self._process = ServerProcess("nginx", self.folder / "nginx.log")

    @property
    def running(self) -> bool:
        """Whether nginx lives."""
        return self._process.running

    @property
    def group(self) -> int | None:
        """The process group while it lives."""
        return self._process.group

    def start(self) -> None:
        """Check the settings, start, and wait until it listens."""
        nginx = program("nginx", "nginx", REMEDY)
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "nginx.conf"
        settings.write_text(self._settings())
        command = [nginx, "-e", "stderr", "-p", str(self.folder), "-c", str(settings)]
        run("nginx", [*command, "-t", "-q"], self._process.log)
        self._process.start(command, self._listens)

    def stop(self, timeout: float = 5.0) -> None:
        """Let open requests end, for a second at most; then nginx ends."""
        self._process.stop(signal.SIGQUIT, timeout)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def _listens(self) -> bool:
        where = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        try:
            socket.create_connection((where, self._port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _settings(self) -> str:
        if any(character in str(self.folder) for character in " \t\n;{}\"'$\\"):
            raise ServerStartFailed(
                f"nginx cannot keep its files in {self.folder}: choose a data folder without spaces, "
                "quotes or signs with DMI_DATA_DIR"
            )
        upstreams = "".join(_upstream(name, target) for name, target in self._targets.items())
        text = TEMPLATE.format(
            folder=self.folder,
            upstreams=upstreams,
            address=f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}",
            rest=self._rest,
            names="|".join(self._targets),
            forward=FORWARD,
            not_http=_answer(NOT_HTTP),
            too_long=_answer(TOO_LONG),
            long_address=_answer(LONG_ADDRESS),
            away=_answer(AWAY),
            retry=RETRY_SECONDS,
        )
        # Started by root, the workers would be another user, who need not be able to reach the folder.
        return f"user root {_group()};\n{text}" if os.geteuid() == 0 else text


def _upstream(name: str, target: str) -> str:
    return (
        f"  upstream {name} {{\n"
        f"    server {target.removeprefix('http://')} max_fails=0;\n"
        "    keepalive 64;\n"
        "    keepalive_requests 1000000;\n"
        f"    keepalive_timeout {KEEP_ALIVE_SECONDS}s;\n"
        "  }\n"
    )


def _answer(problem: Problem) -> str:
    document = json.dumps(problem.body()).replace("'", "\\'")
    return f"default_type {MEDIA_TYPE};\n      return {problem.status} '{document}';"


def _group() -> str:
    """The group of root: it has another name on macOS."""
    return grp.getgrgid(0).gr_name
