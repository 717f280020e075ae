// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/url.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>
#include <tuple>

using namespace wva_metrics;
using http::parse_url;
using http::Url;

namespace {

bool is_rejected(std::string_view text) {
    const Result<Url> url = parse_url(text);
    return !url && url.error().is(Errc::invalid_config);
}

} // namespace

TEST_CASE("a URL is split into scheme, host, port and base path") {
    const auto [text, expected] = GENERATE(table<std::string, Url>({
        {"http://prometheus:9090", {"http", "prometheus", 9090, ""}},
        {"https://Thanos.Example.org/", {"https", "thanos.example.org", 443, ""}},
        {"HTTP://h", {"http", "h", 80, ""}},
        {"http://h/select/0/prometheus/", {"http", "h", 80, "/select/0/prometheus"}},
        {"http://h//", {"http", "h", 80, ""}},
        {"http://h/a%2Fb;c=d@e:f", {"http", "h", 80, "/a%2Fb;c=d@e:f"}},
        {"http://10.0.0.1:1", {"http", "10.0.0.1", 1, ""}},
        {"http://[::1]:65535/x", {"http", "::1", 65535, "/x"}},
        {"https://[2001:DB8::1]", {"https", "2001:db8::1", 443, ""}},
        {"http://svc.ns.svc.cluster.local.:9090", {"http", "svc.ns.svc.cluster.local.", 9090, ""}},
        {"http://my_service-0", {"http", "my_service-0", 80, ""}},
    }));
    CAPTURE(text);
    const Result<Url> url = parse_url(text);
    REQUIRE(url.has_value());
    CHECK(*url == expected);
}

TEST_CASE("everything outside the strict subset of URLs is rejected") {
    const std::string text = GENERATE(
        as<std::string>{}, "", "http", "http:/h", "://h", "ftp://h", "h:9090", "http://",
        "http://:80", "http://user@h", "http://user:secret@h", "http://h@evil", "http://h ",
        " http://h", "http://h\r\nX: y", "http://h/a b", "http://h/\x7f", "http://h/\xc3\xa9",
        "http://h/?q=1", "http://h?q", "http://h/#f", "http://h:", "http://h:0", "http://h:65536",
        "http://h:-1", "http://h:+80", "http://h:80a", "http://h:000080", "http://[::1",
        "http://[::1]80", "http://[::1]:", "http://[fe80::1%25eth0]", "http://[127.0.0.1]",
        "http://::1", "http://a..b", "http://.a", "http://.", "http://127.1", "http://1.2.3.999",
        "http://h/%", "http://h/%2", "http://h/%zz", "http://h/\\", "http://h/<x>");
    CAPTURE(text);
    CHECK(is_rejected(text));
    CHECK(is_rejected("http://" + std::string(64, 'a')));
}

TEST_CASE("a host that resolvers read as a number is rejected, with words that say so") {
    const std::string host = GENERATE(
        as<std::string>{}, "0x7f000001", "0X7F000001", "0x7f.1", "0x7f.0.0.1", "127.0.0.0x1", "0x",
        "2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.01", "127.0.0.256",
        "127.0.0.1.1", "0", "a.1", "a.0x1", "0x7f000001.", "127.1.");
    CAPTURE(host);
    const Result<Url> url = parse_url("http://" + host + ":9090");
    REQUIRE(url.has_error());
    CHECK_THAT(url.error().message,
               Catch::Matchers::ContainsSubstring("write an IPv4 address as four decimal numbers"));
    for (const char* name : {"0x7g", "x7f", "0x7f.test", "1password.com", "7f", "0xfoo"})
        CHECK(parse_url(std::string("http://") + name).has_value());
}

TEST_CASE("the message quotes the wrong part of a URL") {
    const auto [text, quoted] = GENERATE(table<std::string, std::string>({
        {"ftp://h", "https://, not 'ftp'"},
        {"prometheus:9090/api", "https://, not 'prometheus:9090'"},
        {"http://a..b:80/x", "not 'a..b:80'"},
        {"http://" + std::string(81, '!'), "not '" + std::string(80, '!') + "...'"},
        {"http://[::1/x", "not '[::1'"},
        {"http://h:65536", "not ':65536'"},
    }));
    CHECK_THAT(parse_url(text).error().message, Catch::Matchers::EndsWith(quoted));
}

TEST_CASE("the message never repeats a part of a URL that may contain a secret") {
    const std::string text =
        GENERATE("http://user:hunter2@h", "user:hunter2@h", "http://user:hunter2/x@h",
                 "http://user:hunter2?x@h", "ftp://h/?token=hunter2", "h?token=hunter2",
                 "http://h?token=hunter2", "http://h/#hunter2", "http://h/hunter2/%");
    CAPTURE(text);
    REQUIRE(is_rejected(text));
    CHECK(parse_url(text).error().describe().find("hunter2") == std::string::npos);
}

TEST_CASE("the message for a URL with a password says where it belongs") {
    CHECK_THAT(parse_url("http://user:hunter2@h").error().message,
               Catch::Matchers::ContainsSubstring("credentials"));
}

TEST_CASE("a null byte does not end a URL") {
    CHECK(is_rejected(std::string_view("http://h\0.evil", 14)));
}

TEST_CASE("the Host header omits the scheme's default port and a trailing dot") {
    CHECK(parse_url("http://h:80")->host_header() == "h");
    CHECK(parse_url("https://h:443")->host_header() == "h");
    CHECK(parse_url("https://h:80")->host_header() == "h:80");
    CHECK(parse_url("http://h.:9090")->host_header() == "h:9090");
    CHECK(parse_url("http://[::1]:9090")->host_header() == "[::1]:9090");
    CHECK(parse_url("https://[::1]")->host_header() == "[::1]");
}

TEST_CASE("the origin has scheme, host and port") {
    CHECK(parse_url("http://H/x")->origin() == "http://h:80");
    CHECK(parse_url("https://[::1]/x")->origin() == "https://[::1]:443");
}
