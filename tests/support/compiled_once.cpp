#define R2_COMPILED_ONCE
#include "support/compiled_once.hpp"
