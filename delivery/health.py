"""How a destination is doing, and what follows: half the concurrency, quarantine, probes, disabled.

    healthy <-> degraded -> quarantined -> probing -> healthy
                                ^-- a probe failed --'
    the n-th quarantine without a recovery -> disabled, until a person enables it

Pure: attempts and the time are passed in. A refusal (4xx) never counts against health: it says that the request is not
wanted, not that the endpoint is ill. Where nearly everything is refused, `attention` says so.

Times are seconds since the epoch.
"""

from typing import Final

import msgspec

from delivery.findings import Finding
from delivery.windows import Tally
from records import HealthChange, Quarantine

PERIOD_S: Final = 24 * 3600.0
"""Quarantines count for so long."""
IN_A_ROW: Final = 5
"""So many refusals without a success between mean that something is set up wrong; so many successes, that it is not."""


class HealthState(msgspec.Struct):
    """What is kept over a restart. All text in it is free of secrets."""

    name: str = "healthy"
    """healthy, degraded, quarantined, probing or disabled."""
    since: float = 0.0
    until: float = 0.0
    """The end of the quarantine."""
    reason: str = ""
    response: str = ""
    """The first answer that made it ill, until it is healthy again."""
    quarantines: list[float] = msgspec.field(default_factory=list[float])
    """When each began, since the last recovery."""
    paused: bool = False
    """By a person."""
    attention: str = ""
    """Why somebody should look at its configuration; empty when nobody needs to."""
    refusal: str = ""
    """The first of the answers that `attention` speaks of."""


