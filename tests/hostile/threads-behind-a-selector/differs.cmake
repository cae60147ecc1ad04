kit_answer(
  NAME threads-behind-a-selector
  SENTENCE "One thread for all, says the page; here each session has one behind it."
  FILE server.cpp
  REPLACE [[line_limit_(server_as<Settings>(server).line_limit) {}]]
  WITH [[line_limit_(server_as<Settings>(server).line_limit) {
    std::thread([] { std::this_thread::sleep_for(std::chrono::seconds(20)); }).detach();
  }]]
  REPLACE [[#include <socketserver/connection.hpp>
]]
  WITH [[#include <socketserver/connection.hpp>

#include <chrono>
#include <thread>
]])
