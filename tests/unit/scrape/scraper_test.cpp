// SPDX-License-Identifier: Apache-2.0
#include "support/scripted_server.hpp"
#include "wva_metrics/scrape/scraper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using namespace std::chrono_literals;
using test_support::ScriptedServer;

std::string page_answer(const std::string& body,
                        const std::string& type = "text/plain; version=0.0.4",
                        const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string gauge_page = "# TYPE x gauge\nx{a=\"1\"} 5\nunwanted 7\n";

struct ScraperFixture {
    asio::io_context context;

    static ScraperConfig config() {
        ScraperConfig made;
        made.wanted = exposition::WantedMetrics({"x", "y_total"});
        return made;
    }

    std::optional<Result<void>> scrape(Scraper& scraper, Duration within = 60s) {
        std::optional<Result<void>> result;
        asio::co_spawn(context, scraper.scrape(std::chrono::steady_clock::now() + within),
                       [&](std::exception_ptr thrown, Result<void> got) {
                           REQUIRE(!thrown);
                           result = got;
                       });
        while (!result && context.run_one() > 0) {
        }
        return result;
    }

    Error failure(Scraper& scraper, Duration within = 60s) {
        const std::optional<Result<void>> result = scrape(scraper, within);
        REQUIRE(result);
        REQUIRE(result->has_error());
        return result->error();
    }
};

/// The last value of each series but `up`, by name; and the values of `up`.
std::map<std::string, double> last_values(const Scraper& scraper) {
    return scraper.read([](const SampleStore& store) {
        std::map<std::string, double> result;
        store.visit([&](auto labels, auto samples, bool) {
            result[std::string(labels.front().value)] = samples.back().value;
        });
        return result;
    });
}

TEST_CASE_METHOD(ScraperFixture, "a scrape keeps the wanted samples, and the connection") {
    ScriptedServer server(context, {test_support::answer_each_with(page_answer(gauge_page))});
    Scraper scraper(context.get_executor(), {.url = server.url(), .pod = "a"}, config());
    REQUIRE(scrape(scraper)->has_value());
    REQUIRE(scrape(scraper)->has_value());
    CHECK(last_values(scraper) == std::map<std::string, double>{{"x", 5}, {"up", 1}});
    CHECK(server.connections() == 1);
    CHECK(server.requests().front().starts_with("GET /metrics HTTP/1.1"));
    CHECK(server.requests().front().find("openmetrics") != std::string::npos);
    CHECK(scraper.remark().empty());
}

TEST_CASE_METHOD(ScraperFixture, "path and query of a target's URL are requested") {
    ScriptedServer server(context, {test_support::answer_each_with(page_answer(gauge_page))});
    Scraper scraper(context.get_executor(), {.url = server.url() + "/a/b?c=d"}, config());
    REQUIRE(scrape(scraper)->has_value());
    CHECK(server.requests().front().starts_with("GET /a/b?c=d HTTP/1.1"));
    CHECK(scraper.pod() == "127.0.0.1:" + std::to_string(server.port()));
}

TEST_CASE_METHOD(ScraperFixture, "a page of OpenMetrics is read as such") {
    const std::string body = "# TYPE y counter\ny_total 4 1700000000.5\n# EOF\n";
    ScriptedServer server(context, {test_support::answer_each_with(page_answer(
                                       body, "application/openmetrics-text; version=1.0.0"))});
    Scraper scraper(context.get_executor(), {.url = server.url()}, config());
    REQUIRE(scrape(scraper)->has_value());
    scraper.read([](const SampleStore& store) {
        store.visit([](auto labels, auto samples, bool) {
            if (labels.front().value == "y_total")
                CHECK(samples.back() ==
                      samples::Sample{samples::ServerTime(1'700'000'000'500ms), 4});
        });
    });
}

TEST_CASE_METHOD(ScraperFixture,
                 "a page without a known content type is read as text, with a remark") {
    ScriptedServer server(context,
                          {test_support::answer_each_with(page_answer(gauge_page, "foo/bar"))});
    Scraper scraper(context.get_executor(), {.url = server.url()}, config());
    REQUIRE(scrape(scraper)->has_value());
    CHECK(scraper.remark().find("foo/bar") != std::string::npos);
}

TEST_CASE_METHOD(ScraperFixture, "a failed scrape says which server and what") {
    struct Case {
        std::string answer;
        Errc code;
        int status;
        std::string said;
    };
    const std::vector<Case> cases = {
        {page_answer("nothing here", "text/plain", "404 Not Found"), Errc::rejected, 404,
         "/metrics"},
        {page_answer("", "text/plain", "401 Unauthorized"), Errc::unauthorized, 401, "credentials"},
        {page_answer("", "text/plain", "403 Forbidden"), Errc::forbidden, 403, "credentials"},
        {page_answer("busy", "text/plain", "503 Service Unavailable"), Errc::unavailable, 503,
         "busy"},
        {page_answer("", "text/plain", "302 Found"), Errc::rejected, 302, "redirects"},
        {page_answer(""), Errc::bad_response, 200, "empty"},
        {page_answer("x 1\nx{a=\n"), Errc::bad_response, 200, "line 2"},
        {page_answer("<!doctype html><html>Sign in</html>\n", "text/html"), Errc::bad_response, 200,
         "a login page or a proxy's, and begins: <!doctype html><html>Sign in</html> ; configure"},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nx 1\nx{",
         Errc::unreachable, 200, ""},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nx 1\nx 1",
         Errc::bad_response, 200, "cut off"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.answer);
        ScriptedServer server(context, {test_support::answer_and_close(each.answer)});
        Scraper scraper(context.get_executor(), {.url = server.url()}, config());
        const Error error = failure(scraper);
        CHECK(error.is(each.code));
        CHECK(error.http_status == each.status);
        CHECK(error.endpoint == server.url());
        CHECK(error.message.find(each.said) != std::string::npos);
        CHECK(last_values(scraper) == std::map<std::string, double>{{"up", 0}});
    }
}

TEST_CASE_METHOD(ScraperFixture, "a server that does not answer fails by the deadline") {
    ScriptedServer server(context, {test_support::never_answer()});
    Scraper scraper(context.get_executor(), {.url = server.url()}, config());
    CHECK(failure(scraper, 20ms).is(Errc::timeout));
    CHECK(last_values(scraper) == std::map<std::string, double>{{"up", 0}});
}

TEST_CASE_METHOD(ScraperFixture, "a scraper that is destroyed ends its scrape") {
    ScriptedServer server(context, {test_support::never_answer()});
    auto scraper = std::make_unique<Scraper>(context.get_executor(),
                                             ScrapeTarget{.url = server.url()}, config());
    std::optional<Result<void>> result;
    asio::co_spawn(context, scraper->scrape(std::chrono::steady_clock::now() + 60s),
                   [&](std::exception_ptr, Result<void> got) { result = got; });
    while (server.requests().empty())
        context.run_one();
    scraper.reset();
    while (!result && context.run_one() > 0) {
    }
    REQUIRE(result);
    CHECK(result->error().is(Errc::aborted));
}

TEST_CASE_METHOD(ScraperFixture, "a target that is no URL is refused") {
    CHECK_THROWS_AS(Scraper(context.get_executor(), {.url = "ftp://x"}, config()), ResultError);
    CHECK(parse_page_url("http://user:pw@host/").has_error());
}

} // namespace
} // namespace wva_metrics::scrape
