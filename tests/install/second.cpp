#include "consumer.hpp"

int refused_in_second_file() {
    int refused = 0;
    for (auto&& [res, err] : r2::post("not a url", "body")) refused += !res && err == r2::errc::invalid_request;
    return refused;
}
