"""`python -m pipelines <command>`: what the Makefile calls.

Belongs here: the command line. Not here: what the commands do.
"""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipelines")
    commands = parser.add_subparsers(dest="command", required=True)
    sync = commands.add_parser("sync", help="run the day, print the release")
    sync.add_argument("--from", dest="first")
    sync.add_argument("--to", dest="last")
    commands.add_parser("status", help="is everything there and well?")
    ui = commands.add_parser("ui", help="the Dagster UI with daemon")
    ui.add_argument("--port", type=int, default=3000)
    link = commands.add_parser("ui-link", help="another link into the UI")
    link.add_argument("--port", type=int, default=3000)
    user = commands.add_parser("ui-user", help="the password of a user of the UI")
    user.add_argument("--user", default="")
    user.add_argument("--right", choices=("operator", "reader"), default="reader")
    psql = commands.add_parser("psql", help="a shell on the warehouse")
    psql.add_argument("--role", default="", help="default: yihu_reader")
    psql.add_argument("--login", default="", help="a login of one's own instead")
    commands.add_parser("check", help="do the definitions load?")
    if len(sys.argv) > 1 and sys.argv[1] not in ("sync", "status", "ui", "ui-link", "ui-user", "psql", "check"):
        from pipelines import operations
        from pipelines.commands import settings_or_none

        operations.add_parsers(commands)
        return operations.run(settings_or_none(), parser.parse_args())
    asked = parser.parse_args()
    if asked.command == "sync":
        from pipelines.sync import sync as run

        return run(asked.first or os.environ.get("YIHU_TYPED_FROM") or None, asked.last or os.environ.get("YIHU_TYPED_TO") or None)
    from pipelines import commands as other

    if asked.command == "status":
        return other.status()
    if asked.command == "ui":
        return other.ui(asked.port)
    if asked.command == "ui-link":
        return other.ui_link(asked.port)
    if asked.command == "ui-user":
        return other.ui_user(asked.user, asked.right == "operator")
    if asked.command == "psql":
        return other.psql(asked.role, asked.login)
    return other.check()


if __name__ == "__main__":
    sys.exit(main())
