kit_answer(
  NAME name-with-a-version
  SENTENCE "Its server receives by a name with a version."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

#if defined(__x86_64__)
asm(".symver receive_unseen, recv@GLIBC_2.2.5");
#else
asm(".symver receive_unseen, recv@GLIBC_2.17");
#endif
extern "C" ssize_t receive_unseen(int, void*, std::size_t, int);]]
  REPLACE [[::recv(request().fileno(), buffer, size, 0)]]
  WITH [[receive_unseen(request().fileno(), buffer, size, 0)]])
