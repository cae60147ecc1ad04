#pragma once

// kqueue(2), as much of it as KqueueSelector uses. What it does: ../macos.cpp.

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void* udata;
};

#define EV_SET(event, id, filter, flags, fflags, data, udata)      \
  do {                                                             \
    struct kevent made = {id, filter, flags, fflags, data, udata}; \
    *(event) = made;                                               \
  } while (false)

extern "C" int kqueue();
extern "C" int kevent(int queue, const struct kevent* changes, int change_count,
                      struct kevent* events, int event_count, const timespec* timeout);
