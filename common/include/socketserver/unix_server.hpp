#pragma once

#include <sys/types.h>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace socketserver {

/// The address of the Unix socket at `path`. You write it in lesson 03. See unix(7).
///
/// @param path  as many bytes as sun_path holds before the NUL byte that ends it (Linux: 107), at
///              least one, and none of them NUL
/// @throws std::invalid_argument with a sentence that names `path`, and says what is wrong with it
[[nodiscard]] Address unix_address(std::string_view path);

/// Who is at the other end of a Unix stream connection, as the kernel knows it.
struct PeerCredentials {
  uid_t uid;  ///< the user
  gid_t gid;  ///< the group
  pid_t pid;  ///< the process; 0 where the system does not say
};

/// Asks the kernel who is at the other end of `connection`: it is who connected, and cannot be made
/// up. You write it in lesson 03. See unix(7), SO_PEERCRED; getpeereid(3) on the BSDs and macOS.
/// @throws std::system_error naming getsockopt, for a socket that is no Unix stream
[[nodiscard]] PeerCredentials peer_credentials(int connection);

/// The name of a bound Unix socket in the file system, and the life of that name. You write it in
/// lesson 03.
///
/// bind(2) makes the name, and nothing but unlink(2) removes it: it outlives the socket, and the
/// next bind(2) then fails. Whoever removes a name must know whose it is.
class UnixPath {
 public:
  /// Owns no name.
  UnixPath() noexcept = default;
  UnixPath(const UnixPath&) = delete;
  UnixPath& operator=(const UnixPath&) = delete;
  /// remove()
  ~UnixPath() { remove(); }

  /// Binds `socket` to the path of `address`, and owns the name from now on.
  ///
  /// A name that a server left behind when it was killed is taken over: it is a socket, and nobody
  /// is there. Anything else that has the name stays as it is, and bind fails: a socket that
  /// somebody has bound, even if it does not listen yet; a file, a folder, a link.
  ///
  /// @param mode  what the name's access rights are, from its first moment on; no value: what the
  ///              umask(2) leaves of 0777
  /// @throws std::system_error naming bind
  void bind(int socket, const Address& address, std::optional<mode_t> mode);

  /// Removes the name if it is still the one that bind() made, and this is still the process that
  /// made it. Call it before the socket is closed: until then nobody can take the name over. The
  /// second call does nothing.
  void remove() noexcept;

 private:
  // Whether there is a name to remove. Several threads may close a server: one of them removes it.
  [[maybe_unused]] std::atomic<bool> owns_{false};
  std::string path_;
  [[maybe_unused]] dev_t device_ = 0;  // which file it was when it was made
  [[maybe_unused]] ino_t inode_ = 0;
  [[maybe_unused]] pid_t maker_ = 0;
};

/// A server whose requests are Unix stream connections. You write its functions in lesson 03.
///
/// It is a TCPServer on an address of another family, and that address is a name in the file
/// system. Clients have no name of their own: client_address() is unnamed. Source: Python's
/// `socketserver.UnixStreamServer`; unix(7).
class UnixStreamServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

  /// server_close()
  ~UnixStreamServer() override { UnixStreamServer::server_close(); }

  /// The access rights of the path: who may write to it may connect. No value: 0777 without what
  /// umask(2) takes away.
  std::optional<mode_t> mode;

  /// Opens a stream socket and binds it to the path: see UnixPath::bind().
  /// allow_reuse_address, allow_reuse_port and dual_stack mean nothing here.
  /// @throws std::system_error that names the call that failed
  void server_bind() override;

  /// Ends a loop that still runs, removes the path, then closes the listener. The second call does
  /// nothing.
  void server_close() override;

 private:
  UnixPath path_;
};

/// A server whose requests are Unix datagrams. You write its functions in lesson 03.
///
/// It is a UDPServer on a path. Nothing is lost on the way, and nothing overtakes. A client that
/// wants an answer binds a path of its own. Source: Python's `socketserver.UnixDatagramServer`;
/// unix(7).
class UnixDatagramServer : public UDPServer {
 public:
  using UDPServer::UDPServer;

  /// server_close()
  ~UnixDatagramServer() override { UnixDatagramServer::server_close(); }

  /// The access rights of the path: who may write to it may send. No value: 0777 without what
  /// umask(2) takes away.
  std::optional<mode_t> mode;

  /// Opens a datagram socket and binds it to the path: see UnixPath::bind().
  /// @throws std::system_error that names the call that failed
  void server_bind() override;

  /// Turns a client away that has no name: no answer could reach it. Override this for a service
  /// that answers nobody.
  bool verify_request(const Request& request) override;

  /// Ends a loop that still runs, removes the path, then closes the socket. The second call does
  /// nothing.
  void server_close() override;

 private:
  UnixPath path_;
};

}  // namespace socketserver
