#!/usr/bin/env bash
# Requests per second of a saturated server, bare, with us, and with axum-prometheus, in turns; wants wrk.
#
#   benches/saturate.sh [ROUNDS] [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5} seconds=${2:-6} port=${PORT:-18089}
cargo build --release -q -p tower-analytics-benches --bin saturate
program=${CARGO_TARGET_DIR:-target}/release/saturate
results=$(mktemp)
trap 'rm -f "$results"' EXIT
for ((round = 1; round <= rounds; round++)); do
    for variant in bare analytics prometheus; do
        "$program" "$variant" "$port" &
        server=$!
        until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
        wrk -t1 -c32 -d1s -s benches/saturate.lua "http://127.0.0.1:$port/" >/dev/null
        rate=$(wrk -t1 -c32 -d"${seconds}s" -s benches/saturate.lua "http://127.0.0.1:$port/" | awk '/^Requests\/sec/ { print $2 }')
        kill -INT "$server"
        wait "$server"
        echo "$round $variant $rate" | tee -a "$results"
    done
done
# The median of each, and of the ratios within a round: a machine that drifts slows all of a round.
python3 - "$results" <<'PYTHON'
import statistics, sys
rates = {}
for line in open(sys.argv[1]):
    _, variant, rate = line.split()
    rates.setdefault(variant, []).append(float(rate))
for variant, values in rates.items():
    ratio = statistics.median(value / bare for value, bare in zip(values, rates["bare"]))
    print(f"{variant:<12} {statistics.median(values):>10.0f} requests/s {100 * ratio:>7.1f} % of bare")
PYTHON
