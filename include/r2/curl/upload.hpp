#pragma once

#include <curl/curl.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace r2::inline v0_2::detail::curl {

/// The file that a request sends as its body: as many bytes as the file had when it was opened.
class upload {
public:
    /// Returns false if this is no regular file that can be read.
    bool open(std::string_view path) {
        close();
        const std::string name(path);
        if (name.find('\0') != std::string::npos) return false;
        struct stat about = {};  // before opening: to open a FIFO blocks until somebody writes to it
        if (::stat(name.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return false;
        file_.reset(std::fopen(name.c_str(), "rbe"));
        size_ = left_ = about.st_size;
        return file_ != nullptr;
    }

    void close() noexcept { file_.reset(); }

    /// The size of the file that was opened last, in bytes.
    curl_off_t size() const noexcept { return size_; }

    /// CURLOPT_READFUNCTION. Aborts the transfer if the file became shorter: its size was announced already.
    std::size_t read(char* to, std::size_t room) noexcept {
        if (left_ == 0) return 0;
        const auto wanted = static_cast<curl_off_t>(room) < left_ ? room : static_cast<std::size_t>(left_);
        const std::size_t got = std::fread(to, 1, wanted, file_.get());
        left_ -= static_cast<curl_off_t>(got);
        return got > 0 ? got : CURL_READFUNC_ABORT;
    }

    /// CURLOPT_SEEKFUNCTION. libcurl rewinds a body before it sends a request again.
    int seek(curl_off_t offset, int from) noexcept {
        if (from != SEEK_SET || offset < 0 || offset > size_ || ::fseeko(file_.get(), offset, from) != 0)
            return CURL_SEEKFUNC_FAIL;
        left_ = size_ - offset;
        return CURL_SEEKFUNC_OK;
    }

private:
    struct closer {
        void operator()(std::FILE* f) const noexcept { std::fclose(f); }
    };

    std::unique_ptr<std::FILE, closer> file_;
    curl_off_t size_ = 0;
    curl_off_t left_ = 0;
};

}  // namespace r2::inline v0_2::detail::curl
