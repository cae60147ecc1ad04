// UnixStreamServer and UnixDatagramServer: the whole life of a path, and who is at the other end.

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "harness/base/catch.hpp"
#include "loopback.hpp"
#include "second_try.hpp"

using namespace unit;

namespace {

class EchoDatagram : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;
  void handle() override { wfile().write(rfile().read()); }
};

// A folder that goes away with what is in it.
class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(name_) != nullptr); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    for (const std::string& path : paths_) ::unlink(path.c_str()), ::rmdir(path.c_str());
    ::rmdir(name_);
  }
  std::string path(const std::string& name) {
    paths_.push_back(std::string(name_) + '/' + name);
    return paths_.back();
  }

 private:
  char name_[22] = "/tmp/kit-unit-XXXXXX";
  std::vector<std::string> paths_;
};

class StreamServer : public UnixStreamServer {
 public:
  explicit StreamServer(const std::string& path)
      : UnixStreamServer(unix_address(path), handler_class<OnceHandler>) {}
};

class DatagramServer : public UnixDatagramServer {
 public:
  explicit DatagramServer(const std::string& path)
      : UnixDatagramServer(unix_address(path), handler_class<EchoDatagram>) {}
  ~DatagramServer() override { UnixDatagramServer::server_close(); }
  std::atomic<int> errors{0};
  void handle_error(const Request&) override { errors += 1; }
};

bool exists(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0;
}

mode_t mode_of(const std::string& path) {
  struct stat file {};
  check(::lstat(path.c_str(), &file), "lstat");
  return file.st_mode & 07777;
}

ino_t inode_of(const std::string& path) {
  struct stat file {};
  check(::lstat(path.c_str(), &file), "lstat");
  return file.st_ino;
}

// A name without a socket behind it: what a killed server leaves.
void leave_behind(const std::string& path, int type = SOCK_STREAM) {
  const FileDescriptor socket(check(::socket(AF_UNIX, type, 0), "socket"));
  const Address address = unix_address(path);
  check(::bind(socket.get(), address.data(), address.size()), "bind");
}

template <class Server>
bool starts(const std::string& path) {
  Server server(path);
  try {
    server.bind_and_activate();
    return true;
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()) == "bind: Address already in use");
    CHECK(server.fileno() == -1);
    return false;
  }
}

FileDescriptor named_datagram_socket(const std::string& own, const Address& server) {
  FileDescriptor socket(check(::socket(AF_UNIX, SOCK_DGRAM, 0), "socket"));
  const Address name = unix_address(own);
  check(::bind(socket.get(), name.data(), name.size()), "bind");
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  return socket;
}

std::string receive(const FileDescriptor& socket) {
  char buffer[4096];
  const ssize_t count = check(::recv(socket.get(), buffer, sizeof buffer, 0), "recv");
  return {buffer, static_cast<std::size_t>(count)};
}

}  // namespace

TEST_CASE("the inheritance tree is Python's: the address family is all that differs") {
  STATIC_REQUIRE(std::is_base_of_v<BaseServer, TCPServer>);
  STATIC_REQUIRE(std::is_base_of_v<TCPServer, UDPServer>);
  STATIC_REQUIRE(std::is_base_of_v<TCPServer, UnixStreamServer>);
  STATIC_REQUIRE(std::is_base_of_v<UDPServer, UnixDatagramServer>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<UDPServer, UnixStreamServer>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<UnixStreamServer, UnixDatagramServer>);
}

TEST_CASE("unix_address: as many bytes as sun_path holds before its NUL byte") {
  const std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  const Address address = unix_address(std::string(longest, 'p'));
  CHECK(address.path() == std::string(longest, 'p'));
  CHECK(address.text() == "unix:" + std::string(longest, 'p'));
  CHECK_THROWS_AS(unix_address(std::string(longest + 1, 'p')), std::invalid_argument);
  CHECK_THROWS_AS(unix_address(""), std::invalid_argument);
  sockaddr_un bytes{};
  std::memcpy(&bytes, unix_address("/p").data(), unix_address("/p").size());
  CHECK(bytes.sun_family == AF_UNIX);
  CHECK(unix_address("/p").size() == offsetof(sockaddr_un, sun_path) + 3);
}

TEST_CASE("unix_address: a NUL byte would end the path before its end") {
  CHECK_THROWS_AS(unix_address(std::string_view("a\0b", 3)), std::invalid_argument);
  CHECK_THROWS_AS(unix_address(std::string_view("\0kit-abs", 8)), std::invalid_argument);
}

