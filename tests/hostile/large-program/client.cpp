// 4 GiB of data. Bounded by the limit on a file's size.
char data[4ul << 30] = {1};

int main() {
  return data[12345];
}
