#!/usr/bin/env bash
# Moodle VPL: must make an executable vpl_execution; its last line "Grade :=>> N" is the grade. The
# jail server has the kit in /opt/kit-grader (build.sh was run there, as root); a submission's files
# lie in this folder. VPL runs it as a user of its own, who must be able to read the kit (chmod -R a+rX
# /opt/kit-grader/kit): see "What a grade can promise" on the page.
cat > vpl_execution <<'END'
#!/usr/bin/env bash
. /opt/kit-grader/settings.sh
export KIT_TIME_SCALE
/opt/kit-grader/kit/build/kit-grade . --name submission $LESSONS \
  --course /opt/kit-grader/course.txt --out "$(mktemp -d)" --format vpl 2>/dev/null
END
chmod +x vpl_execution
