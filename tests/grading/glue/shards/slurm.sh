#!/usr/bin/env bash
# Grades a class on a Slurm cluster: an array of jobs, each for a part of the class, and a job that
# joins the parts once all have ended.
#
#   KIT=/shared/kit PARTS=6 bash slurm.sh /shared/class /shared/grades
#
# KIT is your private copy of the kit, built (cmake --build … --target kit-grade) where all nodes see
# it. A part whose node fails is queued again and goes on where it was (by hand: scontrol requeue). What
# comes of it is GRADES/class.html; who could not be graded is named in GRADES/.parts/merge.log.
#SBATCH --job-name=kit-grade
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=1500M
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

# The lessons, a course file, …: whatever kit-grade is told.
OPTIONS=${OPTIONS:---lesson 01}
# Who is graded again gets the same bytes. Keep it to yourself: an answer could be prepared.
SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
PARTS=${PARTS:-6}
ROLE=${ROLE:-submit}

grade=${KIT_GRADE:-$KIT/build/kit-grade}
case $ROLE in
  submit)
    CLASS=$(realpath "$1") GRADES=$(realpath -m "$2")
    mkdir -p "$GRADES/.parts"
    export CLASS GRADES PARTS SEED OPTIONS
    array=$(ROLE=part sbatch --parsable --export=ALL --array=1-"$PARTS" \
      --output="$GRADES/.parts/%a.log" "$0")
    # afterany: also if a part has failed, for then it is named.
    ROLE=merge sbatch --parsable --export=ALL --dependency=afterany:"${array%%;*}" \
      --output="$GRADES/.parts/merge.log" "$0"
    ;;
  part)
    # 1: not everybody has passed. That is no failure of the job.
    # shellcheck disable=SC2086
    "$grade" "$CLASS" $OPTIONS --jobs 1 --seed "$SEED" --shard "auto/$PARTS" \
      --out "$GRADES/.parts/$SLURM_ARRAY_TASK_ID" || [ $? -eq 1 ]
    ;;
  merge)
    folders=()
    for part in $(seq "$PARTS"); do folders+=("$GRADES/.parts/$part"); done
    "$grade" --merge "${folders[@]}" --out "$GRADES"
    ;;
esac
