// The bank's lines: each is answered OK or ERR, the sum stays what it is allowed to be, and what
// was said by half is not obeyed.

#include <socketserver/connection.hpp>

#define main bank_main
#include "../../solutions/06_shared_state/server.cpp"
#undef main

#include "fuzz.hpp"

namespace {

// What one client says, and everything it is answered.
std::string say(std::string_view bytes) {
  static ServerWith<Shared, ThreadingTCPServer> server(Address::inet("127.0.0.1", 0),
                                                       handler_class<BankHandler>);
  fuzz::Pair pair;
  fuzz::send_and_end(pair.ours, bytes);
  Request request(std::move(pair.theirs), Address());
  try {
    server.finish_request(request);
  } catch (const std::length_error&) {
    // A line over the limit ends this client.
  }
  request.close();
  return receive_all(pair.ours.get());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool is_quiet = [] {
    char program[] = "server", quiet[] = "--quiet";
    char* argv[] = {program, quiet, nullptr};
    return server_main(2, argv, {}, [](const Options&) {}) == 0;
  }();
  fuzz::expect(is_quiet);
  const std::string_view bytes = fuzz::text_of(data, size);
  std::string answers = say(bytes);
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < answers.size(); ++count) {
    const std::size_t end = answers.find('\n', begin);
    fuzz::expect(end != answers.npos);
    const std::string_view answer = std::string_view(answers).substr(begin, end - begin);
    fuzz::expect(answer == "OK" || answer.starts_with("OK ") || answer.starts_with("ERR "));
    begin = end + 1;
  }
  fuzz::expect(count <= static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n')) + 1);
  const std::string before = say("TOTAL\n");
  fuzz::expect(before.starts_with("OK "));
  fuzz::expect(say("DEPOSIT half 5").starts_with("ERR "));
  fuzz::expect(say("TOTAL\n") == before);
  return 0;
}
