#!/usr/bin/env bash
# PrairieLearn runs this in the container; the student's files are in /grade/student.
cd /kit-grader
. ./settings.sh
export KIT_TIME_SCALE
mkdir -p /grade/results
results=/grade/results/results.json
kit/build/kit-grade /grade/student --name submission $LESSONS --course course.txt \
  ${SEED:+--seed "$SEED"} --out /tmp/grade --again --format prairielearn --results "$results"
status=$?
if [ $status -gt 1 ]; then
  rm -f "$results"
  exit $status
fi
exit 0
