"""Returns set against the purchases they undo, by window functions: a log may have any size.

The rule. A return cancels a purchase of the same customer and the same amount: one of the same day
if there is one, else the earliest before it that no other return has cancelled (first in, first
out). What then remains of returns is netted within its day, and what is still negative is taken off
the customer's earlier purchase days in their order. A return that finds nothing earlier is left
out. All of the log is seen, whatever the cut: a purchase later taken back was never worth anything.
"""

from __future__ import annotations

from typing import Any

from cvlib.inputs.database import MONEY
from cvlib.words.message import message

# How many of the returns up to a row find something: the queue of purchases is never below zero.
_UNMATCHED = "greatest(0, least(0, coalesce(min(level) OVER earlier, 0)) - level)"


def match_returns(
    connection: Any, lines: str, left_out: list[tuple[Any, ...]], returns: int
) -> str:
    """SQL for customer_id, day, net, transactions, returned once returns are matched.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the log; tables of those with returns are made in it.
    lines : str
        What stands after FROM: customer_id, day, amount.
    left_out : list
        Receives reason, counted, count, share (of all returns) and amount of every step.
    returns : int
        Negative amounts in the log.
    """
    connection.execute(
        f"CREATE TEMP TABLE returners AS SELECT DISTINCT customer_id FROM {lines} AND amount < 0"
    )
    connection.execute(
        f"""CREATE TEMP TABLE amounts AS
        WITH equal AS (
            SELECT customer_id, day, abs(amount)::{MONEY} AS amount,
                   count(*) FILTER (amount > 0) AS bought, count(*) FILTER (amount < 0) AS back,
                   count(*)::INTEGER AS transactions
            FROM (FROM {lines}) WHERE customer_id IN (FROM returners)
            GROUP BY customer_id, day, abs(amount)::{MONEY}),
        queued AS (
            SELECT *, least(bought, back) AS same_day,
                   sum(bought - back) OVER (PARTITION BY customer_id, amount ORDER BY day) AS level
            FROM equal),
        found AS (
            SELECT *, CASE WHEN back > same_day THEN {_UNMATCHED} ELSE 0 END AS unmatched
            FROM queued
            WINDOW earlier AS (PARTITION BY customer_id, amount ORDER BY day
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
        totals AS (
            SELECT *, sum(back - same_day - unmatched) OVER (PARTITION BY customer_id, amount)
                          AS later,
                   sum(bought - same_day) OVER (PARTITION BY customer_id, amount ORDER BY day)
                       - (bought - same_day) AS before
            FROM found)
        SELECT customer_id, day, amount, transactions, back, same_day, unmatched,
               bought - same_day - greatest(0, least(later - before, bought - same_day)) AS kept,
               bought
        FROM totals"""
    )
    connection.execute(
        f"""CREATE TEMP TABLE returned_days AS
        WITH netted AS (
            SELECT customer_id, day, sum(transactions)::INTEGER AS transactions,
                   sum(amount * kept)::{MONEY} AS paid, sum(amount * unmatched)::{MONEY} AS owed,
                   bool_or(back > 0 OR kept < bought) AS touched
            FROM amounts GROUP BY customer_id, day),
        queued AS (
            SELECT *, paid - owed AS net,
                   sum(paid - owed) OVER (PARTITION BY customer_id ORDER BY day) AS level
            FROM netted),
        found AS (
            SELECT *, CASE WHEN net < 0 THEN {_UNMATCHED} ELSE 0 END AS lost
            FROM queued
            WINDOW earlier AS (PARTITION BY customer_id ORDER BY day
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
        totals AS (
            SELECT *, sum(greatest(-net, 0) - lost) OVER (PARTITION BY customer_id) AS taken,
                   sum(greatest(net, 0)) OVER (PARTITION BY customer_id ORDER BY day)
                       - greatest(net, 0) AS before
            FROM found)
        SELECT customer_id, day, transactions, owed, lost,
               greatest(net, 0) - greatest(0, least(taken - before, greatest(net, 0))) AS net,
               touched OR owed > 0 OR (net > 0 AND taken > before) AS returned
        FROM totals"""
    )
    matched, money, rest = connection.execute(
        "SELECT sum(back - unmatched), sum(amount * (back - unmatched)), sum(unmatched) "
        "FROM amounts"
    ).fetchone()
    owed, lost, unpaid = connection.execute(
        "SELECT sum(owed), sum(lost), count(*) FILTER (lost > 0) FROM returned_days"
    ).fetchone()
    for reason, counted, count, amount in (
        ("inputs.return_matched", "transactions", matched, money),
        ("inputs.return_netted", "transactions", rest, owed - lost),
        ("inputs.return_unmatched", "customer-days", unpaid, lost),
    ):
        left_out.append(
            (message(reason), counted, int(count), int(count) / returns, 0.0 - float(amount))
        )
    return (
        "SELECT customer_id, day, round(sum(amount), 6) AS net, count(*)::INTEGER AS transactions, "
        f"false AS returned FROM (FROM {lines}) ANTI JOIN returners USING (customer_id) "
        "GROUP BY customer_id, day UNION ALL "
        "SELECT customer_id, day, net::DOUBLE, transactions, returned FROM returned_days"
    )
