#!/usr/bin/env bash
# The Kubernetes manifest against the published schema, strictly. Usage: kubernetes.sh PATH-OF-MURPHY SCENARIO.
set -euo pipefail
murphy="$(realpath "$1")"
scenario="$(realpath "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! { python3 -m venv venv && venv/bin/pip -q install kubernetes-validate; } >install.log 2>&1; then
    echo "SKIPPED: Kubernetes manifest: the Python package kubernetes-validate cannot be installed here"
    exit 0
fi
"$murphy" plan "$scenario" --seeds 1..=20 --out plan --shards 6 >/dev/null
"$murphy" submit plan --engine k8s --dry-run >/dev/null
venv/bin/kubernetes-validate --strict -k 1.31 plan/kubernetes_job.json
# The check can fail: a misspelt key is refused.
sed 's/backoffLimitPerIndex/backoffLimitPerIndx/' plan/kubernetes_job.json >wrong.json
if venv/bin/kubernetes-validate --strict -k 1.31 wrong.json >/dev/null 2>&1; then
    echo "error: the schema check takes a misspelt key" >&2
    exit 1
fi
echo "Kubernetes: the manifest passes the strict schema of 1.31"
