"""From the time stamps of glog to seconds."""

from __future__ import annotations

from datetime import date

_SECOND = 10**6
_DAY = 24 * 60 * 60 * _SECOND


class Clock:
    """Turns stamps into seconds; the classic stamp has no year, so a new year must be seen."""

    def __init__(self, year: int) -> None:
        """``year``: of the first classic stamp, as far as one can tell."""
        self._year = year
        self._stamp = ""
        """The date of the last stamp, as it was written."""
        self._day: date | None = None
        self._midnight = 0
        """Of that day, in microseconds since the year 1."""
        self._start: int | None = None

    def seconds(self, day: str, hour: int, minute: int, second: int, micros: int) -> float | None:
        """Seconds since the start, or None for a stamp that is none. ``day``: MMDD or YYYYMMDD."""
        if hour > 23 or minute > 59 or second > 59:
            return None
        if day != self._stamp:
            try:
                self._day = self._date(day)
            except ValueError:
                return None
            self._stamp = day
            self._midnight = self._day.toordinal() * _DAY
        now = self._midnight + ((hour * 60 + minute) * 60 + second) * _SECOND + micros
        if self._start is None:
            self._start = now
        return (now - self._start) / _SECOND

    def restart(self) -> None:
        """Count from the next stamp on."""
        self._start = None

    def _date(self, text: str) -> date:
        month, day = int(text[-4:-2]), int(text[-2:])
        if len(text) == 8:
            return date(int(text[:4]), month, day)
        if (month, day) == (2, 29):
            self._make_leap_year()
        if self._day is not None and month < self._day.month:
            self._year += 1
        elif (
            self._day is not None
            and (self._day.month, self._day.day) == (1, 1)
            and (month, day) == (12, 31)
        ):
            self._year -= 1  # two processes around New Year's Eve: this line is late
        return date(self._year, month, day)

    def _make_leap_year(self) -> None:
        """The guessed year has no 29 February, so it was another: the leap year before."""
        back = self._year % 4
        self._year -= back
        if back and self._day is not None:
            before = self._day
            self._day = before.replace(year=before.year - back)
            if self._start is not None:
                self._start += (self._day.toordinal() - before.toordinal()) * _DAY