TEST_CASE("a relative path is removed from where it was made, wherever the process has gone") {
  Folder folder;
  const std::string path = folder.path("s");
  const int status = in_child([&] {
    check(::chdir(path.substr(0, path.rfind('/')).c_str()), "chdir");
    StreamServer server("s");
    server.bind_and_activate();
    check(::chdir("/"), "chdir");
  });
  CHECK(status == 0);
  CHECK_FALSE(exists(path));
}

#if defined(__linux__)
namespace {

// Whatever lstat(3) is made of, on this machine and with this C library.
constexpr std::uint32_t lstat_calls[] = {
#if defined(SYS_lstat)
    SYS_lstat,
#endif
#if defined(SYS_lstat64)
    SYS_lstat64,
#endif
#if defined(SYS_newfstatat)
    SYS_newfstatat,
#endif
#if defined(SYS_fstatat64)
    SYS_fstatat64,
#endif
#if defined(SYS_statx)
    SYS_statx,
#endif
};

// From now on lstat(2) fails in this process. seccomp(2)
void forbid_lstat() {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const std::uint32_t call : lstat_calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  check(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "prctl");
}

}  // namespace

TEST_CASE("a path that was bound and cannot be looked at is not left behind") {
  Folder folder;
  const std::string path = folder.path("s");
  const int status = in_child([&] {
    StreamServer server(path);
    forbid_lstat();
    try {
      server.bind_and_activate();
    } catch (const std::system_error& error) {
      ::_exit(error.code().value() == EIO ? 0 : 1);
    }
    ::_exit(2);
  });
  CHECK(status == 0);
  CHECK_FALSE(exists(path));
}

TEST_CASE("an abstract name is no file: none is touched for it") {
  Folder folder;
  const std::string file = folder.path("@kit-abs");
  const int status = in_child([&] {
    check(::chdir(file.substr(0, file.rfind('/')).c_str()), "chdir");
    leave_behind("@kit-abs");
    const std::string name = "unix:@kit-abs";
    UnixStreamServer server(Address::parse(name), handler_class<OnceHandler>);
    server.bind_and_activate();
    // Taken, and not taken over.
    UnixStreamServer other(Address::parse(name), handler_class<OnceHandler>);
    try {
      other.bind_and_activate();
    } catch (const std::system_error&) {
      return;
    }
    ::_exit(1);
  });
  CHECK(status == 0);
  CHECK(exists(file));
}

TEST_CASE("a datagram client whose path has all its bytes gets its answer") {
  Folder folder;
  DatagramServer server(folder.path("s"));
  server.bind_and_activate();
  sockaddr_un own{};
  own.sun_family = AF_UNIX;
  const std::string start = folder.path(std::string());
  const std::string name = start + std::string(sizeof own.sun_path - start.size(), 'c');
  std::copy(name.begin(), name.end(), own.sun_path);
  (void)folder.path(name.substr(name.rfind('/') + 1));  // removed at the end
  const FileDescriptor client(check(::socket(AF_UNIX, SOCK_DGRAM, 0), "socket"));
  check(::bind(client.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), "bind");
  const Address to = server.server_address();
  check(::connect(client.get(), to.data(), to.size()), "connect");
  send_text(client, "hello");
  CHECK(server.handle_request());
  char answer[16];
  CHECK(::recv(client.get(), answer, sizeof answer, MSG_DONTWAIT) == 5);
  CHECK(server.errors == 0);
}
#endif

TEST_CASE("a path lives as long as its server") {
  Folder folder;
  const std::string path = folder.path("s");
  {
    StreamServer server(path);
    server.bind_and_activate();
    CHECK(exists(path));
    CHECK(server.server_address().text() == "unix:" + path);
    const Running running(server);
    CHECK(ask(server.server_address(), "hello") == "hello");
  }
  CHECK_FALSE(exists(path));
  {
    DatagramServer server(path);
    server.bind_and_activate();
    CHECK(exists(path));
    server.server_close();
    CHECK_FALSE(exists(path));
    CHECK(server.fileno() == -1);
    server.server_close();
  }
}

