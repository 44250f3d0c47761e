"""Offramp beside other systems doing the same work: deliveries/s and CPU per delivery, as ratios within one run.

    python -m bench.peers                              W1 and W2 beside the Python and Go baselines
    python -m bench.peers --work W4-hang,W5 --peer pybase --runs 3
    python -m bench.peers --check                      are the delivered bodies right?

Needs the folder of peers (its README says how to build it) beside the project or in $PEERS_DIR; everything stays on
loopback. Before a speed is believed, the bodies should be.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(os.environ.get("PEERS_DIR", ROOT.parent / "shared" / "peers"))
WORK = Path(os.environ.get("PEERS_WORK", "/tmp/peers"))


def template(path: str) -> str:
    """The Hog template of one field of the peers' common template."""
    return "{event." + path + "}"


def destination(index: int, dest: dict) -> dict:
    """One of the peers' destinations as a destination file. JSON is YAML."""
    clauses = [f"event == '{dest['event']}'"] if dest["event"] else []
    clauses += [f"properties.{name} {op} {value!r}" for name, op, value in dest["where"]]
    return {
        "id": f"d{index}",
        "filters": {"when": " and ".join(clauses)} if clauses else {},
        "inputs": {"url": dest["url"], "body": {key: template(path) for key, path in dest["template"].items()}},
    }


def run(broker: str, topic: str, dests: str, folder: str) -> None:
    """Become `offramp run` over the peers' configuration."""
    target = Path(folder) / "destinations"
    target.mkdir()
    for index, dest in enumerate(json.loads(Path(dests).read_text())):
        (target / f"d{index}.yaml").write_text(json.dumps(destination(index, dest)))
    offramp = str(Path(sys.executable).parent / "offramp")
    flags = ["--events", f"kafka://{broker}/{topic}", "--destinations", str(target), "--state", f"{folder}/state"]
    os.execv(offramp, [offramp, "run", *flags, "--allow", "127.0.0.0/8"])


def command() -> str:
    """The line that the peers' bench starts us with; it fills in the braces."""
    return f"{sys.executable} {ROOT}/bench/peers.py --start {{broker}} {{topic}} {{dests}} {{dir}}"


def measure(peers: str, work: str, runs: int) -> list[dict]:
    """Let the peers' own bench measure them and us in turns; its records of this run."""
    results = WORK / "results.jsonl"
    before = results.stat().st_size if results.exists() else 0
    bench = [str(WORK / "venv/bin/python"), str(PEERS / "bench.py"), "--work", work, "--runs", str(runs)]
    subprocess.run([*bench, "--peer", peers, "--name", "offramp", "--cmd", command()], check=True, cwd=PEERS)
    with results.open() as file:
        file.seek(before)
        return [json.loads(line) for line in file]


def check() -> int:
    """Let the peers' own check compare every body that we deliver with the expected one."""
    # Our own modules of these names must not stand in the way of theirs.
    sys.path[0] = str(PEERS)
    for name in ("bench", "peers"):
        sys.modules.pop(name, None)
    theirs, their_check = importlib.import_module("peers"), importlib.import_module("check")
    start = command().split()
    theirs.PEERS["offramp"] = lambda run: [part.format(**vars(run)) for part in start]
    return int(their_check.main(["offramp"]))


def table(records: list[dict], peers: list[str]) -> str:
    """Medians and our ratio to each peer, as Markdown."""
    rows = ["| work | system | deliveries/s | events/s | CPU-s per 10 k | delivered | ratio: deliveries/s | CPU |"]
    rows.append("|---" * 8 + "|")
    for work in dict.fromkeys(r["work"] for r in records):
        medians = {
            peer: {
                key: statistics.median(r[key] for r in records if (r["work"], r["peer"]) == (work, peer))
                for key in ("per_s", "events_per_s", "cpu_per_10k", "sent_share")
            }
            for peer in ["offramp", *peers]
        }
        ours = medians["offramp"]
        for peer, m in medians.items():
            speed, cpu = ours["per_s"] / m["per_s"], ours["cpu_per_10k"] / m["cpu_per_10k"]
            ratio = "" if peer == "offramp" else f"{speed:.2f} | {cpu:.2f}"
            rows.append(
                f"| {work} | {peer} | {m['per_s']:,.0f} | {m['events_per_s']:,.0f} | {m['cpu_per_10k']:.2f} "
                f"| {m['sent_share']:.1%} | {ratio or ' | '} |"
            )
    return "\n".join(rows)


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default="pybase,gobase")
    parser.add_argument("--work", default="W1,W2")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="compare bodies, measure nothing")
    parser.add_argument("--start", nargs=4, metavar=("BROKER", "TOPIC", "DESTS", "DIR"), help="for the peers' bench")
    options = parser.parse_args()
    if options.start:
        run(*options.start)
    if options.check:
        return check()
    if not (PEERS / "bench.py").exists() or not (WORK / "bin/sink").exists():
        print(f"peers: nothing built in {WORK} from {PEERS}; see {PEERS}/README.md")
        return 0
    started = time.time()
    records = measure(options.peer, options.work, options.runs)
    print(table(records, options.peer.split(",")))
    print(f"ratio = Offramp : peer, in one run of {time.time() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
