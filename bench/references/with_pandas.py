"""`python -m bench.references.with_pandas validation|matching|lamps …`: the same steps in plain
pandas, as one would in a notebook.

Belongs here: data frames in memory, one process, no checks, no reasons. Not here: the DuckDB script
(`by_hand`), clocks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.peak import peak_mb
from expectations.contract import Contract, load_contracts
from resources.lake import Lake
from warehouse.matching import household_field, number_field

Frame = pd.DataFrame


def read(lake: Path, layer: str, table: str, as_of: date) -> Frame:
    whole = Lake(lake).folder(layer, table, as_of)  # a first load is whole
    files = sorted(whole.glob("county=*/*.parquet")) if whole else []
    frame = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    for column in frame.columns:
        if len(frame) and type(frame[column].dropna().iloc[:1].squeeze()).__name__ == "Decimal":
            frame[column] = frame[column].astype(float)
    return frame


def delivered(batch: Path, contract: Contract) -> Frame:
    manifest = json.loads((batch / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format"] == "json":
        rows = [
            row
            for f in manifest["files"]
            for row in json.loads((batch / f).read_text(encoding="utf-8"))["data"]["rows"]
        ]
        return pd.DataFrame(rows, columns=[f.physical_name for f in contract.fields])
    if manifest["format"] == "csv":
        return pd.read_csv(
            batch / manifest["files"][0], dtype=str, encoding=manifest.get("encoding") or "utf-8"
        )
    if manifest["format"] == "xlsx":
        header = int(contract.server.get("headerRow") or 1) - 1
        return pd.read_excel(
            batch / manifest["files"][0], dtype=str, engine="calamine", header=header
        )
    return pd.concat([pd.read_parquet(batch / f) for f in manifest["files"]], ignore_index=True)


def validation(lake: Path, as_of: date, out: Path) -> None:
    for contract in load_contracts():
        note = json.loads(
            (lake / "raw" / contract.table / f"as_of={as_of}.json").read_text(encoding="utf-8")
        )
        for batch in note["batches"]:
            frame = delivered(lake / "raw" / contract.table / batch, contract)
            frame = frame.rename(columns={f.physical_name: f.name for f in contract.fields})[
                [f.name for f in contract.fields]
            ]
            for field in contract.fields:
                if field.type in ("date", "timestamp"):
                    values = (
                        frame[field.name].astype("string").str.replace("+08:00", "", regex=False)
                    )
                    frame[field.name] = pd.to_datetime(values, errors="coerce", format="ISO8601")
                elif field.type == "integer" or field.type.startswith("decimal"):
                    frame[field.name] = pd.to_numeric(frame[field.name], errors="coerce")
                else:
                    frame[field.name] = frame[field.name].astype("string")
            key = contract.record_key.name
            frame = (
                frame.sort_values("updated_at").drop_duplicates(key, keep="last").sort_values(key)
            )
            frame.to_parquet(out / f"{contract.records}.parquet", compression="zstd")


def matching(lake: Path, as_of: date, out: Path) -> None:
    person = read(lake, "valid", "rural_revitalisation__members", as_of)[
        ["id_number", "name", "member_id", "household_id", "status"]
    ]
    person["number"] = person.id_number.str.strip().str.upper()
    person["person_key"] = [
        hashlib.sha256(f"a key{number}".encode()).hexdigest() for number in person.id_number
    ]
    person["birth_on"] = pd.to_datetime(person.number.str[6:14], format="%Y%m%d", errors="coerce")
    person.drop(columns=["id_number", "number", "name"]).sort_values("member_id").to_parquet(
        out / "person.parquet", compression="zstd"
    )
    once = person[person.status == "1"].drop_duplicates("number", keep=False)[
        ["number", "name", "person_key", "member_id", "household_id"]
    ]
    households = set(read(lake, "valid", "rural_revitalisation__households", as_of).household_id)
    for contract in load_contracts():
        frame = read(lake, "valid", contract.table, as_of)
        if household_field(contract) is not None:
            frame["outcome"] = np.where(
                frame.household_id.isin(households), "linked", "unregistered"
            )
        else:
            given = frame[number_field(contract).name]
            frame["number"] = (
                given.str[:18]
                if contract.record_key.is_identity
                else given.str.strip().str.replace("-", "").str.upper()
            )
            name = contract.find_role("name") or contract.find_role("head_name")
            on = ["number", "name"] if name else ["number"]
            frame = frame.rename(columns={name.name: "name"} if name else {}).merge(
                once, on=on, how="left"
            )
            frame["outcome"] = np.where(frame.member_id.isna(), "unregistered", "linked")
        frame = frame.drop(
            columns=[f.name for f in contract.fields if f.is_identity] + ["number", "name"],
            errors="ignore",
        )
        frame.to_parquet(out / f"{contract.records}.parquet", compression="zstd")


def _ages(birth: Any, day: pd.Timestamp) -> Any:
    before = (birth.dt.month * 100 + birth.dt.day) > day.month * 100 + day.day
    return day.year - birth.dt.year - before.astype(float)


def _count(rows: Frame, condition: Any) -> Any:
    return rows[condition.fillna(False).astype(bool)].groupby("household_id").size()


def _persons(rows: Frame) -> Any:
    return rows.groupby("household_id").member_id.nunique()


def _of(rows: Frame, people: Frame) -> Frame:
    """The linked rows of these people, with the household that each person is in."""
    linked = rows[rows.outcome == "linked"].drop(columns="household_id")
    return linked.merge(people[["member_id", "household_id"]], on="member_id")


def lamps(lake: Path, as_of: date, out: Path) -> None:
    t = {c.records: read(lake, "matched", c.table, as_of) for c in load_contracts()}
    day = pd.Timestamp(as_of)
    year = day - pd.DateOffset(months=12)
    for frame in t.values():
        for column in frame.columns:
            if column.endswith(("_on", "_at")) and len(frame):
                frame[column] = pd.to_datetime(frame[column])
    any_member, net = _people(lake, as_of, t, day, year)
    active = any_member[any_member.active]
    v = _values(t, active, any_member, net, day, year)
    points = _points(v)
    score = _score(points, v)
    v.reset_index().to_parquet(out / "household_indicator.parquet", compression="zstd")
    score.reset_index().to_parquet(out / "warning_flag.parquet", compression="zstd")


def _people(
    lake: Path, as_of: date, t: dict[str, Frame], day: pd.Timestamp, year: pd.Timestamp
) -> tuple[Frame, Frame]:
    person = read(lake, "household", "person", as_of)[["member_id", "birth_on", "status"]].rename(
        columns={"status": "now"}
    )
    deaths = t["deaths"][(t["deaths"].outcome == "linked") & (t["deaths"].died_on <= day)]
    m = t["members"].merge(person, on="member_id", how="left")
    m = m[(m.outcome == "linked") & m.status.isin(["1", "3"]) & (m.now != "2")].copy()
    m["active"] = (m.status == "1") & ~m.member_id.isin(deaths.member_id)
    m["died"] = m.member_id.isin(deaths[deaths.died_on > year].member_id)
    m["age"] = _ages(pd.to_datetime(m.birth_on), day)
    s = t["settlements"]
    s = s[s.settled_at.dt.normalize() <= day]
    money = ["total_fee", "in_scope", "fund_paid", "personal_paid", "critical_illness_paid"]
    back, net = (
        s[s.reverses_id.notna()],
        s[
            s.reverses_id.isna() & (s.outcome == "linked") & (s.settled_at.dt.normalize() > year)
        ].copy(),
    )
    link = dict(zip(back.record_id, back.reverses_id, strict=True))
    original = back.reverses_id
    for _ in range(3):
        original = original.map(lambda key: link.get(key, key))
    taken = back[money].groupby(original).sum()
    net[money] = net[money].add(taken.reindex(net.record_id).fillna(0).to_numpy())
    counted = m[m.active | m.died]
    return m, _of(net[net.total_fee > 0], counted)


def _values(
    t: dict[str, Frame], a: Frame, every: Frame, net: Frame, day: pd.Timestamp, year: pd.Timestamp
) -> Frame:
    h = t["households"].set_index("household_id")
    v = pd.DataFrame(index=h.index)

    def put(name: str, series: Any, nothing: Any = 0) -> None:
        v[name] = series.reindex(v.index).fillna(nothing)

    put("b01", a.groupby("household_id").size())
    for name, condition in {
        "b03": a.labour_class.isin(["1", "2"]), "b04": a.labour_class == "3",
        "b09": a.student_status.isin(["3", "4"]),
        "before": a.worked_before, "working": a.working_now,
        "lost": a.worked_before.fillna(False).astype(bool)
        & ~a.working_now.fillna(False).astype(bool),
        "r18": a.dropout, "s01": a.working_now.fillna(False).astype(bool) & (a.work_months >= 6),
        "s02": a.public_post,
        "s03": a.labour_class == "2", "s14": a.pension,
    }.items():  # fmt: skip
        put(name, _count(a, condition))
    put("r19", a.groupby("household_id").education_self_pay.max())
    by = net.groupby(["household_id", "member_id"]).personal_paid.sum()
    put("r04", by.groupby("household_id").max())
    put("personal", by.groupby("household_id").sum())
    sums = net.assign(own=(net.in_scope - net.fund_paid).clip(lower=0)).groupby("household_id")
    for name, column in {
        "own": "own",
        "total": "total_fee",
        "fund": "fund_paid",
        "s09": "critical_illness_paid",
    }.items():
        put(name, sums[column].sum())
    put("r09", _count(net, net.medical_type == "21"))
    v["b16"] = h.business_income.fillna(0) - h.business_expense.fillna(0)
    v["b17"], v["b18"], v["b15"] = h.property_income.fillna(0), h.transfer_income, h.wage_income
    v["b19"] = h.wage_income + v.b16 + v.b17 + h.transfer_income
    v["b20"] = (v.b19 / v.b01).round(2)
    v["claims"] = h.claims_income.fillna(0)
    v["r01"] = (((v.b19 + v.claims - v.own) / v.b01).round(2) / 8800).round(4)
    v["r02"] = (1 - v.b19 / h.previous_net_income.where(h.previous_net_income > 0)).round(4)
    v["r03"] = (v.b18 / v.b19.where(v.b19 > 0)).round(4)
    v["r05"] = np.where(v.b19 > 0, (v.personal / v.b19).round(4), (v.personal > 0) * 1.0)
    e = t["enrolments"]
    paid = e[(e.outcome == "linked") & (e.status == "1") & (e.year == day.year)].member_id
    known = a[a.birth_on.notna()]
    put("r06", _count(known, ~known.member_id.isin(paid)))
    put("known", known.groupby("household_id").size())
    ill = _of(t["serious_illnesses"], a)
    put("r07", _persons(ill[(ill.status == "1") & (ill.diagnosed_on <= day)]))
    chronic = _of(t["chronic_followups"], a)
    gap = (
        ~chronic.signed.astype(bool)
        | chronic.last_followup_on.isna()
        | ((day - chronic.last_followup_on).dt.days > 100)
    )
    put("r08", _persons(chronic[gap]))
    put("r10", _persons(chronic[chronic.disease == "severe_mental"]))
    v["s11"] = _count(chronic, chronic.signed).reindex(v.index).fillna(0) / chronic.groupby(
        "household_id"
    ).size().reindex(v.index)
    _welfare(t, v, put, a, every, day)
    _house(t, v, put, every, day, year)
    v["water"], v["relocated"], v["microcredit"] = (
        h.water_safe.eq(False),
        h.relocated.eq(True),
        h.microcredit,
    )
    v["cooperative"], v["measures"] = h.cooperative_link.eq(True), h.measures_count.fillna(0)
    v["visited"] = (day - h.last_visit_on.where(h.last_visit_on <= day)).dt.days
    v["previous"] = h.previous_business_net
    monitored = np.where(h.monitor_cleared.eq(True), "0", h.monitor_class) != "0"
    v["t"] = np.where(h.household_type.isin(["2", "3"]) | monitored | v.schemed, 10000, 26000)
    put("r29", _count(every, every.died & every.labour_class.isin(["1", "2"])))
    reports = _of(t["reports"], a)
    reports = reports[(reports.status == "open") & (reports.reported_at.dt.normalize() <= day)]
    v["r30"] = (
        day - reports.groupby("household_id").reported_at.min().dt.normalize()
    ).dt.days.reindex(v.index)
    return v


def _welfare(
    t: dict[str, Frame],
    v: Frame,
    put: Callable[..., None],
    a: Frame,
    every: Frame,
    day: pd.Timestamp,
) -> None:
    s = _of(t["assistance"], every)
    s = s[(s.started_on <= day) & (s.ended_on.isna() | (s.ended_on >= day))]
    v["schemed"] = v.index.isin(s.household_id)
    v["edge"] = v.index.isin(s[s.scheme.isin(["edge", "rigid"])].household_id)
    v["dibao"] = v.index.isin(s[s.scheme.isin(["dibao", "tekun"])].household_id)
    c = _of(t["certificates"], a)
    c = c[(c.status == "1") & (c.issued_on <= day) & (c.expires_on.isna() | (c.expires_on >= day))]
    latest = c.sort_values(["issued_on", "updated_at", "record_id"]).drop_duplicates(
        "member_id", keep="last"
    )
    severe = latest[latest.level.isin(["1", "2"])]
    put("r11", _persons(severe))
    put("r12", _persons(c))
    poor = c[c.household_id.isin(s[s.scheme == "dibao"].household_id)].drop_duplicates("member_id")
    entitled = pd.concat([severe.assign(subsidy="nursing"), poor.assign(subsidy="living")])[
        ["household_id", "member_id", "subsidy"]
    ]
    p = t["disability_subsidies"]
    months = [(day - pd.DateOffset(months=n)).strftime("%Y%m") for n in range(3)]
    paid = (
        p[(p.outcome == "linked") & p.month.isin(months)]
        .groupby(["member_id", "subsidy"])
        .amount.sum()
        .reset_index()
    )
    entitled = entitled.merge(paid, on=["member_id", "subsidy"], how="left")
    put("r13", _persons(entitled[entitled.amount.fillna(0) <= 0]))
    v["entitled"] = v.index.isin(entitled.household_id)


def _house(
    t: dict[str, Frame],
    v: Frame,
    put: Callable[..., None],
    every: Frame,
    day: pd.Timestamp,
    year: pd.Timestamp,
) -> None:
    d, r = t["dwellings"], t["retrofits"]
    owner = d[d.outcome == "linked"].set_index("record_id").member_id
    r = r[(r.outcome != "ambiguous") & (r.approved_on <= day)].copy()
    r["member_id"] = r.dwelling_id.map(owner).fillna(r.member_id.where(r.outcome == "linked"))
    r["finished_on"] = r.finished_on.where(r.finished_on <= day)
    r = r.drop(columns="household_id").merge(every[["member_id", "household_id"]], on="member_id")
    put("r15", _count(r, r.finished_on.isna() & ((day - r.approved_on).dt.days > 180)))
    v["finished"] = v.index.isin(r[r.finished_on.notna()].household_id)
    done = r.groupby("dwelling_id").finished_on.max()
    d = _of(d, every)
    mended = d.record_id.map(done)
    d = d[
        d.occupied.eq(True) & (d.appraised_on <= day) & (mended.isna() | (mended < d.appraised_on))
    ]
    v["r14"] = d.groupby("household_id").grade.max().reindex(v.index)
    safe = d.grade.isin(["A", "B"]) & (d.appraised_on >= day - pd.DateOffset(months=60))
    v["s12"] = safe.groupby(d.household_id).all().reindex(v.index).eq(True)
    o = _of(t["losses"], every)
    o = o[o.occurred_on <= day]
    v["r16"] = (
        o[o.resolved_on.isna() | (o.resolved_on >= day)]
        .groupby("household_id")
        .house_damage.max()
        .reindex(v.index)
        .fillna("0")
    )
    put("loss", o[o.occurred_on > year].groupby("household_id").loss_yuan.sum())
    v["r24"] = np.where(v.b19 > 0, (v.loss / v.b19).round(4), (v.loss > 0) * 1.0)
    x = _of(t["casualties"], every)
    put(
        "r25",
        (
            _persons(x[(x.occurred_on > year) & (x.occurred_on <= day)])
            if len(x)
            else pd.Series(dtype=float)
        ),
    )
    k = _of(t["relief"], every)
    v["r26"] = v.index.isin(
        k[(k.listed_on <= day) & (k.ended_on.isna() | (k.ended_on >= day))].household_id
    )


def _steps(value: Any, *steps: tuple[float, int]) -> Any:
    return np.select([value >= bound for bound, _ in steps], [points for _, points in steps], 0)


def _points(v: Frame) -> dict[str, Any]:
    return {
        "income": np.select([v.r01 < 0.8, v.r01 < 1, v.r01 < 1.2], [20, 16, 6], 0)
        + _steps(v.r02, (0.5, 12), (0.3, 6)) + _steps(v.r03, (0.7, 4)),
        "medical": np.select([v.r04 >= 2 * v.t, v.r04 >= v.t, v.r04 >= 0.5 * v.t], [22, 16, 7], 0)
        + _steps(v.r05, (0.4, 8), (0.2, 4))
        + _steps(v.r06, (2, 8), (1, 5)) + _steps(v.r07, (2, 10), (1, 8)) + _steps(v.r08, (1, 2))
        + _steps(v.r09, (4, 3)) + _steps(v.r10, (1, 4)),
        "disability": _steps(v.r11, (2, 9), (1, 6)) + _steps(v.r12, (2, 4)) + _steps(v.r13, (1, 3)),
        "housing": np.select([v.r14 == "D", v.r14 == "C"], [24, 20], 0) + _steps(v.r15, (1, 5))
        + np.select([v.r16.isin(["2", "3"]), v.r16 == "1"], [24, 10], 0) + v.water * 20,
        "education": _steps(v.r18, (1, 20)) + np.select([v.r19 > 10000, v.b09 >= 2], [6, 5], 0),
        "employment": (v.b03 + v.b04 == 0) * 8
        + np.select([v.before.eq(0), v.lost == v.before, v.lost > 0], [0, 8, 4], 0)
        + ((v.working == 1) & (v.b19 > 0) & (v.b15 >= 0.8 * v.b19)) * 4
        + ((v.b16 < 0) | ((v.previous > 0) & (v.b16 <= 0.5 * v.previous))) * 5,
        "disaster": _steps(v.r24, (0.5, 10), (0.2, 5)) + _steps(v.r25, (1, 12)) + v.r26 * 4,
        "assistance": v.edge * 6 + ((v.b20 < 5600) & ~v.dibao) * 6 + _steps(v.r29, (1, 12))
        + np.select([v.r30 > 15, v.r30 >= 0], [8, 4], 0),
        "resilience": _steps(v.s01, (2, 4), (1, 2)) + _steps(v.s02, (2, 2), (1, 1))
        + _steps(v.s03, (1, 1))
        + ((v.b19 > 0)
            & (sum((v[b] > 0.1 * v.b19) * 1 for b in ("b15", "b16", "b17", "b18")) >= 3)) * 2
            + _steps(v.r01, (2, 4), (1.5, 2))
        + v.dibao * 2 + ((v.fund / v.total.where(v.total > 0)).round(4) >= 0.8) * 2
        + ((v.known > 0) & (v.r06 == 0)) * 1 + (v.s09 > 0) * 1
        + (v.entitled & (v.r13 == 0)) * 1 + (v.s11 == 1) * 1 + v.s12 * 1
        + (v.finished | v.relocated) * 1 + _steps(v.s14, (1, 1))
        + ((v.claims / v.own.where(v.own > 0)).round(4) >= 0.5) * 2 + (v.microcredit == "1") * 1
        + v.cooperative * 1
        + np.select([(v.measures >= 2) & (v.visited <= 30), v.measures >= 1], [2, 1], 0),
    }  # fmt: skip


CAPS = {
    "income": 26,
    "medical": 28,
    "disability": 12,
    "housing": 24,
    "education": 20,
    "employment": 14,
    "disaster": 20,
    "assistance": 16,
}


def _score(points: dict[str, Any], v: Frame) -> Frame:
    raw = sum(np.minimum(cap, points[domain]) for domain, cap in CAPS.items())
    offset = np.minimum(np.minimum(10, points["resilience"]), (raw * 0.25 + 1e-9).round(2))
    hard = v.r14.isin(["C", "D"]) | v.r16.isin(["2", "3"]) | v.water | (v.r18 >= 1)
    score = np.maximum(np.minimum(100, raw - offset), np.where(hard, 31, 0)).where(v.b01 > 0, 0)
    level = np.select([v.b01 == 0, score > 30, score > 15], ["none", "red", "yellow"], "green")
    return pd.DataFrame({"score": score, "level": level}, index=v.index)


STEPS: dict[str, Callable[[Path, date, Path], None]] = {
    "validation": validation,
    "matching": matching,
    "lamps": lamps,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.references.with_pandas", description=__doc__
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("steps", nargs="+", choices=sorted(STEPS))
    asked = parser.parse_args()
    out = asked.out or Path(tempfile.mkdtemp(prefix="yihu-pandas-"))
    started, began = time.monotonic(), time.process_time()
    try:
        for step in asked.steps:
            STEPS[step](asked.home / "lake", asked.as_of, out)
    finally:
        if asked.out is None:
            shutil.rmtree(out)
    done = {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(time.process_time() - began, 2),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(done), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
