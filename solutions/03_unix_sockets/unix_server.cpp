// UnixStreamServer and UnixDatagramServer: servers whose address is a path.
// The contract: common/include/socketserver/unix_server.hpp. Used by: server.cpp, client.cpp.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace socketserver {

Address unix_address(std::string_view path) {
  sockaddr_un address{};  // all zero: the byte behind the path is its end
  address.sun_family = AF_UNIX;
  if (path.empty()) throw std::invalid_argument("the path of a Unix socket is empty");
  if (path.find('\0') != path.npos) {
    throw std::invalid_argument("the path of a Unix socket has a NUL byte, which ends it");
  }
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

// While it lives, new files get exactly the rights of `mode`: a chmod(2) after bind(2) would come
// too late for those who connect in between. The mask is the whole process's: bind before there are
// threads. umask(2)
class ModeOfNewFiles {
 public:
  explicit ModeOfNewFiles(mode_t mode) noexcept : old_(::umask(0777 & ~mode)) {}
  ModeOfNewFiles(const ModeOfNewFiles&) = delete;
  ModeOfNewFiles& operator=(const ModeOfNewFiles&) = delete;
  ~ModeOfNewFiles() { ::umask(old_); }

 private:
  mode_t old_;
};

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

int bind_with_mode(int socket, const Address& address, std::optional<mode_t> mode) {
  std::optional<ModeOfNewFiles> rights;
  if (mode) rights.emplace(*mode);
  return ::bind(socket, address.data(), address.size());
}

}  // namespace

void UnixPath::bind(int socket, const Address& address, std::optional<mode_t> mode) {
  const std::string path = address.path();
  if (path.empty()) {  // an abstract name is no file: nothing of it is left behind
    check(::bind(socket, address.data(), address.size()), "bind");
    return;
  }
  path_ = std::filesystem::absolute(path).string();  // a later chdir(2) moves it nowhere
  if (bind_with_mode(socket, address, mode) == -1) {
    const int error = errno;  // the question below may change it
    if (error != EADDRINUSE || !is_left_behind(address)) throw_system_error("bind", error);
    // The window that remains: another server that starts at this moment may have asked as well,
    // and taken the name over; then this removes its name.
    ::unlink(path.c_str());
    check(bind_with_mode(socket, address, mode), "bind");
  }
  struct stat file {};
  if (::lstat(path.c_str(), &file) == -1) {
    const int error = errno;
    ::unlink(path.c_str());  // nobody would, later on: whose it is, only this call could have told
    throw_system_error("lstat", error);
  }
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
