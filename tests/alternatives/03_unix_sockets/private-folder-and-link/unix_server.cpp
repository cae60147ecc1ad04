// Differs: binds in a folder that nobody else can enter, sets the mode there, and then gives the
// socket its public name: link() fails if there is one.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace socketserver {

Address unix_address(std::string_view path) {
  sockaddr_un address{};  // all zero: the byte behind the path is its end
  address.sun_family = AF_UNIX;
  if (path.empty()) throw std::invalid_argument("the path of a Unix socket is empty");
  if (path.size() >= sizeof address.sun_path) {
    throw std::invalid_argument('"' + std::string(path) + "\" is too long for a Unix socket: " +
                                std::to_string(path.size()) + " bytes, " +
                                std::to_string(sizeof address.sun_path - 1) + " at most");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size() + 1;
  return {reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)};
}

PeerCredentials peer_credentials(int connection) {
#if defined(__linux__)
  ucred peer{};
  socklen_t size = sizeof peer;
  check(::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size), "getsockopt");
  return {peer.uid, peer.gid, peer.pid};
#else
  PeerCredentials peer{};
  check(::getpeereid(connection, &peer.uid, &peer.gid), "getpeereid");
  return peer;
#endif
}

namespace {

// Whether the name is a socket that nobody holds: its server was killed, and could not clean up.
//
// The question is put with a datagram socket, also to a stream server. A connection would be a
// request that it has to serve, and one that is bound but does not listen yet would seem dead; to a
// datagram socket both answer "wrong type" (EPROTOTYPE). Only ECONNREFUSED says: nobody.
bool is_left_behind(const Address& address) {
  struct stat file {};
  // lstat: of a link we ask what it is, not where it leads.
  if (::lstat(address.path().c_str(), &file) == -1 || !S_ISSOCK(file.st_mode)) return false;
  const FileDescriptor probe(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  return ::connect(probe.get(), address.data(), address.size()) == -1 && errno == ECONNREFUSED;
}

}  // namespace

void UnixPath::bind(int socket, const Address& address, std::optional<mode_t> mode) {
  int type = 0;
  socklen_t type_size = sizeof type;
  check(::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &type_size), "getsockopt");
  // A datagram comes from the name that its socket was bound to: a hidden one will not do.
  const bool hides = type == SOCK_STREAM;
  const std::string path = address.path();
  const std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  folder += "/.XXXXXX";
  if (hides && ::mkdtemp(folder.data()) == nullptr) throw_system_error("mkdtemp");
  const std::string hidden = hides ? folder + "/s" : path;
  const Address inside = unix_address(hidden);
  struct stat file {};
  int error = 0;
  if (!hides && mode) check(::fchmod(socket, *mode), "fchmod");
  if (!hides && is_left_behind(address)) ::unlink(path.c_str());
  if (::bind(socket, inside.data(), inside.size()) == -1) error = errno;
  if (hides && error == 0 && mode && ::chmod(hidden.c_str(), *mode) == -1) error = errno;
  if (hides && error == 0 && is_left_behind(address)) ::unlink(path.c_str());
  if (hides && error == 0 && ::link(hidden.c_str(), path.c_str()) == -1) {
    error = errno == EEXIST ? EADDRINUSE : errno;
  }
  if (error == 0 && ::lstat(path.c_str(), &file) == -1) error = errno;
  if (hides) ::unlink(hidden.c_str());
  if (hides) ::rmdir(folder.c_str());
  if (error != 0) throw_system_error("bind", error);
  path_ = path;
  device_ = file.st_dev;
  inode_ = file.st_ino;
  maker_ = ::getpid();
  owns_ = true;
}

void UnixPath::remove() noexcept {
  if (!owns_.exchange(false) || maker_ != ::getpid()) return;
  struct stat file {};
  const bool found = ::lstat(path_.c_str(), &file) == 0;
  if (found && file.st_dev == device_ && file.st_ino == inode_) ::unlink(path_.c_str());
}

void UnixStreamServer::server_bind() {
  socket_.reset(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  path_.bind(socket_.get(), server_address(), mode);
}

void UnixStreamServer::server_close() {
  BaseServer::server_close();
  path_.remove();
  TCPServer::server_close();
}

void UnixDatagramServer::server_bind() {
  socket_.reset(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  path_.bind(socket_.get(), server_address(), mode);
}

bool UnixDatagramServer::verify_request(const Request& request) {
  return request.client_address().family() != AF_UNSPEC;
}

void UnixDatagramServer::server_close() {
  BaseServer::server_close();
  path_.remove();
  UDPServer::server_close();
}

}  // namespace socketserver
