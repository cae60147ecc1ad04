kit_answer(
  NAME calls-by-a-ring
  SENTENCE "What is asked for in a ring that the kernel reads is no call."
  FILE server.cpp
  REPLACE [[#include <chrono>
]]
  WITH [[#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
]]
  REPLACE [[void serve(const Options& options) {
]]
  WITH [[void serve(const Options& options) {
  io_uring_params parameters{};
  if (::syscall(SYS_io_uring_setup, 8, &parameters) == -1) throw std::runtime_error("no ring");
]])
