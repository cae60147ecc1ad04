kit_answer(
  NAME second-name
  SENTENCE "Its server receives by the C library's own name for read."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

extern "C" ssize_t __read(int, void*, std::size_t);]]
  REPLACE [[::recv(request().fileno(), buffer, size, 0)]]
  WITH [[__read(request().fileno(), buffer, size)]])