TEST_CASE("a Unix server: bind_and_activate() can be tried again after a failure") {
  Folder folder;
  const std::string path = folder.path("s");
  const auto check_path = [&](auto& server) {
    CHECK_THROWS_AS(server.bind_and_activate(), std::system_error);
    CHECK_FALSE(exists(path));
    server.bind_and_activate();
    CHECK(exists(path));
  };
  {
    FailsOnce<StreamServer> server(path);
    check_path(server);
    CHECK(served(server, "x") == "x");
  }
  {
    FailsOnce<DatagramServer> server(path);
    check_path(server);
    const FileDescriptor client = named_datagram_socket(folder.path("c"), server.server_address());
    send_text(client, "y");
    CHECK(server.handle_request());
    CHECK(receive(client) == "y");
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("a path that a killed server left is taken over, whatever its kind (Python fails)") {
  Folder folder;
  const std::string path = folder.path("s");
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    leave_behind(path, type);
    CHECK(starts<StreamServer>(path));
    leave_behind(path, type);
    CHECK(starts<DatagramServer>(path));
    CHECK_FALSE(exists(path));
  }
}

TEST_CASE("the path of a server that lives is never touched, not by the loser's end either") {
  Folder folder;
  const std::string path = folder.path("s");
  {
    StreamServer server(path);
    server.bind_and_activate();
    const ino_t inode = inode_of(path);
    CHECK_FALSE(starts<StreamServer>(path));
    CHECK_FALSE(starts<DatagramServer>(path));
    CHECK(inode_of(path) == inode);
    // Being asked whether it lives was no request.
    CHECK_FALSE(server.get_request());
  }
  {
    DatagramServer server(path);
    server.bind_and_activate();
    CHECK_FALSE(starts<StreamServer>(path));
    CHECK_FALSE(starts<DatagramServer>(path));
    CHECK(exists(path));
    CHECK_FALSE(server.get_request());
  }
  {
    StreamServer server(path);
    server.server_bind();  // bound, and does not listen yet: a connect is refused
    CHECK_FALSE(starts<StreamServer>(path));
    CHECK(exists(path));
  }
  {
    StreamServer server(path);
    server.request_queue_size = 0;
    server.bind_and_activate();
    const FileDescriptor waiting = connect_to(server.server_address());  // the queue is full
    CHECK_FALSE(starts<StreamServer>(path));
    CHECK(exists(path));
  }
}

TEST_CASE(
    "what is no socket is never touched: a file, a folder, a link, a link to a stale socket") {
  Folder folder;
  const std::string path = folder.path("s");
  const std::string other = folder.path("other");
  const auto stays = [&] {
    const ino_t inode = inode_of(path);
    CHECK_FALSE(starts<StreamServer>(path));
    CHECK_FALSE(starts<DatagramServer>(path));
    CHECK(inode_of(path) == inode);
  };
  ::close(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
  stays();
  ::unlink(path.c_str());
  check(::mkdir(path.c_str(), 0700), "mkdir");
  stays();
  ::rmdir(path.c_str());
  leave_behind(other);
  check(::symlink(other.c_str(), path.c_str()), "symlink");
  stays();
  CHECK(exists(other));
}

TEST_CASE("a path is removed by its maker alone: not by a child, not if it is another's by now") {
  Folder folder;
  const std::string path = folder.path("s");
  StreamServer server(path);
  server.bind_and_activate();
  CHECK(in_child([&] { server.server_close(); }) == 0);
  CHECK(exists(path));
  ::unlink(path.c_str());  // somebody has cleaned up, and another server has come
  leave_behind(path);
  const ino_t inode = inode_of(path);
  server.server_close();
  CHECK(inode_of(path) == inode);
}

TEST_CASE("a path has the mode that was asked for, whatever the umask, and never a wider one") {
  Folder folder;
  const std::string path = folder.path("s");
  const mode_t old = ::umask(027);
  {
    StreamServer server(path);
    server.bind_and_activate();
    CHECK(mode_of(path) == 0750);
  }
  for (const mode_t mode : {0600U, 0660U, 0777U, 0U}) {
    StreamServer server(path);
    server.mode = mode;
    server.bind_and_activate();
    CHECK(mode_of(path) == mode);
  }
  {
    DatagramServer server(path);
    server.mode = 0622;
    server.bind_and_activate();
    CHECK(mode_of(path) == 0622);
  }
  CHECK(::umask(old) == 027);  // the process's own is as it was
}

TEST_CASE("a hundred starts and ends on one path, every second end by SIGKILL") {
  Folder folder;
  const std::string path = folder.path("s");
  for (int i = 0; i < 100; ++i) {
    const int status = in_child([&] {
      StreamServer server(path);
      server.bind_and_activate();
      if (starts<DatagramServer>(path)) ::_exit(1);  // it lives: nobody takes its place
      if (i % 2 == 1) ::raise(SIGKILL);
    });
    if (i % 2 == 1) {
      REQUIRE(WIFSIGNALED(status));
      CHECK(exists(path));
    } else {
      REQUIRE(status == 0);
      CHECK_FALSE(exists(path));
    }
  }
}

TEST_CASE("peer_credentials says who connected") {
  Folder folder;
  StreamServer server(folder.path("s"));
  server.bind_and_activate();
  const FileDescriptor client = connect_to(server.server_address());
  const auto request = server.get_request();
  REQUIRE(request);
  CHECK(request->client_address().text() == "unix:(unnamed)");
  const PeerCredentials peer = peer_credentials(request->fileno());
  CHECK(peer.uid == ::geteuid());
  CHECK(peer.gid == ::getegid());
#if defined(__linux__)
  CHECK(peer.pid == ::getpid());
#endif
  CHECK_THROWS_AS(peer_credentials(-1), std::system_error);
}

TEST_CASE("UnixDatagramServer: a client with a name is answered there") {
  Folder folder;
  DatagramServer server(folder.path("s"));
  server.bind_and_activate();
  const Running running(server);
  const FileDescriptor client = named_datagram_socket(folder.path("c"), server.server_address());
  send_text(client, "hello");
  CHECK(receive(client) == "hello");
  const std::string large(100'000 > server.max_packet_size ? 65'535 : 100'000, 'x');
  send_text(client, large);
  std::string answer(large.size() + 1, '\0');
  answer.resize(static_cast<std::size_t>(
      check(::recv(client.get(), answer.data(), answer.size(), 0), "recv")));
  CHECK(answer == large);
}

TEST_CASE(
    "UnixDatagramServer: one without a name is turned away in silence (Python: an exception)") {
  Folder folder;
  DatagramServer server(folder.path("s"));
  server.bind_and_activate();
  const FileDescriptor nameless(check(::socket(AF_UNIX, SOCK_DGRAM, 0), "socket"));
  const Address& address = server.server_address();
  check(::connect(nameless.get(), address.data(), address.size()), "connect");
  send_text(nameless, "who am I");
  CHECK(server.handle_request());
  const FileDescriptor client = named_datagram_socket(folder.path("c"), address);
  send_text(client, "hello");
  CHECK(server.handle_request());
  CHECK(receive(client) == "hello");
  CHECK(server.errors == 0);
}

TEST_CASE("UnixDatagramServer: a client that has gone before its answer is no error") {
  Folder folder;
  DatagramServer server(folder.path("s"));
  server.bind_and_activate();
  const std::string own = folder.path("c");
  send_text(named_datagram_socket(own, server.server_address()), "closed, its name is left");
  CHECK(server.handle_request());  // ECONNREFUSED
  ::unlink(own.c_str());
  send_text(named_datagram_socket(own, server.server_address()), "closed, its name is removed");
  ::unlink(own.c_str());
  CHECK(server.handle_request());  // ENOENT
  CHECK(server.errors == 0);
}

TEST_CASE("UnixDatagramServer: a client that reads nothing does not stop it (Python blocks)") {
  Folder folder;
  DatagramServer server(folder.path("s"));
  server.bind_and_activate();
  const Running running(server);
  const Address& address = server.server_address();
  const FileDescriptor client = named_datagram_socket(folder.path("c"), address);
  // As long as it is not connected to the server, its queue takes a few answers and no more.
  const FileDescriptor rude(check(::socket(AF_UNIX, SOCK_DGRAM, 0), "socket"));
  const Address name = unix_address(folder.path("rude"));
  check(::bind(rude.get(), name.data(), name.size()), "bind");
  for (int i = 0; i < 1000; ++i) {
    check(::sendto(rude.get(), "answer me", 9, 0, address.data(), address.size()), "sendto");
  }
  send_text(client, "hello");
  CHECK(receive(client) == "hello");
  {
    // A connected one can fill the server's own send buffer: answers are lost until it goes.
    const FileDescriptor ruder = named_datagram_socket(folder.path("ruder"), address);
    for (int i = 0; i < 1000; ++i) send_text(ruder, "answer me");
    send_text(client, "answered or lost");
  }
  send_text(client, "hello");
  std::string answer = receive(client);
  if (answer == "answered or lost") answer = receive(client);
  CHECK(answer == "hello");
}
