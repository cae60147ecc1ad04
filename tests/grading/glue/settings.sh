# What a teacher decides. Read by the glue of every receiver.

# The lessons that are graded: "--lesson 01", "--lesson 01 --lesson 02"; empty: those of course.txt.
LESSONS="--lesson 01"

# The bytes that checks send. Keep it to yourself: with it an answer could be prepared.
SEED=

# A machine with half a processor needs more time: 2 or 3.
KIT_TIME_SCALE=1
