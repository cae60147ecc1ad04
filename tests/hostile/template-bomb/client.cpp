// 2 to the 40th instantiations. Bounded by the cell's limits on processor time and memory.
template <int depth, unsigned long number>
struct Tree {
  static constexpr unsigned long value =
      Tree<depth - 1, 2 * number>::value + Tree<depth - 1, 2 * number + 1>::value;
};
template <unsigned long number>
struct Tree<0, number> {
  static constexpr unsigned long value = number;
};

int main() {
  return static_cast<int>(Tree<40, 1>::value);
}
