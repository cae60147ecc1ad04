kit_answer(
  NAME forks-in-place-of-threads
  SENTENCE "Each request gets a process: nothing is shared, so nothing can race."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      if (::fork() == 0) {
        process_request_thread(*shared);
        ::_exit(0);
      }]]
  REPLACE [[#include <cstddef>
]]
  WITH [[#include <unistd.h>

#include <cstddef>
]])
