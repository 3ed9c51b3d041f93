"""Every command, declared once.

Belongs here: the declarations; the parser, what the Makefile hands over and `docs/commands.md` come
from them. Not here: their form (`declared`), what a command does (the function that `runs` names).
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.command_line.declared import Argument, Command

AS_OF = Argument("--as-of", "AS_OF", "the business day, YYYY-MM-DD; default: yesterday")
DAY = Argument("--day", "DAY", "a business day, YYYY-MM-DD", is_needed=True)
BY = Argument("--by", "BY", "a person's name, which is recorded beside the login")
WHY = Argument("--why", "WHY", "the reason, which is recorded; WHY_FILE names a file that has it")
LOGIN = Argument("--login", "LOGIN", "the login", is_needed=True)
ROLE = Argument("--role", "ROLE", "yihu_reader, yihu_area, … (docs/security.md)", is_needed=True)
AREA = Argument("--area", "AREA", "codes of areas, several with blanks between", is_list=True)
DEPARTMENTS = Argument("--department", "DEPARTMENT", "several with blanks between", is_list=True)
UNTIL = Argument("--until", "UNTIL", "the last day on which it counts, YYYY-MM-DD")
OFFICER = Argument("--officer", "OFFICER", "the staff number, where PERSON is a name")
PERSON_HELP = "whose login it is: a staff number or a name"
HOUSEHOLD = Argument("--household", "HOUSEHOLD", "its id in yihu.household", is_needed=True)
PORT = Argument("--port", "PORT", "the port on this machine", 3000, number="port")
FILE = Argument("--file", "FILE", "a file, a folder, or a quoted pattern", is_needed=True)
RECORDS = "--records", "RECORDS"
OUT = "--out", "OUT"

OPERATE = (
    Command(
        "sync",
        "operate",
        "Runs the day and prints the release; FROM and TO: days in order.",
        "pipelines.operator.sync:run",
        (
            AS_OF,
            Argument("--from", "FROM", "the first of several days", dest="first"),
            Argument("--to", "TO", "the last of several days; default: yesterday", dest="last"),
            Argument(
                "--full",
                "FULL",
                "makes the day in full, not laid over the day before: FULL=yes",
                is_switch=True,
            ),
            Argument(
                "--verbose",
                "VERBOSE",
                "a line for every step, and the table of sources",
                is_switch=True,
                short="-v",
            ),
        ),
        {"as_of": "2026-11-20"},
        settings="none",
        takes_lock=True,
    ),
    Command(
        "status",
        "operate",
        "Says whether everything is there and well, and what to do next.",
        "pipelines.operator.serving:status",
        failed="something needs doing: the lines that begin with !!",
    ),
    Command(
        "ui",
        "operate",
        "Serves the Dagster UI with its daemon, on the same data, until Ctrl-C.",
        "pipelines.operator.serving:ui",
        (PORT,),
        {"port": "3000"},
    ),
    Command(
        "ui-link",
        "operate",
        "Prints another one-time link into a running UI.",
        "pipelines.operator.serving:ui_link",
        (PORT,),
        {"port": "3000"},
    ),
    Command(
        "quarantine",
        "operate",
        "Lists what is set aside, by department and rule; OUT: files to send back.",
        "pipelines.operator.operations:show_quarantine",
        (AS_OF, Argument(*OUT, "a folder for a file per department, to send back")),
        {"out": "to-send"},
    ),
    Command(
        "open-gate",
        "operate",
        "Lets a rejected extract or a release pass, in a person's name.",
        "pipelines.operator.decisions:open_a_gate",
        (
            Argument(*RECORDS, "the record type of a rejected extract"),
            Argument("--batch", "BATCH", "the rejected batch, as make quarantine names it"),
            Argument("--gate", "GATE", "the gate of a release: households_lost, red_jump"),
            AS_OF,
            BY,
            WHY,
        ),
        {
            "records": "certificates",
            "batch": "certificates-20261122-01",
            "by": "Li Wei",
            "why": "letter 41",
        },
    ),
    Command(
        "replay",
        "operate",
        "Has the quarantine of a record type judged anew after a contract change.",
        "pipelines.operator.operations:request_replay",
        (Argument(*RECORDS, "the record type", is_needed=True), AS_OF),
        {"records": "settlements"},
        takes_lock=True,
    ),
    Command(
        "explain",
        "operate",
        "Explains one lamp in plain words, day by day.",
        "pipelines.operator.operations:explain_lamp",
        (
            HOUSEHOLD,
            AS_OF,
            Argument("--days", "DAYS", "how many days back", 30, number="number of days"),
            Argument(
                "--recompute",
                "RECOMPUTE",
                "compute each of these days anew from the lake",
                is_switch=True,
            ),
        ),
        {"household": "H0000001", "recompute": True},
        failed="recomputed, a lamp came out otherwise",
    ),
    Command(
        "crosscheck",
        "operate",
        "Tries one rule of the contradictions: rows by town, three examples; publishes nothing.",
        "pipelines.operator.questions:try_rule",
        (Argument("--code", "CODE", "the rule, X01 to X67", is_needed=True), AS_OF),
        {"code": "X53"},
    ),
    Command(
        "open-rule",
        "operate",
        "Lets a rule that listed too many go to the offices, in a person's name.",
        "pipelines.operator.questions:open_rule",
        (
            Argument(
                "--code", "CODE", "the rule, or a line of entitlement (dibao.gap)", is_needed=True
            ),
            AS_OF,
            BY,
            WHY,
        ),
        {"code": "X53", "by": "Li Wei", "why": "looked through, they are as they are"},
    ),
    Command(
        "issues",
        "operate",
        "Proposes issues: what is late, and what was confirmed and still stands; enters nothing.",
        "pipelines.operator.questions:propose_issues",
        (
            Argument(*OUT, "the file to write, under the headings of the issues", "issues.csv"),
            AS_OF,
        ),
        {"out": "issues.csv"},
    ),
    Command(
        "rollback",
        "operate",
        "Makes the release before current again, or the one named.",
        "pipelines.operator.decisions:go_back",
        (
            BY,
            WHY,
            Argument(
                "--to",
                "TO",
                "a release_id: see yihu.release; default: the one before",
                number="release number",
            ),
        ),
        {"by": "Li Wei", "why": "the insurance extract was last year's"},
    ),
    Command(
        "prune",
        "operate",
        "Gives up what is past its time, and says before what it frees.",
        "pipelines.operator.keeping:prune",
        (
            Argument(
                "--keep",
                "KEEP",
                "days of releases; default: YIHU_KEEP_RELEASE_DAYS",
                0,
                number="number of days",
            ),
            Argument("--plan", "PLAN", "only say what it would free", is_switch=True),
        ),
        {"keep": "60", "plan": True},
        takes_lock=True,
    ),
    Command(
        "release-folder",
        "operate",
        "Makes the files of a day's release folder again, byte for byte.",
        "pipelines.operator.keeping:make_release_folder",
        (DAY,),
        {"day": "2026-11-20"},
        takes_lock=True,
    ),
    Command(
        "export-day",
        "operate",
        "Writes every table of a day whole, as <layer>/<table>.parquet.",
        "pipelines.operator.keeping:export_day",
        (DAY, Argument(*OUT, "a new folder; it holds identities", is_needed=True)),
        {"day": "2026-11-20", "out": "/mnt/day"},
        takes_lock=True,
    ),
    Command(
        "psql",
        "operate",
        "A shell on the warehouse as a role, or as oneself; SQL from standard input or by hand.",
        "pipelines.operator.serving:psql",
        (
            Argument("--role", "ROLE", "one of yihu's roles; default: yihu_reader"),
            Argument("--login", "LOGIN", "a login of one's own instead"),
        ),
        {"role": "yihu_reader"},
        failed="what psql ends with: 3 where a statement failed",
    ),
    Command(
        "backup",
        "operate",
        "Writes the warehouse, the logins, the lake and the secrets into a private folder.",
        "pipelines.operator.operations:back_up",
        (Argument(*OUT, "a folder, on another disk", is_needed=True),),
        {"out": "/mnt/backup"},
        takes_lock=True,
    ),
    Command(
        "restore",
        "operate",
        "Puts a backup into an empty YIHU_HOME and an empty warehouse.",
        "pipelines.operator.operations:put_back",
        (Argument("--from", "FROM", "the folder of a backup", is_needed=True, dest="source"),),
        {"source": "/mnt/backup/yihu-20261121-020000"},
        takes_lock=True,
    ),
    Command(
        "move-warehouse",
        "operate",
        "Copies the whole warehouse to an empty PostgreSQL.",
        "pipelines.operator.operations:move",
        (
            Argument(
                "--to",
                "TO",
                "postgresql://owner@host/database (password in PGPASSFILE)",
                is_needed=True,
            ),
        ),
        {"to": "postgresql://yihu@db.example/yihu"},
        takes_lock=True,
    ),
)

ACCESS = (
    Command(
        "login",
        "access",
        "Makes a login of a person's own; its password is shown once.",
        "pipelines.operator.decisions:make_login",
        (
            LOGIN,
            ROLE,
            Argument("--person", "PERSON", PERSON_HELP, is_needed=True),
            OFFICER,
            AREA,
            DEPARTMENTS,
            UNTIL,
            BY,
        ),
        {"login": "li_wei", "role": "yihu_reader", "person": "Li Wei", "officer": "S-1"},
    ),
    Command(
        "grant",
        "access",
        "Gives a login its role and its areas or departments.",
        "pipelines.operator.decisions:give",
        (
            LOGIN,
            ROLE,
            AREA,
            DEPARTMENTS,
            UNTIL,
            Argument("--person", "PERSON", PERSON_HELP),
            OFFICER,
            BY,
        ),
        {"login": "wang", "role": "yihu_area", "area": ["610921104"], "until": "2027-12-31"},
    ),
    Command(
        "revoke",
        "access",
        "Takes areas or departments from a login, or with none named its role and everything.",
        "pipelines.operator.decisions:take",
        (LOGIN, AREA, DEPARTMENTS, BY),
        {"login": "wang", "area": ["610921104"]},
    ),
    Command(
        "grants",
        "access",
        "Lists who has what, since when, by whom, until when.",
        "pipelines.operator.decisions:show_grants",
        (Argument("--history", "HISTORY", "every grant and revocation", is_switch=True),),
        {"history": True},
    ),
    Command(
        "who-looked",
        "access",
        "Lists who looked at a household's identities, when and why.",
        "pipelines.operator.decisions:who_looked",
        (HOUSEHOLD,),
        {"household": "H0000001"},
    ),
    Command(
        "verify-log",
        "access",
        "Says whether the access log was changed.",
        "pipelines.operator.decisions:verify_log",
        (Argument("--seal", "SEAL", "a seal as an alert or a release named it", is_list=True),),
        {"seal": ["12:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]},
        failed="a row was changed or removed, or a seal is gone",
    ),
    Command(
        "extract",
        "access",
        "Makes an extract of the current release for analysts, under pseudonyms.",
        "pipelines.operator.decisions:extract",
        (
            Argument("--name", "NAME", "what it is called", is_needed=True),
            Argument(
                "--columns",
                "COLUMNS",
                "what is in it, with blanks between (docs/query.md)",
                is_list=True,
            ),
            WHY,
            BY,
        ),
        {"name": "incomes_2026", "columns": ["level", "b19_net_income"], "why": "study 7"},
    ),
    Command(
        "ui-user",
        "access",
        "Sets the password of a user of the UI (YIHU_UI_PASSWORD_FILE).",
        "pipelines.operator.serving:ui_user",
        (
            Argument("--user", "UI_USER", "letters, digits, _ . @ -"),
            Argument("--right", "RIGHT", "what they may", "reader", choices=("operator", "reader")),
        ),
        {"user": "li.wei", "right": "operator"},
        settings="none",
    ),
)

SOURCES = (
    Command(
        "try",
        "sources",
        "Says what a run would make of a file, keeping nothing.",
        "pipelines.dry_run.commands:try_file",
        (
            FILE,
            Argument(*RECORDS, "what it holds, e.g. certificates"),
            Argument("--contract", "CONTRACT", "a contract that is not installed"),
            Argument(*OUT, "a folder for the rows"),
        ),
        {"file": "certificates.xlsx", "records": "certificates", "out": "tried"},
        settings="loaded",
        failed="a run would reject it",
    ),
    Command(
        "draft-contract",
        "sources",
        "Drafts a contract out of a sample, with questions in it.",
        "pipelines.dry_run.commands:draft",
        (
            FILE,
            Argument("--department", "DEPARTMENT", "e.g. education", is_needed=True),
            Argument(*RECORDS, "what it holds, e.g. attendance"),
            Argument(*OUT, "where the contract is written"),
        ),
        {
            "file": "pupils.xlsx",
            "department": "education",
            "records": "pupils",
            "out": "pupils.odcs.yaml",
        },
        settings="loaded",
    ),
    Command(
        "contract-diff",
        "sources",
        "Reads the newest batch under an edited contract: what would change.",
        "pipelines.dry_run.commands:compare_contract",
        (Argument("--contract", "CONTRACT", "the edited contract", is_needed=True),),
        {"contract": "certificates.odcs.yaml"},
        settings="loaded",
    ),
    Command(
        "rules-diff",
        "sources",
        "Says who would turn red or green under a candidate rule file.",
        "pipelines.operator.operations:compare_rules",
        (Argument("--rules", "RULES", "the candidate rule file", is_needed=True), AS_OF),
        {"rules": "candidate.yaml"},
    ),
)

SCHEDULES = (
    Command(
        "seal-log",
        "schedules",
        "Seals what is new in the access log; the daemon does so once an hour.",
        "pipelines.operator.decisions:seal_log",
        is_of_make=False,
    ),
)

DEVELOP = (
    Command(
        "check",
        "develop",
        "Says whether every asset, job and schedule loads.",
        "pipelines.development.commands:check",
        make_target="definitions",
    ),
    Command(
        "check-contracts",
        "develop",
        "Says whether the contracts are answered and fit what models compare.",
        "pipelines.development.commands:check_contracts",
        settings="none",
        failed="a contract is refused",
        make_target="contracts",
    ),
    Command(
        "test-served",
        "develop",
        "Holds the served views against docs/served.odcs.yaml (datacontract test).",
        "pipelines.development.commands:test_served",
        failed="a view is not as its contract says",
    ),
    Command(
        "docs",
        "develop",
        "Writes what is made: commands, errors, dictionary, architecture, the served contract.",
        "pipelines.development.commands:write_docs",
        settings="none",
    ),
    Command(
        "lineage",
        "develop",
        "Reads the column lineage anew and writes docs/lineage.md; a minute.",
        "pipelines.development.commands:read_lineage",
        settings="none",
    ),
    Command(
        "bench",
        "develop",
        "Runs the benchmarks; a JSON line each.",
        "pipelines.development.commands:bench",
        (
            Argument("--scale", "SCALE", "village, town, county, city, province", "county"),
            Argument(
                "--folder",
                "FOLDER",
                "where a city or a province is made: some 25 GB for a province",
            ),
        ),
        {"scale": "town"},
        settings="none",
    ),
)

ALL = (*OPERATE, *ACCESS, *SOURCES, *SCHEDULES, *DEVELOP)
COMMANDS: Mapping[str, Command] = {command.name: command for command in ALL}
