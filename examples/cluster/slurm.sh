#!/bin/bash
# Trains by all GPUs of several nodes: sbatch examples/cluster/slurm.sh
#
# One torchrun a node (a task of srun), which starts a rank for each of its GPUs. Folders and numbers
# that differ from cluster to cluster stand at the top. What happens when:
#
#   a rank fails         torchrun starts all ranks again, --max-restarts times, from the newest snapshot
#   a node fails         Slurm puts the job back into the queue (--requeue), and it goes on likewise
#   time is up, or a     SIGTERM comes GRACE seconds before: training stops after its iteration with a
#   preemption           snapshot, and this script puts the job back into the queue
#
# https://slurm.schedmd.com/sbatch.html
# https://docs.pytorch.org/docs/stable/elastic/run.html

#SBATCH --job-name=roastery
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
#SBATCH --signal=B:TERM@180

set -euo pipefail

# A folder that all nodes see: the solver, the net, and where snapshots go. Data may lie elsewhere.
cd "${WORK:-$SLURM_SUBMIT_DIR}"
solver="${SOLVER:-solver.prototxt}"

# Of the 180 seconds above: so long torchrun lets ranks end their iteration and write a snapshot.
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=150
# One thread for each rank's numpy; what data layers read in the background comes on top.
export OMP_NUM_THREADS=1

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))

stopped=
stop() {
    stopped=yes
    kill -TERM "$step" 2>/dev/null || true
}

srun --kill-on-bad-exit=1 torchrun \
    --nnodes="$SLURM_JOB_NUM_NODES" \
    --nproc-per-node="$SLURM_GPUS_ON_NODE" \
    --rdzv-backend=c10d \
    --rdzv-id="$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}" \
    --rdzv-endpoint="$first:$port" \
    --max-restarts=3 \
    -m roastery train --solver="$solver" --device=cuda --snapshot=auto &
step=$!
trap stop TERM

# `wait` returns early when the signal comes; then wait for the step itself.
code=0
wait "$step" || code=$?
if [ -n "$stopped" ]; then
    wait "$step" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
fi
exit "$code"
