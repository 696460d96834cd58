#include "nginx.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "r2/testing/sockets.hpp"

namespace r2::testkit {
namespace {

namespace fs = std::filesystem;
using testing::detail::loopback;
using testing::detail::throw_errno;

constexpr int tool_limit_ms = 20'000;
constexpr int answer_limit_s = 10;

/// Returns the absolute path of a program; empty if there is none.
std::string find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/usr/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (folder.empty() || folder.front() != '/') continue;
        auto candidate = folder + '/' + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return {};
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_file(const fs::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

class temporary_directory {
public:
    temporary_directory() {
        auto pattern = (fs::temp_directory_path() / "r2-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw_errno("mkdtemp");
        path_ = pattern;
    }

    ~temporary_directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

class descriptor {
public:
    explicit descriptor(int fd, const char* what) : fd_(fd) {
        if (fd_ < 0) throw_errno(what);
    }

    ~descriptor() { ::close(fd_); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    int get() const { return fd_; }

private:
    int fd_;
};

struct command {
    std::vector<std::string> words;
    fs::path directory;
    /// Redirects both output streams here.
    fs::path output;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

/// Starts a program that dies with the calling thread.
pid_t start(command what) {
    const auto words = pointers(what.words);
    const std::array<char*, 1> environment{nullptr};
    const auto parent = ::getpid();
    const auto child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child > 0) return child;

    // Only async-signal-safe calls: other threads of the parent may have held any lock.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int input = ::open("/dev/null", O_RDONLY);
    const int output = ::open(what.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) ::_exit(127);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::chdir(what.directory.c_str()) == 0) ::execve(words[0], words.data(), environment.data());
    ::_exit(127);
}

int reap(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/// Waits for the end of the program, and doesn't reap it.
bool ends_within(pid_t child, int timeout_ms) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (handle < 0) throw_errno("pidfd_open");
    pollfd polled{handle, POLLIN, 0};
    const int ready = ::poll(&polled, 1, timeout_ms);
    ::close(handle);
    return ready > 0;
}

/// Runs a tool to its end. Throws with its output if it fails.
void run(const command& what) {
    const auto child = start(what);
    if (!ends_within(child, tool_limit_ms)) ::kill(child, SIGKILL);
    const int status = reap(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(what.words.front() + " failed: " + contents(what.output));
    }
}

/// A program that runs in the background until it is destroyed.
class background {
public:
    explicit background(command what) {
        std::promise<pid_t> started;
        auto child = started.get_future();
        // The death signal comes when the forking thread ends, so that thread lives as long as the program.
        keeper_ = std::thread(
            [what = std::move(what), started = std::move(started), released = released_.get_future()]() mutable {
                try {
                    started.set_value(start(std::move(what)));
                } catch (...) {
                    started.set_exception(std::current_exception());
                    return;
                }
                released.wait();
            });
        try {
            child_ = child.get();
        } catch (...) {
            keeper_.join();
            throw;
        }
    }

    ~background() {
        ::kill(child_, SIGKILL);
        reap(child_);
        released_.set_value();
        keeper_.join();
    }

    background(const background&) = delete;
    background& operator=(const background&) = delete;

    bool ends_within(int timeout_ms) const { return testkit::ends_within(child_, timeout_ms); }

private:
    std::promise<void> released_;
    std::thread keeper_;
    pid_t child_ = -1;
};

/// A test authority and its certificates, made once in a process.
class certificates {
public:
    static const certificates& shared() {
        static const certificates made;
        return made;
    }

    std::string file(const char* name) const { return (directory_.path() / name).string(); }

private:
    certificates() {
        program_ = find_program("openssl");
        if (program_.empty()) throw std::runtime_error("no openssl program");
        write_file(directory_.path() / "openssl.cnf", R"([req]
distinguished_name = name
prompt = no
[name]
commonName = localhost
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[local]
subjectAltName = IP:127.0.0.1, DNS:localhost
[other]
subjectAltName = DNS:example.invalid
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
certificate = ca.pem
private_key = key.pem
[any]
commonName = supplied
)");
        write_file(directory_.path() / "index.txt", "");
        openssl(
            "req -x509 -extensions root -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem "
            "-out ca.pem -days 2 -subj /CN=r2-test-authority");
        openssl("req -new -key key.pem -out leaf.csr");
        // `ca` takes explicit dates, which `x509 -req` of OpenSSL 3.0 does not.
        openssl("ca -batch -notext -in leaf.csr -extensions local -days 2 -out good.pem");
        openssl(
            "ca -batch -notext -in leaf.csr -extensions local -startdate 20200101000000Z -enddate 20210101000000Z "
            "-out expired.pem");
        openssl("ca -batch -notext -in leaf.csr -extensions other -days 2 -out wrong_host.pem");
    }

    void openssl(const std::string& arguments) const {
        command what;
        what.words = {program_};
        std::istringstream words(arguments + " -config openssl.cnf");
        for (std::string word; words >> word;) what.words.push_back(word);
        what.directory = directory_.path();
        what.output = directory_.path() / "openssl.log";
        run(what);
    }

    temporary_directory directory_;
    std::string program_;
};

/// A free port, bound but not listening. Only a socket with SO_REUSEPORT can take it, as nginx's have.
class reserved_port {
public:
    reserved_port() {
        const int on = 1;
        auto address = loopback(0);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
            ::bind(socket_.get(), raw, size) != 0 || ::getsockname(socket_.get(), raw, &size) != 0) {
            throw_errno("bind");
        }
        number_ = ntohs(address.sin_port);
    }

    std::uint16_t number() const { return number_; }

private:
    descriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"};
    std::uint16_t number_ = 0;
};

/// Requests a location that isn't logged. Returns nothing if no response came in time.
std::string ask(std::uint16_t port) {
    const descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const timeval limit{answer_limit_s, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const auto address = loopback(port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    constexpr std::string_view request = "GET /~sync HTTP/1.0\r\n\r\n";
    ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    std::array<char, 1024> buffer{};
    while (true) {
        const auto got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) return answer;
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
}

constexpr std::string_view main_config = R"(daemon off;
master_process off;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log notice;
events { worker_connections 1024; }
http {
    log_format fields '$request_method\t$request_uri\t$server_protocol\t$status\t$connection';
    access_log access.log fields;
    client_body_temp_path temporary/body;
    proxy_temp_path temporary/proxy;
    fastcgi_temp_path temporary/fastcgi;
    uwsgi_temp_path temporary/uwsgi;
    scgi_temp_path temporary/scgi;
    client_max_body_size 0;
    default_type text/plain;
    keepalive_requests 100000000;
    keepalive_timeout 75s;
    absolute_redirect off;
    tcp_nodelay on;
    ssl_certificate_key "@key@";
    server { listen 127.0.0.1:@http@ reuseport; include locations.conf; }
    server { listen 127.0.0.1:@h2c@ http2 reuseport; include locations.conf; }
    server { listen 127.0.0.1:@https@ ssl http2 reuseport; ssl_certificate "@good@"; include locations.conf; }
    server { listen 127.0.0.1:@expired@ ssl http2 reuseport; ssl_certificate "@expired_file@"; include locations.conf; }
    server {
        listen 127.0.0.1:@wrong_host@ ssl http2 reuseport;
        ssl_certificate "@wrong_host_file@";
        include locations.conf;
    }
}
)";

constexpr std::string_view fixed_locations = R"(location = /~sync { access_log off; return 204; }
location = /hello { return 200 "hello\n"; }
location = /gzip { gzip on; gzip_types text/plain; alias files/gzip; }
location = /size/1m { alias files/1m; }
location = /loop { return 302 /loop; }
location = /to { return 302 $arg_u; }
location = /downgrade { return 302 http://127.0.0.1:@http@/hello; }
location = /upgrade { return 302 https://127.0.0.1:@https@/downgrade; }
location /put/ { root files; dav_methods PUT DELETE; create_full_put_path on; }
location = /echo {
    return 200 "method: $request_method
uri: $request_uri
protocol: $server_protocol
host: $http_host
authorization: $http_authorization
cookie: $http_cookie
content-type: $content_type
content-length: $content_length
idempotency-key: $http_idempotency_key
accept: $http_accept
accept-encoding: $http_accept_encoding
user-agent: $http_user_agent
referer: $http_referer
traceparent: $http_traceparent
";
}
location = /fields {
    default_type application/json;
    add_header Cache-Control "private, max-age=0, must-revalidate";
    add_header ETag '"5d8c72a5edda8d6a"';
    add_header Vary "Accept, Accept-Encoding";
    add_header X-Request-Id $request_id;
    add_header X-RateLimit-Limit 5000;
    add_header X-RateLimit-Remaining 4987;
    add_header X-Content-Type-Options nosniff;
    add_header Strict-Transport-Security "max-age=31536000; includeSubDomains";
    return 200 '{"id":42,"name":"widget"}';
}
)";

std::string locations() {
    std::string text(fixed_locations);
    for (const int status : {200, 201, 400, 404, 408, 425, 429, 500, 501, 502, 503, 504}) {
        const auto code = std::to_string(status);
        // Without a text nginx takes 408 as an order to close the connection; with a text it sends 408.
        text += "location = /status/" + code + " { " + (status == 429 ? "add_header Retry-After 7 always; " : "") +
                "return " + code + " \"status " + code + "\\n\"; }\n";
    }
    for (const auto* code : {"204", "304"}) {
        text += std::string("location = /status/") + code + " { return " + code + "; }\n";
    }
    for (const std::string code : {"301", "302", "303", "307", "308"}) {
        text += "location = /status/" + code + " { return " + code + " /hello; }\n";
        const auto chain = "/redirect/" + code + "/chain/";
        text += "location = " + chain + "0 { return 200 \"end of the chain\\n\"; }\n";
        for (int hops = 1; hops <= 12; ++hops) {
            const auto next = hops == 1 ? "/hello" : chain + std::to_string(hops - 1);
            text += "location = " + chain + std::to_string(hops) + " { return " + code + " " + next + "; }\n";
        }
    }
    return text;
}

std::string compressible_text() {
    std::string text;
    for (int line = 0; line < 4000; ++line) {
        text += "line " + std::to_string(line) + " of a text that compresses well\n";
    }
    return text;
}

std::string url(const char* scheme, const reserved_port& at, std::string_view path) {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(at.number()) + std::string(path);
}

}  // namespace

class nginx::state {
public:
    state() {
        const auto program = find_program("nginx");
        if (program.empty()) throw std::runtime_error("no nginx program");
        write_files();
        command what;
        what.words = {program, "-p", directory_.path().string() + "/", "-c", "nginx.conf", "-e", "error.log"};
        what.directory = directory_.path();
        what.output = directory_.path() / "output.log";
        process_ = std::make_unique<background>(std::move(what));
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(answer_limit_s);
        while (ask(http.number()).empty()) {
            if (process_->ends_within(5) || std::chrono::steady_clock::now() > until) {
                throw std::runtime_error("nginx does not start: " + contents(directory_.path() / "output.log") +
                                         contents(directory_.path() / "error.log"));
            }
        }
    }

    std::vector<entry> log(std::string_view uri_part) const {
        // nginx logs a request in the event that ends its response, so before it reads this request.
        if (ask(http.number()).empty()) throw std::runtime_error("nginx does not answer");
        std::vector<entry> found;
        std::ifstream file(directory_.path() / "access.log");
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            entry read;
            if (std::getline(words, read.method, '\t') && std::getline(words, read.uri, '\t') &&
                std::getline(words, read.protocol, '\t') && words >> read.status >> read.connection &&
                read.uri.find(uri_part) != std::string::npos) {
                found.push_back(std::move(read));
            }
        }
        return found;
    }

    reserved_port http;
    reserved_port https;
    reserved_port expired;
    reserved_port wrong_host;
    reserved_port h2c;

private:
    void write_files() const {
        const auto& made = certificates::shared();
        std::string config(main_config);
        auto places = locations();
        for (auto* text : {&config, &places}) {
            replace_all(*text, "@http@", std::to_string(http.number()));
            replace_all(*text, "@https@", std::to_string(https.number()));
            replace_all(*text, "@expired@", std::to_string(expired.number()));
            replace_all(*text, "@wrong_host@", std::to_string(wrong_host.number()));
            replace_all(*text, "@h2c@", std::to_string(h2c.number()));
            replace_all(*text, "@key@", made.file("key.pem"));
            replace_all(*text, "@good@", made.file("good.pem"));
            replace_all(*text, "@expired_file@", made.file("expired.pem"));
            replace_all(*text, "@wrong_host_file@", made.file("wrong_host.pem"));
        }
        const auto& root = directory_.path();
        fs::create_directories(root / "temporary");
        fs::create_directories(root / "files" / "put");
        write_file(root / "nginx.conf", config);
        write_file(root / "locations.conf", places);
        write_file(root / "files" / "gzip", compressible_text());
        write_file(root / "files" / "1m", std::string(1024 * 1024, 'm'));
    }

    temporary_directory directory_;
    // Last, so that it ends before its directory is removed.
    std::unique_ptr<background> process_;
};

nginx::nginx() : state_(std::make_unique<state>()) {}
nginx::~nginx() = default;

nginx& nginx::shared() {
    static nginx started;
    return started;
}

bool nginx::available() { return !find_program("nginx").empty() && !find_program("openssl").empty(); }

std::string nginx::http(std::string_view path) const { return url("http", state_->http, path); }

std::string nginx::https(std::string_view path) const { return url("https", state_->https, path); }

std::string nginx::expired(std::string_view path) const { return url("https", state_->expired, path); }

std::string nginx::wrong_host(std::string_view path) const { return url("https", state_->wrong_host, path); }

std::string nginx::h2c(std::string_view path) const { return url("http", state_->h2c, path); }

std::uint16_t nginx::http_port() const { return state_->http.number(); }

std::uint16_t nginx::https_port() const { return state_->https.number(); }

std::string nginx::ca_file() const { return certificates::shared().file("ca.pem"); }

std::string nginx::certificate_file() const { return certificates::shared().file("good.pem"); }

std::string nginx::key_file() const { return certificates::shared().file("key.pem"); }

std::vector<nginx::entry> nginx::log(std::string_view uri_part) const { return state_->log(uri_part); }

std::size_t nginx::requests_seen(std::string_view uri_part) const { return log(uri_part).size(); }

}  // namespace r2::testkit
