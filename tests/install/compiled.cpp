/// The one file that has r2's definitions, where a consumer makes the compiled mode by hand.
#include <r2/src.hpp>
