kit_answer(
  NAME brothers
  SENTENCE "Its children are its brothers: whoever has started the server is to collect them."
  FILE forking_mixin.hpp
  REPLACE [[#include <sys/wait.h>
]]
  WITH [[#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
]]
  REPLACE [[    if (!child_watch_.drain()) return;
    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    std::erase_if(active_children_, [](pid_t child) { return ::kill(child, 0) != 0; });]]
  REPLACE [[check(::fork(), "fork")]]
  WITH [[static_cast<pid_t>(
        check(static_cast<int>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0)), "clone"))]])
