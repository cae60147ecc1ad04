#pragma once

#include <type_traits>

namespace socketserver {

/// What a mix-in that serves requests in a way of its own (a thread, a process, a selector) derives
/// from: a server can have one such way.
struct ConcurrencyMixIn {};

/// Whether `Server` has no such way yet.
template <class Server>
inline constexpr bool serves_in_its_loop = !std::is_base_of_v<ConcurrencyMixIn, Server>;

}  // namespace socketserver
