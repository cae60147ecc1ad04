# The calls that the recorder stands in front of, as linker options: KIT_WRAP_OPTIONS.
# A candidate that links tests/recorder/recorder.cpp without them is simply not recorded.
set(KIT_WRAPPED_CALLS
  socket bind listen accept accept4 connect
  recv recvfrom recvmsg recvmmsg read readv preadv2 eventfd_read
  send sendto sendmsg sendmmsg write writev pwritev2 sendfile
  getsockopt setsockopt getsockname getpeername
  shutdown close
  poll ppoll select pselect
  epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
  fork vfork _Fork posix_spawn posix_spawnp wait waitpid waitid wait4
  unlink unlinkat lstat chmod mkdir rename umask fcntl pthread_create
  nanosleep clock_nanosleep usleep sleep
  pthread_mutex_unlock pthread_rwlock_unlock pthread_mutex_clocklock
  # A call without a name: recorder_trap.hpp.
  syscall
  # std::thread::_M_start_thread of libstdc++: its call of pthread_create is inside the library.
  _ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE)

set(KIT_WRAP_OPTIONS "")
foreach(call IN LISTS KIT_WRAPPED_CALLS)
  list(APPEND KIT_WRAP_OPTIONS "-Wl,--wrap=${call}")
endforeach()
