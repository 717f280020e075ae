// SPDX-License-Identifier: Apache-2.0
#include "support/scripted_server.hpp"
#include "wva_metrics/scrape/scraper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using namespace std::chrono_literals;
using test_support::ScriptedServer;

/// How a server answers requests with names.
enum class ByName {
    obeys,
    ignores,
    sends_nothing,
    sends_only_a,
    answers_400,
    sends_html,
    hangs,
    closes
};

struct NamedServerState {
    ByName by_name = ByName::obeys;
    /// Of the whole page.
    std::string status = "200 OK";
    std::map<std::string, int> values = {{"a", 1}, {"b_total", 2}};
};

/// A page with many other metrics.
std::string page_of(const NamedServerState& state, std::string_view query, bool only_named) {
    std::string page;
    for (const auto& [name, value] : state.values)
        if (!only_named || query.find("=" + name) != std::string_view::npos)
            page += name + ' ' + std::to_string(value) + '\n';
    for (int i = 0; i < 50 && !only_named; ++i)
        page += "other_" + std::to_string(i) + " 1\n";
    return page;
}

ScriptedServer::Script named_script(std::shared_ptr<NamedServerState> state) {
    return [state](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            const std::string request = co_await peer->read_request();
            const std::string query = request.substr(0, request.find("\r\n"));
            const bool has_names = query.find("name%5B%5D=") != std::string::npos;
            const ByName how = has_names ? state->by_name : ByName::ignores;
            if (how == ByName::hangs) {
                co_await peer->wait_for_close();
                co_return;
            }
            if (how == ByName::closes)
                co_return;
            std::string body = page_of(*state, query, how == ByName::obeys);
            std::string status = state->status;
            if (how == ByName::sends_nothing)
                body.clear();
            if (how == ByName::sends_only_a)
                body = "a 1\n";
            if (how == ByName::sends_html)
                body = "<html>no such page</html>\n";
            if (how == ByName::answers_400)
                status = "400 Bad Request";
            co_await peer->send("HTTP/1.1 " + status +
                                "\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body);
        }
    };
}

struct NamesFixture {
    asio::io_context context;
    std::shared_ptr<NamedServerState> state = std::make_shared<NamedServerState>();
    ScriptedServer server{context, {named_script(state)}};

    ScraperConfig config() const {
        ScraperConfig made;
        made.wanted = exposition::WantedMetrics({"a", "b_total", "c", "d"});
        made.whole_page_every = 1h;
        made.names_to_ask = [](std::span<const std::string_view> names) {
            return names.empty() ? std::vector<std::string>() : std::vector<std::string>{"c"};
        };
        return made;
    }

    Scraper make(ScraperConfig of, const std::string& path = "") {
        return Scraper(context.get_executor(), {.url = server.url() + path, .pod = "p"},
                       std::move(of));
    }

    Result<void> scrape(Scraper& scraper, Duration within = 60s) {
        std::optional<Result<void>> result;
        asio::co_spawn(context, scraper.scrape(std::chrono::steady_clock::now() + within),
                       [&](std::exception_ptr thrown, Result<void> got) {
                           REQUIRE(!thrown);
                           result = got;
                       });
        while (!result && context.run_one() > 0) {
        }
        REQUIRE(result);
        return *result;
    }

    /// The last value of each series that has not ended.
    static std::map<std::string, int> living(const Scraper& scraper) {
        return scraper.read([](const SampleStore& store) {
            std::map<std::string, int> result;
            store.visit([&](auto labels, auto samples, bool has_ended) {
                if (!has_ended && labels.front().value != "up")
                    result[std::string(labels.front().value)] =
                        static_cast<int>(samples.back().value);
            });
            return result;
        });
    }

    std::string asked(std::size_t request) const {
        const std::string text = server.requests().at(request);
        return text.substr(4, text.find(" HTTP/") - 4);
    }
};

TEST_CASE_METHOD(NamesFixture, "a server that obeys is asked for the wanted metrics of its page") {
    Scraper scraper = make(config(), "/metrics?user=1");
    REQUIRE(scrape(scraper).has_value());
    state->values["a"] = 5;
    state->values["c"] = 6; // Comes next, and is asked for already.
    REQUIRE(scrape(scraper).has_value());
    CHECK(living(scraper) == std::map<std::string, int>{{"a", 5}, {"b_total", 2}, {"c", 6}});
    CHECK(scraper.name_filter() == NameFilterVerdict::obeys);
    REQUIRE(server.requests().size() == 2);
    CHECK(asked(0) == "/metrics?user=1");
    CHECK(asked(1) == "/metrics?user=1&name%5B%5D=a&name%5B%5D=b_total&name%5B%5D=c");
}

