# Grades a class on a real Slurm, a controller and two nodes on this machine: sixty submissions in six
# parts by the glue that a teacher gets, one part killed in its middle and queued again. What comes of
# it must be what one machine makes of the class.
#
#   cmake -DGRADE=build/kit-grade -DSOURCE=. -DWORK=… -P slurm_test.cmake
cmake_minimum_required(VERSION 3.25)

set(lesson 01_tcp_echo)
foreach(program slurmctld slurmd munged sbatch squeue scontrol)
  find_program(${program} ${program} PATHS /usr/sbin /usr/local/sbin)
  if(NOT ${program})
    message("NOT RUN: Slurm is not installed (${program}; the packages are slurmctld, slurmd and munge)")
    return()
  endif()
endforeach()
execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT user EQUAL 0)
  message("NOT RUN: Slurm's daemons want to be root")
  return()
endif()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/class" "${WORK}/slurm/state")

# Mostly right; every third client has one of two faults.
foreach(i RANGE 1 60)
  math(EXPR name "100 + ${i}")
  set(folder "${WORK}/class/s${name}/lessons")
  file(MAKE_DIRECTORY "${folder}")
  file(COPY "${SOURCE}/solutions/${lesson}" DESTINATION "${folder}")
  file(READ "${folder}/${lesson}/client.cpp" text)
  math(EXPR kind "${i} % 6")
  if(kind EQUAL 2)
    string(REPLACE "send_all(connection, message);" "send_all(connection, options.sentence());" text "${text}")
  elseif(kind EQUAL 4)
    string(REPLACE "send_all(connection, message);" "send_all(connection, message + message);" text "${text}")
  endif()
  file(WRITE "${folder}/${lesson}/client.cpp" "${text}")
endforeach()
set(terms --lesson 01 --step 01.1)

execute_process(COMMAND ${GRADE} ${WORK}/class ${terms} --seed 3 --out ${WORK}/single
  RESULT_VARIABLE status OUTPUT_VARIABLE words ERROR_VARIABLE words)
if(NOT status EQUAL 1)
  message(FATAL_ERROR "one machine: ${status}\n${words}")
endif()

# ---- a cluster -------------------------------------------------------------------------------------

set(etc "${WORK}/slurm")
string(RANDOM LENGTH 3 ALPHABET 0123456789 port)
math(EXPR port "20000 + ${port} * 10")
math(EXPR port_one "${port} + 1")
math(EXPR port_two "${port} + 2")
cmake_host_system_information(RESULT host QUERY HOSTNAME)
string(RANDOM LENGTH 64 key)
file(WRITE "${etc}/munge.key" "${key}")
file(CHMOD "${etc}/munge.key" PERMISSIONS OWNER_READ OWNER_WRITE)
file(WRITE "${etc}/slurm.conf" "\
ClusterName=kit
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${etc}/munge.socket,cred_expire=5
StateSaveLocation=${etc}/state
SlurmdSpoolDir=${etc}/spool-%n
SlurmctldPidFile=${etc}/slurmctld.pid
SlurmdPidFile=${etc}/slurmd-%n.pid
SlurmctldLogFile=${etc}/slurmctld.log
SlurmdLogFile=${etc}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true
ReturnToService=2
KillWait=2
SlurmdParameters=config_overrides
NodeName=one,two NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port_one},${port_two} CPUs=2 RealMemory=8000
PartitionName=all Nodes=one,two Default=YES MaxTime=INFINITE State=UP
")
set(ENV{SLURM_CONF} "${etc}/slurm.conf")

# Ends the daemons, each by the number that it has written down itself.
function(stop_slurm)
  foreach(daemon slurmd-one slurmd-two slurmctld munged)
    if(EXISTS "${etc}/${daemon}.pid")
      file(READ "${etc}/${daemon}.pid" pid)
      string(STRIP "${pid}" pid)
      execute_process(COMMAND kill ${pid} ERROR_QUIET)
    endif()
  endforeach()
endfunction()
function(fail text)
  stop_slurm()
  message(FATAL_ERROR "${text}\n(the daemons' words: ${etc}/*.log)")
endfunction()
function(start name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_FILE "${etc}/${name}.out"
    ERROR_FILE "${etc}/${name}.err")
  if(status)
    file(READ "${etc}/${name}.err" words)
    fail("${name} does not start: ${status}\n${words}")
  endif()
endfunction()
# Asks again until the answer is as it should be.
macro(ask_until pattern seconds)
  string(TIMESTAMP until "%s" UTC)
  math(EXPR until "${until} + ${seconds}")
  while(TRUE)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE answer ERROR_VARIABLE answer)
    if(answer MATCHES "${pattern}")
      break()
    endif()
    string(TIMESTAMP now "%s" UTC)
    if(now GREATER until)
      fail("within ${seconds} s `${ARGN}` did not say ${pattern}, but:\n${answer}")
    endif()
    execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.5)
  endwhile()
endmacro()

start(munged ${munged} --force --key-file=${etc}/munge.key --socket=${etc}/munge.socket
  --pid-file=${etc}/munged.pid --log-file=${etc}/munged.log --seed-file=${etc}/munge.seed)
start(slurmctld ${slurmctld} -c)
start(slurmd-one ${slurmd} -N one)
start(slurmd-two ${slurmd} -N two)
ask_until("^2\n?$" 60 sh -c "sinfo -h -N -t idle -o %N | wc -l")

# ---- the class -------------------------------------------------------------------------------------

set(ENV{KIT_GRADE} "${GRADE}")
list(JOIN terms " " options)
set(ENV{OPTIONS} "${options}")
set(ENV{PARTS} 6)
set(ENV{SEED} 3)
execute_process(COMMAND bash ${SOURCE}/tests/grading/glue/shards/slurm.sh ${WORK}/class ${WORK}/grades
  RESULT_VARIABLE status OUTPUT_VARIABLE merge ERROR_VARIABLE words OUTPUT_STRIP_TRAILING_WHITESPACE)
if(status)
  fail("sbatch: ${status} ${merge} ${words}")
endif()
math(EXPR array "${merge} - 1")

# Once a part has graded somebody, and not yet everybody, it is killed and queued again.
ask_until("[1-9]" 300 sh -c "grep -l '\"complete\": true' ${WORK}/grades/.parts/1/.kit/grades/*.json 2>/dev/null | wc -l")
execute_process(COMMAND ${scontrol} requeue ${array}_1 RESULT_VARIABLE status ERROR_VARIABLE words)
if(status)
  fail("the job cannot be queued again (it has ended already?): ${words}")
endif()
ask_until("^0\n?$" 900 sh -c "squeue -h -j ${array},${merge} 2>&1 | grep -vc Invalid || true")
file(READ "${WORK}/grades/.parts/1.log" log)
stop_slurm()

if(NOT log MATCHES "graded before")
  message(FATAL_ERROR "the part that was killed did not go on where it was:\n${log}")
endif()
file(READ "${WORK}/grades/.parts/merge.log" log)
if(NOT log MATCHES "Merged 60 of 60 submissions")
  message(FATAL_ERROR "the parts were not joined:\n${log}")
endif()
foreach(file class.csv class.html class.md class.json)
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/single/${file} ${WORK}/grades/${file}
    RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR "${file} is another than that of one machine: ${WORK}")
  endif()
endforeach()
message(STATUS "60 submissions in 6 parts on 2 nodes, one killed and queued again: the same as on one machine")
file(REMOVE_RECURSE "${WORK}")
