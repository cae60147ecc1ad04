kit_answer(
  NAME no-sanitize
  SENTENCE "Its server turns a sanitizer off for a function, by an attribute that is pasted together."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

#define PASTED(a, b) a##b
#define WORD(a, b) PASTED(a, b)
__attribute__((WORD(no_sani, tize)("address"))) int unseen(const int* p) {
  return p[3];
}]])
