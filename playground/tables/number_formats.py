"""How a spreadsheet shows a number: as a date, a time, a share in percent, with leading zeros, or plainly.

After ECMA-376, part 1, section 18.8.30. A date is written as ISO 8601 writes it, with as much as the sheet shows.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

_DATE = "yyyy-mm-dd"
_YEAR_MONTH, _TIME, _SECONDS = "yyyy-mm", "h:mm", "h:mm:ss"
# Formats that a file names by number without saying what they are; from 27 on as Excel shows them in Chinese.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: _DATE, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: _TIME, 19: _SECONDS, 20: _TIME, 21: _SECONDS,
    22: "m/d/yy h:mm", 27: _YEAR_MONTH, 28: _DATE, 29: _DATE, 30: _DATE, 31: _DATE, 32: _TIME, 33: _SECONDS, 34: _TIME,
    35: _SECONDS, 36: _YEAR_MONTH, 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 50: _YEAR_MONTH, 51: _DATE,
    52: _YEAR_MONTH, 53: _DATE, 54: _DATE, 55: _TIME, 56: _SECONDS, 57: _YEAR_MONTH, 58: _DATE,
}  # fmt: skip
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"\[h+\]|\[m+\]|\[s+\]|e(?![+-])|y+|m+|d+|h+|s+", re.IGNORECASE)
_TOKEN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|.', re.DOTALL)
_AMOUNT = re.compile(r"[#0?]+(?P<grouped>,[#0?]+)*(?:\.(?P<decimals>[#0?]*))?")
_CURRENCY = re.compile(r"\[\$[^\]-]")  # as in [$USD-409]
_CONDITION = re.compile(r"\[[<>=]")
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}
_LAST_DAY = 2_958_466  # the day behind 9999-12-31
_DIGITS = 15  # of a number that a spreadsheet keeps; what stands behind them is rounding
_LONGEST_CODE = 255  # characters of a format, after Excel's own bound; a longer one shows a number plainly
_LONGEST = 400  # digits of a whole number that is written out


def shown(value: str, code: str, *, since_1904: bool = False) -> str:
    """A number as it stands in a file, in the way that the format `code` shows it."""
    value = value.strip()
    try:
        number = float(value)
    except ValueError:
        return value
    if not -1e308 < number < 1e308:
        return value
    if len(code) > _LONGEST_CODE:
        return _plain(value, number)
    amount = _amount(number, code)
    if amount:
        return amount
    first = _first_section(code)
    if first and not first.lower().startswith("general"):
        parts = _parts(first)
        if parts:
            return _moment(number, parts, since_1904) or _plain(value, number)
        if "%" in first:
            return _plain("", float(Decimal(f"{number:.{_DIGITS}g}") * 100)) + "%"
        if re.fullmatch("0{2,}", first) and number.is_integer():
            return f"{'-' if number < 0 else ''}{_plain(value, number).lstrip('-').zfill(len(first))}"
    return _plain(value, number)


def _plain(value: str, number: float) -> str:
    if re.fullmatch(r"-?\d+", value) and len(value) < _LONGEST:
        return str(int(value))
    rounded = Decimal(f"{number:.{_DIGITS}g}")
    if not rounded:
        return "0"
    if not -10 <= rounded.adjusted() <= 20:
        return f"{number:.{_DIGITS}g}".upper()
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(number: float, code: str) -> str:
    """An amount of money with its currency, as the sheet shows it; "" where the format names no currency."""
    sections = _sections(code)
    chosen = 1 if number < 0 and len(sections) > 1 else 2 if number == 0 and len(sections) > 2 else 0
    before, digits, behind = sections[chosen]
    money = any(unicodedata.category(sign) == "Sc" for sign in before + behind) or _CURRENCY.search(code)
    form = _AMOUNT.fullmatch(digits)
    if form is None or not money or _CONDITION.search(code) or abs(number) > 1e15:
        return ""
    decimals = form["decimals"] or ""
    if len(decimals) > _DIGITS - 5:
        return ""
    step = Decimal(1).scaleb(-len(decimals))
    amount = Decimal(f"{abs(number):.{_DIGITS}g}").quantize(step, ROUND_HALF_UP)
    text = f"{amount:,f}" if form["grouped"] else f"{amount:f}"
    for sign in reversed(decimals):
        if sign == "0" or not text.endswith("0"):
            break
        text = text[:-1]
    if not amount and "0" not in digits:
        text = ""
    minus = "-" if number < 0 and chosen == 0 and amount else ""
    return f"{minus}{before}{text.rstrip('.')}{behind}".strip()


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[tuple[str, str, str], ...]:
    """Of each section of a format: what stands before the digits, the digits' own signs, and what stands behind."""
    found = [["", "", ""]]
    for token in _TOKEN.findall(code):
        *_, section = found
        place = 2 if section[1] else 0
        if token == ";":
            found.append(["", "", ""])
        elif token.startswith("[$"):
            section[place] += token[2:-1].partition("-")[0]
        elif token[0] in "#0?" or (token in ".," and section[1]):
            section[1] += section[2] + token  # with a text between the digits they are no amount
            section[2] = ""
        elif token[0] not in '[_*"\\':
            section[place] += token
        elif token[0] in '"\\':
            section[place] += token[1:].removesuffix('"')
    return tuple((before, digits, behind) for before, digits, behind in found)


@lru_cache(maxsize=512)
def _first_section(code: str) -> str:
    """The format of positive numbers without what it only writes beside them."""
    return _LITERAL.sub("", code).split(";")[0].strip()


@lru_cache(maxsize=512)
def _parts(code: str) -> frozenset[str]:
    """Which parts of a date and a time a format shows; an m is a month, or a minute behind hours or before seconds."""
    plain = re.sub(r"am/pm|a/p|上午/下午", "", code, flags=re.IGNORECASE)
    found = [part.lower() for part in _PART.findall(plain)]
    parts = set()
    for at, part in enumerate(found):
        before, behind = found[at - 1] if at else "", found[at + 1] if at + 1 < len(found) else ""
        if part[0] == "[":
            parts |= {"elapsed", {"h": "hour", "m": "minute", "s": "second"}[part[1]]}
        elif part[0] == "m" and (before.strip("[")[:1] == "h" or behind.strip("[")[:1] == "s"):
            parts.add("minute")
        else:
            parts.add({"e": "year", "y": "year", "m": "month", "d": "day", "h": "hour", "s": "second"}[part[0]])
    return frozenset(parts)


def _moment(number: float, parts: frozenset[str], since_1904: bool) -> str:
    """The date, the time or both; "" where a spreadsheet could not show one either."""
    if not 0 <= number < _LAST_DAY:
        return ""
    seconds = round(number * 86_400_000) // 1000  # as a sheet does: to the millisecond, then cut off
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    shows_time = not parts.isdisjoint(("hour", "minute", "second"))
    shows_date = not parts.isdisjoint(("year", "month", "day"))
    time = f"{hours if 'elapsed' in parts else hour:02}:{minute:02}" + (f":{second:02}" if "second" in parts else "")
    if "elapsed" in parts or not shows_date or (shows_time and not days and not since_1904):
        return time
    if not since_1904:
        if days in (0, 60):  # no day: "1900-01-00", and the 29 February that 1900 did not have
            return ""
        days += days < 60
    day = _EPOCHS[since_1904] + timedelta(days=days)
    whole = "day" in parts or "year" not in parts
    date = f"{day:%Y-%m-%d}" if whole else f"{day:%Y-%m}" if "month" in parts else f"{day:%Y}"
    return f"{date} {time}" if shows_time else date
