#!/usr/bin/env bash
# A batch on a real Ray on loopback: the merged result must have the bytes of a local run.
# Usage: ray.sh PATH-OF-MURPHY SCENARIO. In a network namespace of its own: Ray takes the host's address otherwise.
set -euo pipefail
murphy="$(realpath "$1")"
scenario="$(realpath "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! { python3 -m venv venv && venv/bin/pip -q install ray; } >install.log 2>&1; then
    echo "SKIPPED: Ray: its Python package cannot be installed here"
    exit 0
fi
if ! unshare -n true 2>/dev/null; then
    echo "SKIPPED: Ray: no network namespaces here"
    exit 0
fi
"$murphy" plan "$scenario" --seeds 1..=20 --out plan --shards 6 >/dev/null
"$murphy" submit plan --engine ray --dry-run >/dev/null
export RAY_USAGE_STATS_ENABLED=0
unshare -n bash -c "ip link set lo up && exec timeout 300 venv/bin/python plan/ray_driver.py" >ray.log 2>&1 ||
    { tail -n 40 ray.log >&2; exit 1; }
"$murphy" merge plan --out merged >/dev/null
"$murphy" run "$scenario" --seeds 1..=20 --out whole >/dev/null
for file in whole/*; do
    name="$(basename "$file")"
    [ "$name" = env.json ] || cmp "$file" "merged/$name"
done
echo "Ray: 20 runs in 6 shards: the bytes of a local run"
