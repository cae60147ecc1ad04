// The archive of the answers, to be unpacked and linked when the program runs.
asm(".section .rodata\narchive: .incbin \"@BUILD@/tests/libreference_01_plain.a\"\n.byte 0\n.text");
extern "C" const char archive[];

#include <cstdio>

int main() {
  std::puts(archive);
}
