#include "use_all.hpp"

int second_file() { return use_all(); }
