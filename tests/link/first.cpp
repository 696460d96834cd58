/// A program of two files that both use all of r2: it links only if no definition of r2 is duplicate or missing.
#include "use_all.hpp"

int second_file();

int main() { return use_all() + second_file(); }
