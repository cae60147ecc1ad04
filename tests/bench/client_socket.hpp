#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <string>

#include "load.hpp"

namespace kit::bench {

/// A folder of our own in /tmp; removed with all that is in it.
class TemporaryFolder {
 public:
  /// @throws std::system_error naming mkdtemp
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// Where it is.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Makes the clients' sockets for one server.
class ClientSockets {
 public:
  /// Clients of `server`. A Unix datagram client binds a name in a folder that lives as long as
  /// this object.
  ClientSockets(Transport transport, socketserver::Address server);

  /// A non-blocking socket for client `number`, not yet connected.
  /// @throws std::system_error naming the call
  socketserver::FileDescriptor make(std::uint32_t number);

  /// How far connect() has come.
  enum class Connect { done, under_way, try_again };

  /// Begins to connect. try_again: the server's queue is full, or the ports of this moment are used
  /// up. @throws Fault if the server refuses
  Connect connect(int socket) const;

  /// Looks at what became of a connect that was under way. @throws Fault if it failed
  static void finish_connect(int socket);

 private:
  void bind_to_some_loopback_address(int socket);

  Transport transport_;
  socketserver::Address server_;
  std::optional<TemporaryFolder> folder_;  // for the names of Unix datagram clients
  std::uint32_t made_ = 0;
};

}  // namespace kit::bench
