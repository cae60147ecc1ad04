// Does nothing: whether a program of each build can start on a machine is asked with it.
int main() {}
