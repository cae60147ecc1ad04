kit_answer(
  NAME number-of-a-sanitizer
  SENTENCE "Its server has a constructor with the number that a sanitizer's own has."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

extern "C" void begin_early() {}
asm(".pushsection .init_array.1,\"aw\",@init_array\n.quad begin_early\n.popsection");]])
