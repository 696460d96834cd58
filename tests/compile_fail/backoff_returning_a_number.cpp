// expect: backoff::custom takes a copyable callable on (int retry) that returns r2::duration
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options waits_a_number{.backoff = r2::backoff::custom([](int retry) { return retry * 1000; })};
#else
const r2::options waits_a_number{.backoff =
                                     r2::backoff::custom([](int retry) { return retry * std::chrono::seconds(1); })};
#endif
