#pragma once

// Everything that a lesson's check needs:
//
//     STEP("01.7", "a message in pieces comes back whole") {
//       step.suspect("One recv() was taken for one message. ...");
//       Server& server = step.server();
//       Peer& peer = step.connect(server);
//       peer.send("hello ").expect("HELLO ");
//       peer.send("world\n").expect("WORLD\n");
//       peer.half_close().expect_end();
//       server.stop();
//     }
//
// One file makes one program, with a test case for each step; the program's exit status is the
// verdict (verdict.cpp). Catch2's own header is not among the includes: a check compiles in a
// second without.

#include "harness/run/run.hpp"
#include "harness/seen/recorder_log.hpp"
#include "harness/step/peer.hpp"
#include "harness/step/program.hpp"
#include "harness/step/step.hpp"

#define KIT_JOIN_(a, b) a##b
#define KIT_JOIN(a, b) KIT_JOIN_(a, b)

/// A step: STEP("01.7", "its title in the manifest") { ... step.server() ... }
#define STEP(id, title) KIT_STEP(id, title, __LINE__)
#define KIT_STEP(id, title, line)                                                                 \
  static void KIT_JOIN(kit_body_, line)(kit::Step & step);                                        \
  static const bool KIT_JOIN(kit_registered_, line) =                                             \
      kit::register_step(id, title, [] { kit::run_step(id, title, KIT_JOIN(kit_body_, line)); }); \
  static void KIT_JOIN(kit_body_, line)([[maybe_unused]] kit::Step & step)
