// Differs: looks before it binds, by a connection that does not wait, with a lock on the folder:
// two servers of this kind that start at once do not get between each other.

#include <fcntl.h>
#include <sys/file.h>
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

bool is_left_behind(const Address& address) {
  struct stat file {};
  if (::lstat(address.path().c_str(), &file) == -1 || !S_ISSOCK(file.st_mode)) return false;
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const FileDescriptor probe(
        check(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    if (::connect(probe.get(), address.data(), address.size()) == 0) return false;
    if (errno != EPROTOTYPE) return errno == ECONNREFUSED;
  }
  return false;
}

int bind_with_mode(int socket, const Address& address, std::optional<mode_t> mode) {
  std::optional<ModeOfNewFiles> rights;
  if (mode) rights.emplace(*mode);
  return ::bind(socket, address.data(), address.size());
}

}  // namespace

void UnixPath::bind(int socket, const Address& address, std::optional<mode_t> mode) {
  const std::string path = address.path();
  const std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock) ::flock(lock.get(), LOCK_EX);
  if (is_left_behind(address)) ::unlink(path.c_str());
  check(bind_with_mode(socket, address, mode), "bind");
  struct stat file {};
  check(::lstat(path.c_str(), &file), "lstat");
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
