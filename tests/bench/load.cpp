#include "load.hpp"

#include "turns.hpp"

namespace kit::bench {

Outcome run_load(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks) {
  if (load.transport == Transport::udp || load.transport == Transport::unix_datagram)
    return run_datagrams(load, server, timing, hooks);
  if (load.transport == Transport::http) return run_http(load, server, timing, hooks);
  if (load.kind == Kind::connections) return run_connections(load, server, timing, hooks);
  return run_streams(load, server, timing, hooks);
}

}  // namespace kit::bench
