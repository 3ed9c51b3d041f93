"""The one runner: binds what a model declares, makes what is asked,
and nothing that stands already.

Everything on the engine under a name has a mark: what it was bound to or made from, down to the
version of the files. A table whose mark is the one that it would get now stands; so nothing is
decided by whether a table of some name exists.

Belongs here: binding and making. Not here: what is declared (`heads`), where inputs lie (`inputs`),
how a model is filled in (`parameters`, `reference`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from expectations.contract import Contract
from expectations.engine import SqlEngine, day, name
from expectations.errors import DefectError
from warehouse.graph import registry
from warehouse.graph.heads import Input, Kind, Model
from warehouse.graph.inputs import Inputs, MissingInput, earlier_day, released_day, there
from warehouse.graph.moment import EVERYTHING, Moment, Scope
from warehouse.graph.parameters import Filling, fill
from warehouse.graph.reference import Keys, reference_select
from warehouse.graph.registry import EVERY_TYPE, PER_TYPE, is_of_type, is_stored, makers
from warehouse.matching import is_identified, model_name
from warehouse.schema.lake import empty_select, has_grown, types_of

Mark = Hashable


class ModelError(DefectError):
    """A model that could not be computed: its name and the kind of error, no value."""


@dataclass
class _Making:
    """One call of `make`: what is asked, for when, and what is known about it so far."""

    asked: frozenset[str]
    moment: Moment
    inputs: Inputs
    types: tuple[Contract, ...]
    given: Mapping[str, str]
    marks: dict[str, Mark] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    made: dict[str, int | None] = field(default_factory=dict)


class Runner:
    """Makes tables on one engine; `make` any number of times, for whatever day and scope."""

    def __init__(
        self,
        engine: SqlEngine,
        inputs: Inputs,
        contracts: Sequence[Contract],
        pseudonym_key: bytes = b"",
        keeps_views: bool = True,
        sampling_key: bytes = b"",
    ) -> None:
        """`keeps_views`: what is written out at once stays a view;
        else it is computed when it is made.
        """
        self.engine = engine
        self._keeps_views = keeps_views
        self.contracts = tuple(contracts)
        self._by_table = {contract.table: contract for contract in self.contracts}
        self.inputs = inputs
        self._keys = Keys(pseudonym_key, sampling_key)
        self._marks: dict[str, Mark] = {}
        """The mark of everything that this runner has put on the engine, by name."""
        self._texts: dict[Hashable, str] = {}
        """The SQL of each table by what it was filled in with."""
        self._types: tuple[Contract, ...] = ()
        """The record types whose open numbers and names were last answered together."""
        self._columns: dict[Hashable, frozenset[str]] = {}
        """The columns of each version of a table of a record type, or of one that has grown."""
        self._made_here: set[tuple[str, date]] = set()
        """What this runner made, by day."""

    def know(self, contract: Contract) -> None:
        """Makes tables of this record type too."""
        if contract.table not in self._by_table:
            self.contracts = (*self.contracts, contract)
            self._by_table[contract.table] = contract

    def make(
        self,
        tables: Iterable[str],
        moment: Moment,
        scope: Scope = EVERYTHING,
        beside: Sequence[Contract] = (),
        given: Mapping[str, str] | None = None,
    ) -> dict[str, int]:
        """Makes `tables` on the engine under their own names, and what they need;
        returns the rows of each that was counted.

        A table that the lake keeps and that is not asked for is read from there. `beside`: record
        types that are matched in this run too, whose open numbers and names are answered in the
        same pass. `given`: tables that were made elsewhere, as relations. Raises `MissingInput`,
        `ModelError`.
        """
        asked = frozenset(tables)
        inputs = self.inputs.within(scope)
        making = _Making(
            asked, moment, inputs, self._types_for(asked, moment, inputs, beside), given or {}
        )
        for table in (*sorted(asked - makers().keys()), *registry.ordered(asked)):
            self._ensure(table, making)
        return {
            table: rows
            for table, rows in making.made.items()
            if table in asked and rows is not None
        }

    def statement(self, table: str, moment: Moment) -> str:
        """The SELECT that makes a table of the day."""
        inputs = self.inputs.within(EVERYTHING)
        return self._text(table, _Making(frozenset(), moment, inputs, self._types, {}))

    def use(self, table: str, as_of: date) -> str:
        """Has the engine read a kept table of the day under its own name; returns that."""
        mark = ("stored", table, as_of, self.inputs.version(table, as_of))
        if self._marks.get(table) != mark:
            relation = self.inputs.relation(table, as_of)
            self._bind(table, self._completed(table, relation, mark), mark)
        return table

    def rows(self, table: str, on: date) -> str:
        """A kept table of a day as a relation, in the columns that are declared."""
        mark = ("stored", table, on, self.inputs.version(table, on))
        return f"({self._completed(table, self.inputs.relation(table, on), mark)})"

    def use_whole(self, as_of: date) -> None:
        """Has the engine read all rows of the day wherever it reads those of a scope."""
        for table, mark in list(self._marks.items()):
            match mark:
                case ("stored", _, day_of_mark, (_, *_)) if day_of_mark == as_of:
                    self.use(table, as_of)

    def bind(self, tables: Iterable[str], moment: Moment) -> None:
        """Has the engine read the inputs of `tables` that lie in the lake, as `make` would,
        without making anything.
        """
        making = _Making(frozenset(), moment, self.inputs, (), {})
        for table in tables:
            for read in self._expanded(makers()[table], None, making):
                if read.kind in registry.LAKE_KINDS and is_stored(read.table):
                    self._ensure_input(read, making)

    def drop(self, table: str) -> None:
        """Gives up what is on the engine under this name."""
        self._marks.pop(table, None)
        self.engine.drop(table)

    # what a table is made from

    def _types_for(
        self, asked: frozenset[str], moment: Moment, inputs: Inputs, beside: Sequence[Contract]
    ) -> tuple[Contract, ...]:
        """The record types whose open numbers are answered together:
        those of the last pass where they are enough.
        """
        identified = tuple(contract for contract in self.contracts if is_identified(contract))
        if {"review_queue", "review_candidate"} & asked:
            wanted = identified
        else:
            wanted = tuple(
                contract for contract in identified if f"matched_{contract.table}" in asked
            )
        if not {contract.table for contract in wanted} <= {
            contract.table for contract in self._types
        }:
            more = {contract.table for contract in (*wanted, *there(inputs, beside, moment.as_of))}
            self._types = tuple(contract for contract in identified if contract.table in more)
        return self._types

    def _model(self, table: str) -> tuple[Model, Contract | None]:
        if not is_of_type(table):
            return registry.maker(table), None
        contract = self._by_table[table.partition("_")[2]]
        return registry.models()[model_name(contract)], contract

    def _is_stored(self, table: str, making: _Making) -> bool:
        """Whether it is read from where it is kept, or was handed over, and is not made."""
        return table not in making.asked and (
            is_stored(table) or table in making.given or table not in makers()
        )

    def _mark(self, table: str, making: _Making) -> Mark:
        if table not in making.marks:
            making.marks[table] = (
                self._stored_mark(table, making)
                if self._is_stored(table, making)
                else self._made_mark(table, making)
            )
        return making.marks[table]

    def _stored_mark(self, table: str, making: _Making) -> Mark:
        if table in making.given:
            return ("given", table, making.given[table])
        return (
            "stored",
            table,
            making.moment.as_of,
            making.inputs.version(table, making.moment.as_of),
        )

    def _made_mark(self, table: str, making: _Making) -> Mark:
        model, contract = self._model(table)
        if model.is_of_everybody:
            return self._everybodys_mark(table, model, making)
        parts = tuple(
            self._input_mark(read, making) for read in self._expanded(model, contract, making)
        )
        digest = hashlib.sha256(repr((self._text(table, making), parts)).encode())
        return ("made", table, digest.hexdigest())

    def _everybodys_mark(self, table: str, model: Model, making: _Making) -> Mark:
        whole, as_of = self.inputs.within(EVERYTHING), making.moment.as_of
        versions = tuple(
            whole.version(read.table, as_of)
            if self._is_stored(read.table, making) and read.table not in making.given
            else self._mark(read.table, making)
            for read in model.reads(Kind.SAME_DAY)
        )
        return ("made", table, self._text(table, making), versions)

    def _input_mark(self, read: Input, making: _Making) -> Mark:
        moment = making.moment
        match read.kind:
            case Kind.SAME_DAY | Kind.ASKED:
                return self._mark(read.table, making)
            case Kind.IF_THERE:
                return self._stored_mark(read.table, making)
            case Kind.EARLIER_DAY | Kind.EARLIER_OR_OWN | Kind.RELEASED_DAY | Kind.BASE_DAY:
                on = self._day_of(read, making)
                return (
                    read.kind,
                    read.table,
                    on,
                    None if on is None else making.inputs.version(read.table, on),
                )
            case Kind.SEVERAL_DAYS:
                return (
                    read.kind,
                    read.table,
                    tuple((on, making.inputs.version(read.table, on)) for on in moment.history),
                )
            case Kind.REFERENCE:
                return (
                    read.kind,
                    read.table,
                    hashlib.sha256(self._reference(read.table, making).encode()).hexdigest(),
                )
            case Kind.OUTSIDE:
                return (read.kind, read.table, moment.as_of)
            case _:
                return (read.kind, read.table)

    def _day_of(self, read: Input, making: _Making) -> date | None:
        moment = making.moment
        if read.kind is Kind.RELEASED_DAY:
            return released_day(making.inputs, read.table, moment.earlier_than)
        if read.kind is Kind.BASE_DAY:
            return moment.base
        found = earlier_day(making.inputs, read.table, moment.earlier_than, moment.not_before)
        if (
            found is None
            and read.kind is Kind.EARLIER_OR_OWN
            and self._is_of_another_run(read.table, making)
        ):
            return moment.as_of
        return found

    def _is_of_another_run(self, table: str, making: _Making) -> bool:
        """Whether the day's own table is there, and neither made now nor made here before."""
        as_of = making.moment.as_of
        is_made = table in making.asked or (table, as_of) in self._made_here
        return not is_made and making.inputs.version(table, as_of) is not None

    def _expanded(self, model: Model, contract: Contract | None, making: _Making) -> list[Input]:
        """The inputs with the record types' names in place of the patterns."""
        found: list[Input] = []
        for read in model.inputs:
            prefix = read.table[:-1]
            if contract is not None and read.table.endswith(PER_TYPE):
                table = read.table.replace(PER_TYPE, contract.table)
                found.append(Input(read.kind, table, table))
            elif read.table.endswith(EVERY_TYPE):
                types = making.types if prefix == "valid_" else self.contracts
                found += [Input(read.kind, prefix + one.table, prefix + one.table) for one in types]
            elif read.kind is Kind.OPTIONAL:
                is_there = self._is_read(read.table, making)
                kind = Kind.SAME_DAY if is_there else Kind.IF_THERE
                found.append(Input(kind, read.table, read.alias))
            else:
                found.append(read)
        return found

    def _is_read(self, table: str, making: _Making) -> bool:
        """Whether the day has a record type's table, or it is made now."""
        return table in making.asked or (
            table.partition("_")[2] in self._by_table
            and making.inputs.version(table, making.moment.as_of) is not None
        )

    def _text(self, table: str, making: _Making) -> str:
        """The model's SQL for this table; filled in once for what it is filled in with."""
        if table not in making.texts:
            model, contract = self._model(table)
            released = [read for read in model.inputs if read.kind is Kind.RELEASED_DAY]
            earlier = [read for read in model.inputs if read.kind is Kind.EARLIER_DAY]
            states = self._states(making) if model.reads(Kind.ASKED) else {}
            filling = Filling(
                moment=making.moment,
                contract=contract,
                contracts=self.contracts,
                types=making.types,
                states=states,
                has_released=any(self._day_of(read, making) is not None for read in released),
                compared_on=self._day_of(earlier[0], making) if earlier else None,
            )
            key = (table, filling.key)
            if key not in self._texts:
                self._texts[key] = fill(model, filling)
            making.texts[table] = self._texts[key]
        return making.texts[table]

    def _states(self, making: _Making) -> dict[str, str]:
        self._ensure("source_state", making)
        return {
            str(records): str(state)
            for records, state in self.engine.rows("select records, state from source_state")
        }

    def _reference(self, table: str, making: _Making) -> str:
        return reference_select(table, making.moment, self._keys)

    # making it so

    def _ensure(self, table: str, making: _Making) -> None:
        """Has the engine hold `table` as it would be made or read now."""
        if self._is_stored(table, making):
            mark = self._mark(table, making)
            if self._marks.get(table) != mark:
                relation = making.given.get(table) or making.inputs.relation(
                    table, making.moment.as_of
                )
                self._bind(table, self._completed(table, relation, mark), mark)
            return
        model, contract = self._model(table)
        mark = self._mark(table, making)
        if self._marks.get(table) == mark and not model.is_view:
            return  # a view stands on what it reads, so that has to be as it was too
        reads = self._expanded(model, contract, making)
        if model.is_of_everybody:
            self._run_of_everybody(table, model, making)
            self._marks[table] = mark
            return
        for read in reads:
            self._ensure_input(read, making)
        if self._marks.get(table) != mark:
            self._run(table, model, making)
            self._marks[table] = mark
            self._made_here.add((table, making.moment.as_of))
            for read in reads:
                if read.table in makers() and makers()[read.table].until == table:
                    self.drop(read.table)

    def _run(self, table: str, model: Model, making: _Making) -> None:
        text = self._text(table, making)
        try:
            if model.is_view and (self._keeps_views or not is_stored(table)):
                self.engine.view(table, text)
                making.made[table] = None
            else:
                making.made[table] = self.engine.table(table, text)
        except Exception as error:
            if not model.holds_identities and not is_of_type(table):
                raise
            # an error of the engine may quote a row
            raise ModelError(
                f"{table} could not be computed by {model.name}.sql ({type(error).__name__})",
                "see docs/matching.md",
            ) from None

    def _run_of_everybody(self, table: str, model: Model, making: _Making) -> None:
        """Makes it from whole tables, under no name but its own: what a scope bound stays."""
        as_of, whole = making.moment.as_of, self.inputs.within(EVERYTHING)
        bound: list[str] = []
        for read in model.reads(Kind.SAME_DAY):
            relation = making.given.get(read.table) or (
                whole.relation(read.table, as_of) if self._is_stored(read.table, making) else None
            )
            if relation is None or relation == name(read.alias):
                self._ensure_input(read, making)  # made in this very call, of everybody
            else:
                bound.append(f"{name(read.alias)} as (select * from {relation})")
        text = self._text(table, making)
        if bound:
            text = f"with {', '.join(bound)} select * from ({text}) as made"
        self.engine.table(table, text)

    def _ensure_input(self, read: Input, making: _Making) -> None:
        inputs, moment = making.inputs, making.moment
        mark = self._input_mark(read, making)
        match read.kind:
            case Kind.SAME_DAY | Kind.ASKED:
                self._ensure(read.table, making)
            case Kind.CLOCK:
                pass  # one of the day's, read by another column
            case _ if self._marks.get(read.alias) == mark:
                pass
            case Kind.IF_THERE:
                relation = making.given.get(read.table) or self._if_there(read.table, making)
                self._bind(read.alias, self._completed(read.table, relation, mark), mark)
            case Kind.EARLIER_DAY | Kind.EARLIER_OR_OWN | Kind.RELEASED_DAY | Kind.BASE_DAY:
                on = self._day_of(read, making)
                self._bind(
                    read.alias, self._dated(inputs, read.table, () if on is None else (on,)), mark
                )
            case Kind.SEVERAL_DAYS:
                self._bind(read.alias, self._dated(inputs, read.table, moment.history), mark)
            case Kind.REFERENCE:
                self.engine.table(read.alias, self._reference(read.table, making))
                self._marks[read.alias] = mark
            case Kind.OUTSIDE:
                self.engine.from_arrow(read.alias, inputs.outside(read.table, moment.as_of))
                self._marks[read.alias] = mark
            case _:
                raise MissingInput(
                    f"{read.table} is {read.kind}: the runner cannot bind it",
                    "correct the head of the model that reads it",
                )

    def _if_there(self, table: str, making: _Making) -> str:
        """The day's table as a relation; no rows of its columns where the day has none."""
        if making.inputs.version(table, making.moment.as_of) is not None:
            return making.inputs.relation(table, making.moment.as_of)
        return f"({empty_select(types_of(table, self.contracts))})"

    def _completed(self, table: str, relation: str, mark: Mark = None) -> str:
        """The rows of a relation; kept before a column was declared,
        they have it without a value.
        """
        select = f"select * from {relation}"
        if relation == name(table) or not (is_of_type(table) or has_grown(table)):
            return select
        there = self._columns_of(select, mark)
        lacking = [
            f"cast(null as {kind}) as {name(column)}"
            for column, kind in types_of(table, self.contracts).items()
            if column not in there
        ]
        return f"select *, {', '.join(lacking)} from {relation}" if lacking else select

    def _columns_of(self, select: str, mark: Mark) -> frozenset[str]:
        """Asked of the engine once for each version of the table."""
        key = (select, mark)
        if mark is None or key not in self._columns:
            self._columns[key] = frozenset(column for column, _ in self.engine.columns(select))
        return self._columns[key]

    def _whole(self, table: str, relation: str) -> str:
        """The same as a relation."""
        return f"({self._completed(table, relation)})" if has_grown(table) else relation

    def _bind(self, alias: str, select: str, mark: Mark) -> None:
        if select != f"select * from {name(alias)}":  # a table of that name is there itself
            self.engine.view(alias, select)
        self._marks[alias] = mark

    def _dated(self, inputs: Inputs, table: str, days: Sequence[date]) -> str:
        """The rows of some days, each with its `_as_of`; without a day none, in their columns."""
        selects = [
            f"select *, {day(on)} as _as_of from {self._whole(table, inputs.relation(table, on))}"
            for on in days
        ]
        return (
            " union all by name ".join(selects)
            or f"select *, {day(None)} as _as_of from ({empty_select(types_of(table))}) as nothing"
        )
