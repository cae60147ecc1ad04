// Addresses: what the kernel may write comes back from its text, which is one line of printable
// characters; and what a person may write is an address or refused with a sentence.

#include <netinet/in.h>
#include <sys/un.h>
#include <socketserver/address.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "fuzz.hpp"

using namespace socketserver;

namespace {

void expect_round_trip(const Address& address) {
  const std::string text = address.text();
  fuzz::expect(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  fuzz::expect(Address::parse(text) == address);
}

template <class SocketAddress>
SocketAddress from(std::string_view bytes, int family) {
  SocketAddress address{};
  std::memcpy(&address, bytes.data(), std::min(bytes.size(), sizeof address));
  reinterpret_cast<sockaddr*>(&address)->sa_family = static_cast<sa_family_t>(family);
  return address;
}

void expect_written_by_the_kernel(std::string_view bytes) {
  const auto v4 = from<sockaddr_in>(bytes, AF_INET);
  expect_round_trip(Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4));
  auto v6 = from<sockaddr_in6>(bytes, AF_INET6);
  // A zone is a link-local address's alone.
  if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) v6.sin6_scope_id = 0;
  expect_round_trip(Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6));
  const auto local = from<sockaddr_un>(bytes, AF_UNIX);
  const std::size_t size = std::min(bytes.size(), sizeof local);
  expect_round_trip(
      Address(reinterpret_cast<const sockaddr*>(&local), static_cast<socklen_t>(size)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  expect_written_by_the_kernel(bytes);
  // (What is no number is looked up: a name would ask the network.)
  const bool is_name =
      !bytes.starts_with("unix:") && bytes.find_first_not_of("0123456789abcdef:.[]%") != bytes.npos;
  if (is_name) return 0;
  try {
    expect_round_trip(Address::parse(bytes));
  } catch (const std::invalid_argument& error) {
    fuzz::expect(!std::string_view(error.what()).empty());
  }
  return 0;
}
