// The session of lesson 07: however a client's bytes are cut, it gets the same answer.

#define main session_main
#include "../../solutions/07_selectors/server.cpp"
#undef main

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ServerWith<Settings, TCPServer> server(Address::inet("127.0.0.1", 0), nullptr);
  static const bool is_quiet = [] {
    char program[] = "server", quiet[] = "--quiet";
    char* argv[] = {program, quiet, nullptr};
    return server_main(2, argv, {}, [](const Options&) {}) == 0;
  }();
  fuzz::expect(is_quiet);
  if (size < 2) return 0;
  server.line_limit = 1 + data[0];
  const std::size_t piece = 1 + data[1];
  const std::string_view bytes = fuzz::text_of(data + 2, size - 2);

  // Everything up to the first line that is too long.
  std::string expected;
  bool too_long = false;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    too_long = end > server.line_limit;
    if (too_long) break;
    expected += upper(std::string(rest.substr(0, end)));
    rest.remove_prefix(end);
  }

  const Address client;
  LineSession session(client, server);
  Output output;
  bool refused = false;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      session.received(bytes.substr(at, piece), output);
    }
    session.ended(output);
  } catch (const std::length_error&) {
    refused = true;
  }
  fuzz::expect(refused == too_long && output.unsent() == expected);
  return 0;
}
