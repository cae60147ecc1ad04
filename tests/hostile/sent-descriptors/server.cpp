// Files on their way, in a socket's queue. Bounded: 40 of 4 MiB.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

int main() {
  alarm(20);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return 1;
  const std::vector<char> bytes(std::size_t{4} << 20, 'x');
  for (int i = 0; i < 40; ++i) {
    const int file = memfd_create("kept", 0);
    [[maybe_unused]] const auto n = write(file, bytes.data(), bytes.size());
    char byte = 'x';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof file)] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof file);
    std::memcpy(CMSG_DATA(head), &file, sizeof file);
    // A queue of datagrams is short: each pair keeps ten.
    if (i % 8 == 7 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return 1;
    sendmsg(pair[0], &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(file);
  }
  for (;;) pause();
}
