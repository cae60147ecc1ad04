#pragma once

// What the fuzzers share. Each defines the one function that libFuzzer calls with bytes of its own
// making; a report of a sanitizer, or expect(false), ends the run and keeps the bytes.

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

using namespace socketserver;

inline void expect(bool condition) {
  if (!condition) std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Two ends of a stream connection in this process.
struct Pair {
  Pair() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  FileDescriptor ours;
  FileDescriptor theirs;
};

/// Sends all of it, which must be little enough for the kernel to hold, and the end of file.
inline void send_and_end(const FileDescriptor& socket, std::string_view bytes) {
  if (!bytes.empty()) {
    expect(::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size()));
  }
  expect(::shutdown(socket.get(), SHUT_WR) == 0);
}

}  // namespace fuzz
