// Bounded by the compiler's own depth of 200, and by the cell's limits.
#include "client.cpp"
#include "/dev/zero"
int main() {}