TEST_CASE_METHOD(NamesFixture, "a wrong guess costs one more request, and never a value") {
    struct Case {
        ByName how;
        NameFilterVerdict verdict;
        std::size_t requests;
    };
    const std::vector<Case> cases = {
        {ByName::ignores, NameFilterVerdict::ignores, 2},
        {ByName::sends_nothing, NameFilterVerdict::hides, 3},
        {ByName::sends_only_a, NameFilterVerdict::hides, 3},
        {ByName::answers_400, NameFilterVerdict::hides, 3},
        {ByName::sends_html, NameFilterVerdict::hides, 3},
        {ByName::hangs, NameFilterVerdict::hides, 3},
        // What is sent on a kept connection that then closes is sent once more.
        {ByName::closes, NameFilterVerdict::hides, 4},
    };
    for (const Case& each : cases) {
        CAPTURE(static_cast<int>(each.how));
        const std::size_t before = server.requests().size();
        state->by_name = each.how;
        Scraper scraper = make(config());
        for (int i = 0; i < 3; ++i) {
            state->values["a"] = 10 + i;
            // Half of the time is for the request with names.
            const Duration within = each.how == ByName::hangs && i == 1 ? 2s : 60s;
            REQUIRE(scrape(scraper, within).has_value());
            CHECK(living(scraper) == std::map<std::string, int>{{"a", 10 + i}, {"b_total", 2}});
            const std::size_t requests = server.requests().size() - before;
            CHECK(requests == (i == 0 ? 1 : each.requests + static_cast<std::size_t>(i) - 1));
        }
        CHECK(scraper.name_filter() == each.verdict);
    }
}

TEST_CASE_METHOD(NamesFixture,
                 "an empty page by names does not end a series, and a whole one does") {
    Scraper scraper = make(config());
    REQUIRE(scrape(scraper).has_value());
    REQUIRE(scrape(scraper).has_value());
    REQUIRE(scraper.name_filter() == NameFilterVerdict::obeys);
    SECTION("the server obeys no more") {
        state->by_name = ByName::sends_nothing;
        REQUIRE(scrape(scraper).has_value());
        CHECK(living(scraper).size() == 2);
        CHECK(scraper.name_filter() == NameFilterVerdict::hides);
    }
    SECTION("the series is gone") {
        state->values.erase("a");
        REQUIRE(scrape(scraper).has_value());
        CHECK(living(scraper) == std::map<std::string, int>{{"b_total", 2}});
        CHECK(server.requests().size() == 4);
        REQUIRE(scrape(scraper).has_value());
        CHECK(scraper.name_filter() == NameFilterVerdict::obeys);
    }
    SECTION("another engine has come") {
        state->values = {{"d", 7}};
        REQUIRE(scrape(scraper).has_value());
        CHECK(living(scraper) == std::map<std::string, int>{{"d", 7}});
        REQUIRE(scrape(scraper).has_value());
        CHECK(asked(4) == "/metrics?name%5B%5D=c&name%5B%5D=d");
    }
}

TEST_CASE_METHOD(NamesFixture, "a server that fails is asked for its whole page, and tried anew") {
    state->by_name = ByName::sends_nothing;
    Scraper scraper = make(config());
    REQUIRE(scrape(scraper).has_value());
    REQUIRE(scrape(scraper).has_value());
    REQUIRE(scraper.name_filter() == NameFilterVerdict::hides);
    state->status = "503 Service Unavailable";
    CHECK(scrape(scraper).error().is(Errc::unavailable));
    *state = NamedServerState{};
    REQUIRE(scrape(scraper).has_value());
    CHECK(asked(server.requests().size() - 1) == "/metrics");
    REQUIRE(scrape(scraper).has_value());
    CHECK(scraper.name_filter() == NameFilterVerdict::obeys);
    // One that obeyed, and fails: the error is that of the whole page.
    state->status = "503 Service Unavailable";
    CHECK(scrape(scraper).error().message.find("for /metrics:") != std::string::npos);
}

TEST_CASE_METHOD(NamesFixture,
                 "names are asked for only if the configuration and the page say which") {
    ScraperConfig never = config();
    never.names_to_ask = {};
    ScraperConfig unknown = config();
    unknown.names_to_ask = [](auto) { return std::vector<std::string>(); };
    for (ScraperConfig& each : std::vector<ScraperConfig>{never, unknown}) {
        Scraper scraper = make(std::move(each));
        REQUIRE(scrape(scraper).has_value());
        REQUIRE(scrape(scraper).has_value());
        CHECK(scraper.name_filter() == NameFilterVerdict::unknown);
    }
    Scraper chosen = make(config(), "/metrics?name[]=a&name[]=b_total");
    REQUIRE(scrape(chosen).has_value());
    REQUIRE(scrape(chosen).has_value());
    CHECK(asked(5) == "/metrics?name[]=a&name[]=b_total");
}

TEST_CASE_METHOD(NamesFixture, "a scraper that is destroyed asks for no whole page") {
    state->by_name = ByName::hangs;
    auto scraper = std::make_unique<Scraper>(context.get_executor(),
                                             ScrapeTarget{.url = server.url()}, config());
    REQUIRE(scrape(*scraper).has_value());
    std::optional<Result<void>> result;
    asio::co_spawn(context, scraper->scrape(std::chrono::steady_clock::now() + 60s),
                   [&](std::exception_ptr, Result<void> got) { result = got; });
    while (server.requests().size() < 2)
        context.run_one();
    scraper.reset();
    while (!result && context.run_one() > 0) {
    }
    REQUIRE(result);
    CHECK(result->error().is(Errc::aborted));
    CHECK(server.requests().size() == 2);
}

} // namespace
} // namespace wva_metrics::scrape
