// unix_address() alone: says what the learner's function makes of a path.

#include <sys/socket.h>
#include <sys/un.h>
#include <socketserver/program.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

#include "probe.hpp"

using namespace socketserver;

namespace {

constexpr std::size_t before_path = offsetof(sockaddr_un, sun_path);

std::string made_of(const std::string& path) {
  const Address address = unix_address(path);
  std::string words = address.family() == AF_UNIX ? "AF_UNIX" : "another family";
  const char* const bytes = reinterpret_cast<const char*>(address.data()) + before_path;
  const std::size_t length = address.size() > before_path ? address.size() - before_path : 0;
  const bool whole = length >= path.size() && std::memcmp(bytes, path.data(), path.size()) == 0;
  words += whole ? ", the whole path" : ", another path";
  // How many zeros end it is a matter of taste: bind(2) looks for the first, or for the size.
  const bool clean = std::all_of(bytes + std::min(path.size(), length), bytes + length,
                                 [](char byte) { return byte == 0; });
  words += clean ? ", zeros behind it" : ", something behind it";
  return words;
}

// What is no path at all becomes no address.
void tell_of_no_paths() {
  using namespace std::string_literals;
  const auto outcome = [](const std::string& path) {
    try {
      (void)unix_address(path);
    } catch (const std::exception&) {
      return "an exception";
    }
    return "an address";
  };
  probe::say("empty: "s + outcome(""));
  probe::say("with a NUL byte: "s + outcome("kit\0sock"s));
}

void tell(const Options& options) {
  if (options.has("--no-paths")) return tell_of_no_paths();
  std::string words;
  try {
    words = made_of(options.required("--path"));
  } catch (const std::exception& error) {
    const bool says_why = std::string(error.what()).find("too long") != std::string::npos;
    words = says_why ? "an exception: too long" : "an exception, without \"too long\"";
  }
  probe::say(words);
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv,
                     {{"--path", "PATH", "what is made an address"},
                      {"--no-paths", nullptr, "what must become none"}},
                     tell);
}