class Health:
    """The state of one destination, and the windows it is decided from."""

    def __init__(self, limits: Quarantine, state: HealthState | None = None) -> None:
        """Start healthy, or as a snapshot says."""
        self.state = state or HealthState()
        self._limits = limits
        self._tally = Tally(limits.window_s)
        self._errors_in_a_row = 0
        self._refused_in_a_row = self._accepted_in_a_row = 0
        self._good_probes = 0
        self._changes: list[HealthChange] = []

    @property
    def limits(self) -> Quarantine:
        """The thresholds."""
        return self._limits

    @limits.setter
    def limits(self, limits: Quarantine) -> None:
        if limits.window_s != self._limits.window_s:
            self._tally = Tally(limits.window_s)
        self._limits = limits

    @property
    def open(self) -> bool:
        """Whether new matches are sent at once."""
        return self.state.name in ("healthy", "degraded") and not self.state.paused

    @property
    def blocked(self) -> bool:
        """Whether nothing may be sent."""
        return self.state.paused or self.state.name in ("quarantined", "disabled")

    @property
    def stopped(self) -> bool:
        """Whether nothing will be sent until a person says so."""
        return self.state.paused or self.state.name == "disabled"

    def concurrency(self, full: int) -> int:
        """How many requests may be out at once, of `full` in health."""
        if self.blocked:
            return 0
        if self.state.name == "probing":
            return 1
        return max(1, full // 2) if self.state.name == "degraded" else full

    def next_change_at(self) -> float | None:
        """When the quarantine ends."""
        return self.state.until if self.state.name == "quarantined" and not self.state.paused else None

    def take_changes(self) -> list[HealthChange]:
        """What has changed since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def tick(self, now: float) -> None:
        """Let the time do its part."""
        if self.state.name == "quarantined" and now >= self.state.until:
            self._good_probes = 0
            self._become("probing", now, "the quarantine is over: one request at a time is tried")
        elif self.state.name == "degraded" and not self._is_degraded(now, share=0.5):
            self._become("healthy", now, "errors and slow answers have become few")

    def attempt(self, finding: Finding, started_at: float, now: float, reason: str, response: str) -> None:
        """Take one attempt into account; `reason` and `response` tell people of it, free of secrets."""
        self._watch_refusals(finding, now, reason, response)
        if self.state.name == "probing":
            # What began before is of no meaning: the quarantine was to give the endpoint time.
            if started_at >= self.state.since:
                self._probed(finding, now, reason, response)
        elif self.state.name in ("healthy", "degraded"):
            self._tally.add(now, error=finding is Finding.ERROR, slow=finding is Finding.SLOW)
            self._errors_in_a_row = self._errors_in_a_row + 1 if finding is Finding.ERROR else 0
            if finding in (Finding.ERROR, Finding.SLOW):
                self._judge(now, reason, response)

    def forget_refusals(self, now: float) -> None:
        """Its configuration has changed: whether the new one is accepted is to be seen."""
        self._refused_in_a_row = self._accepted_in_a_row = 0
        self._set_attention("", now, "its configuration has changed")

    def enable(self, now: float, reason: str) -> None:
        """A person says that it is to be tried again: what was counted against it is forgotten."""
        was_paused, self.state.paused = self.state.paused, False
        if self.state.name != "healthy":
            self._recover(now, reason)
        elif was_paused:
            self._changes.append(HealthChange("paused", "healthy", now, reason))

    def pause(self, now: float, reason: str) -> None:
        """A person says that nothing is to be sent for now. What is known of its health stays."""
        if not self.state.paused:
            self.state.paused = True
            self._changes.append(HealthChange(self.state.name, "paused", now, reason))

    def disable(self, now: float, reason: str) -> None:
        """A person says that nothing is to be sent until somebody enables it."""
        if self.state.name != "disabled":
            self._become("disabled", now, reason)

    def _judge(self, now: float, reason: str, response: str) -> None:
        limits, shares = self._limits, self._tally.shares(now)
        enough = shares.samples >= limits.min_samples
        why = ""
        if self._errors_in_a_row >= limits.errors_in_a_row:
            why = f"{self._errors_in_a_row} errors in a row"
        elif enough and shares.errors >= limits.error_rate:
            why = f"{shares.errors:.0%} of {shares.samples} attempts in {limits.window_s:g} s failed"
        elif enough and shares.slow >= limits.slow_rate:
            late = f"took {limits.slow_s:g} s or more"
            why = f"{shares.slow:.0%} of {shares.samples} answers in {limits.window_s:g} s {late}"
        if why:
            self._quarantine(now, f"{why}; the last one: {reason}" if reason else why, response)
        elif self.state.name == "healthy" and self._is_degraded(now, share=1.0):
            many = "errors" if shares.errors >= limits.error_rate / 2 else "slow answers"
            self._become("degraded", now, f"there are many {many}: half of the concurrency is used", response)

    def _is_degraded(self, now: float, share: float) -> bool:
        """Whether it is halfway to a quarantine; with a smaller share, whether it still counts as that."""
        limits, shares = self._limits, self._tally.shares(now)
        if self._errors_in_a_row * 2 >= limits.errors_in_a_row * share and self._errors_in_a_row > 1:
            return True
        return shares.samples * 2 >= limits.min_samples and (
            shares.errors * 2 >= limits.error_rate * share or shares.slow * 2 >= limits.slow_rate * share
        )

    def _probed(self, finding: Finding, now: float, reason: str, response: str) -> None:
        if finding in (Finding.ERROR, Finding.SLOW):
            self._quarantine(now, f"a probe failed: {reason or 'it took too long'}", response)
            return
        self._good_probes += 1
        if self._good_probes >= self._limits.probes:
            self._recover(now, f"{self._good_probes} probes went well")

    def _quarantine(self, now: float, reason: str, response: str) -> None:
        state, limits = self.state, self._limits
        state.quarantines = [at for at in state.quarantines if at > now - PERIOD_S] + [now]
        count = len(state.quarantines)
        if count >= limits.disable_after:
            self._become("disabled", now, f"{count} quarantines without a recovery: {reason}", response)
            return
        period_s = limits.periods_s[min(count, len(limits.periods_s)) - 1]
        self._become("quarantined", now, f"nothing is sent for {period_s:g} s: {reason}", response)
        state.until = now + period_s

    def _recover(self, now: float, reason: str) -> None:
        self.state.quarantines = []
        self._become("healthy", now, reason)

    def _become(self, name: str, now: float, reason: str, response: str = "") -> None:
        state = self.state
        self._changes.append(HealthChange(state.name, name, now, reason, response))
        state.name, state.since, state.until, state.reason = name, now, 0.0, reason
        # While it is ill, what it said first is what people want to see.
        state.response = "" if name == "healthy" else state.response or response
        if name != "degraded":
            self._errors_in_a_row = 0
            self._tally = Tally(self._limits.window_s)

    def _watch_refusals(self, finding: Finding, now: float, reason: str, response: str) -> None:
        if finding is Finding.REFUSED:
            self._refused_in_a_row, self._accepted_in_a_row = self._refused_in_a_row + 1, 0
            if self._refused_in_a_row == 1 and not self.state.attention:
                self.state.refusal = response
            if self._refused_in_a_row >= IN_A_ROW:
                self._set_attention(reason, now, f"nearly every request is refused: {reason}")
        elif finding in (Finding.GOOD, Finding.SLOW):
            self._refused_in_a_row, self._accepted_in_a_row = 0, self._accepted_in_a_row + 1
            if self._accepted_in_a_row >= IN_A_ROW:
                self._set_attention("", now, "requests are accepted again")

    def _set_attention(self, attention: str, now: float, reason: str) -> None:
        state = self.state
        if bool(attention) == bool(state.attention):
            return
        state.attention = attention
        if attention:
            self._changes.append(HealthChange(state.name, "attention", now, reason, state.refusal))
        else:
            state.refusal = ""
            self._changes.append(HealthChange("attention", state.name, now, reason))
