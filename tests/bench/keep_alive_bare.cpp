/// Makes COUNT sequential GETs by one reused easy handle of libcurl, written the usual way. The baseline of keep_alive.
#include <curl/curl.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* body) {
    static_cast<std::string*>(body)->append(data, size * count);
    return size * count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: keep_alive_bare URL COUNT\n";
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append);
    long good = 0;
    for (long n = std::atol(argv[2]); n > 0; --n) {
        std::string body;
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
        if (curl_easy_perform(easy) != CURLE_OK) continue;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        good += status == 200 && !body.empty();
    }
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    std::cout << good << " good responses\n";
    return good == std::atol(argv[2]) ? 0 : 1;
}
