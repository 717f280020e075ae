// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/proxy_answer.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using wva_metrics::http::detail::ProxyAnswer;

namespace {

const std::string proxy_accepts = "HTTP/1.1 200 Connection established\r\nVia: 1.1 p\r\n\r\n";

std::string proxy_reason(const std::string& bytes) {
    ProxyAnswer answer;
    CHECK(answer.add(bytes) == ProxyAnswer::Progress::refused);
    return answer.reason();
}

} // namespace

TEST_CASE("a proxy's answer may arrive in any pieces") {
    for (std::size_t cut = 1; cut < proxy_accepts.size(); ++cut) {
        CAPTURE(cut);
        ProxyAnswer answer;
        CHECK(answer.add(proxy_accepts.substr(0, cut)) == ProxyAnswer::Progress::incomplete);
        CHECK(answer.add(proxy_accepts.substr(cut)) == ProxyAnswer::Progress::accepted);
        CHECK(answer.reason().empty());
    }
    ProxyAnswer bytewise;
    for (std::size_t i = 0; i + 1 < proxy_accepts.size(); ++i)
        CHECK(bytewise.add(proxy_accepts.substr(i, 1)) == ProxyAnswer::Progress::incomplete);
    CHECK(bytewise.add("\n") == ProxyAnswer::Progress::accepted);
}

TEST_CASE("every 2xx of a proxy is a connection, with or without a reason phrase") {
    const std::string answer = GENERATE(as<std::string>{}, "HTTP/1.0 200 OK", "HTTP/1.1 200",
                                        "HTTP/1.1 200 ", "HTTP/1.1 299 x");
    CHECK(ProxyAnswer().add(answer + "\r\n\r\n") == ProxyAnswer::Progress::accepted);
}

TEST_CASE("a proxy that does not connect is refused with its status in words") {
    const auto answer = [](const std::string& status) {
        return proxy_reason("HTTP/1.1 " + status + "\r\nContent-Length: 3\r\n\r\nno");
    };
    CHECK(answer("407 Proxy Authentication Required").find("answered HTTP 407: it requires") == 0);
    CHECK(answer("407 x").find("set proxy.credentials") != std::string::npos);
    CHECK(answer("403 Forbidden") ==
          "answered HTTP 403: it does not permit connections to this host and port");
    CHECK(answer("502 Bad Gateway") == "answered HTTP 502: it could not reach the server");
    CHECK(answer("301 Moved") == "answered HTTP 301 instead of 200");
    CHECK(answer("100 Continue") == "answered HTTP 100 instead of 200");
}

TEST_CASE("what is no answer of a proxy is refused as soon as it is known") {
    const std::string garbage =
        GENERATE(as<std::string>{}, "SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x01", "\r\n\r\n",
                 "HTTP/2 200\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
                 "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1  200\r\n\r\n", "HTTP/1.x 200\r\n\r\n",
                 "HTTP/1.1 020 x\r\n\r\n", "HTTP/1.1\r\n\r\n", std::string("\0", 1));
    CAPTURE(garbage);
    CHECK(proxy_reason(garbage) == "did not answer in HTTP/1");
}

TEST_CASE("bytes after a proxy's header are refused") {
    CHECK(proxy_reason(proxy_accepts + "HTTP/1.1 200 OK\r\n") ==
          "sent more than the header of its answer");
}

TEST_CASE("a proxy's header is bounded") {
    ProxyAnswer answer;
    CHECK(answer.add("HTTP/1.1 200 OK\r\n") == ProxyAnswer::Progress::incomplete);
    std::size_t sent = 17;
    while (answer.add("X: " + std::string(95, 'x') + "\r\n") == ProxyAnswer::Progress::incomplete)
        sent += 100;
    CHECK(sent <= ProxyAnswer::max_bytes);
    CHECK(answer.reason() == "sent a header larger than 16 KiB");
}
