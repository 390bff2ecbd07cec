#!/usr/bin/env bash
# A sweep on a real Slurm of two nodes on loopback, one of which is killed midway: the merged result must have the
# bytes of a local run. Usage: slurm.sh PATH-OF-MURPHY. Needs root, and Debian's slurmctld, slurmd, slurm-client, munge.
set -euo pipefail
murphy="$(realpath "$1")"

if [ -z "${INSIDE:-}" ]; then
    # Processes of its own: whatever is left over dies with the first of them.
    INSIDE=1 exec unshare -p -f --mount-proc --kill-child "$0" "$murphy"
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
host="$(hostname -s)"
mkdir -p state spool.n1 spool.n2 munge
chmod 0755 "$work"
# Where a step takes too long, this says why.
fail() { echo "error: $1" >&2; tail -n 20 ./*.log plan/slurm-*.log >&2 || true; exit 1; }
# Waits for a condition; a minute at most.
await() {
    local what="$1"; shift
    for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done
    fail "waited in vain until $what"
}

dd if=/dev/urandom of=munge/key bs=128 count=1 status=none
chmod 0600 munge/key
chmod 0700 munge
munged --force --key-file=munge/key --socket="$work/munge.socket" --pid-file="$work/munge/pid" \
    --seed-file="$work/munge/seed" --log-file="$work/munge/log"

cat > slurm.conf <<CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=5
KillWait=5
JobRequeue=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=2
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[16821-16822] CPUs=1 RealMemory=500
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$work/slurm.conf"

slurmctld -D > slurmctld.out 2>&1 &
slurmd -D -N n1 > slurmd1.out 2>&1 &
slurmd -D -N n2 > slurmd2.out 2>&1 &
idle() { [ "$(sinfo -h -N -t idle -o %N | sort -u | wc -l)" = 2 ]; }
await "both nodes are idle" idle

cat > sweep.toml <<'SCENARIO'
schema   = 1
name     = "sweep"
duration = "30s"

[network]
latency = { dist = "lognormal", median = "2ms", sigma = 0.4 }

[[node]]
name   = "r"
count  = 4
model  = "pbft.replica"
params = { f = 1 }

[[node]]
name  = "client"
count = 4
model = "pbft.client"

[[workload]]
name     = "kv"
from     = "client*"
ops      = { put = 0.5, get = 0.5 }
arrivals = { dist = "poisson", rate = "400/s" }
deadline = "2s"

[[expect]]
that = "always(pbft.agreement)"

[[sweep]]
axis   = "drop"
set    = ["network.drop"]
values = [0.0, 0.001, 0.01]

[design]
seeds = "1..=64"
SCENARIO

"$murphy" plan sweep.toml --out plan --shards 24
"$murphy" submit plan --engine slurm --parts 8
# Killed as a machine is: the daemon of a node, and every process below it.
some() { [ "$(find plan/shards -name '*.rows' | wc -l)" -ge 2 ]; }
await "some shards are done" some
[ "$(find plan/shards -name '*.rows' | wc -l)" -lt 24 ] || fail "all was done before a node was killed"
victim="$(cat slurmd.n2.pid)"
pids="$victim"
for parent in $(pgrep -P "$victim"); do pids="$pids $parent $(pgrep -P "$parent" || true)"; done
pkill -KILL -f "slurmstepd: .*" || true
# shellcheck disable=SC2086 # a list of process numbers
kill -KILL $pids 2>/dev/null || true
slurmd -D -N n2 > slurmd2b.out 2>&1 &

quiet() { [ -z "$(squeue -h)" ]; }
for _ in 1 2 3; do
    for _ in $(seq 900); do quiet && break; sleep 0.1; done
    missing="$("$murphy" status plan --missing)"
    [ -z "$missing" ] && break
    echo "missing after the queue ran empty: $missing"
    # What every such user does next.
    "$murphy" submit plan --engine slurm --parts 8 --missing
done
[ -z "$("$murphy" status plan --missing)" ] || fail "shards are missing: $("$murphy" status plan --missing)"
"$murphy" merge plan --out merged > /dev/null
"$murphy" run sweep.toml --out whole > /dev/null
for file in whole/*; do
    name="$(basename "$file")"
    [ "$name" = env.json ] || cmp "$file" "merged/$name"
done
echo "Slurm: 192 runs in 24 shards on two nodes, one of them killed midway: the bytes of a local run"
