// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/scrape/detail/named_path.hpp"
#include "wva_metrics/scrape/name_filter.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using namespace std::chrono_literals;

/// What a server does during one scrape. It has ten series in 1000 bytes.
enum class Does { obeys, ignores, is_empty, sends_part, refuses_names, is_down, is_replaced };
constexpr std::size_t behaviours = 7;

/// A scrape as a scraper does it.
struct Scrape {
    std::size_t requests = 0;
    bool had_names = false;
    bool counts = false;
};

class FilterUnderTest {
public:
    Scrape scrape(Does does) {
        now_ += 1s;
        Scrape made{1, filter.begin(now_), false};
        if (made.had_names) {
            const bool is_there = does != Does::is_down && does != Does::refuses_names;
            if (is_there &&
                filter.read_some(with_names(does), does == Does::ignores ? 1000 : 100)) {
                made.counts = true;
                return made;
            }
            if (!is_there)
                filter.some_failed();
            ++made.requests;
        }
        made.counts = does != Does::is_down;
        if (made.counts)
            filter.read_whole({10, known_, does == Does::is_replaced ? known_ : 0}, 1000, now_);
        else
            filter.whole_failed();
        known_ = made.counts ? 10 : known_;
        return made;
    }

    NameFilter filter{1h};

private:
    PageChange with_names(Does does) const {
        switch (does) {
        case Does::is_empty:
        case Does::is_replaced:
            return {0, known_, known_};
        case Does::sends_part:
            return {9, known_, 1};
        default:
            return {10, known_, 0};
        }
    }

    TimePoint now_{};
    std::size_t known_ = 0;
};

TEST_CASE("the ways to answer a request with names are told apart by the second scrape") {
    struct Case {
        Does does;
        NameFilterVerdict verdict;
        std::size_t requests;
        bool asks_again;
    };
    const std::vector<Case> cases = {
        {Does::obeys, NameFilterVerdict::obeys, 1, true},
        {Does::ignores, NameFilterVerdict::ignores, 1, false},
        {Does::is_empty, NameFilterVerdict::hides, 2, false},
        {Does::sends_part, NameFilterVerdict::hides, 2, false},
        {Does::refuses_names, NameFilterVerdict::hides, 2, false},
    };
    for (const Case& each : cases) {
        CAPTURE(to_string(each.verdict));
        FilterUnderTest test;
        const Scrape first = test.scrape(each.does);
        CHECK_FALSE(first.had_names);
        CHECK(test.filter.verdict() == NameFilterVerdict::unknown);
        const Scrape second = test.scrape(each.does);
        CHECK(second.had_names);
        CHECK(second.requests == each.requests);
        CHECK(second.counts);
        CHECK(test.filter.verdict() == each.verdict);
        for (int i = 0; i < 3; ++i) {
            const Scrape later = test.scrape(each.does);
            CHECK(later.had_names == each.asks_again);
            CHECK(later.requests == 1);
        }
    }
}

TEST_CASE("whatever a server does, a wrong verdict costs one request and no scrape") {
    // All sequences of six scrapes.
    std::size_t sequences = 1;
    for (int i = 0; i < 6; ++i)
        sequences *= behaviours;
    std::size_t wrong = 0;
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
        FilterUnderTest test;
        std::size_t rest = sequence;
        bool was_hiding = false;
        for (int i = 0; i < 6; ++i, rest /= behaviours) {
            const auto does = static_cast<Does>(rest % behaviours);
            const Scrape made = test.scrape(does);
            const NameFilterVerdict verdict = test.filter.verdict();
            // The scrape has what a whole page has, with at most one request more.
            wrong += made.counts == (does != Does::is_down) ? 0U : 1U;
            wrong += made.requests <= (made.had_names ? 2U : 1U) ? 0U : 1U;
            // A server that hides is asked so again only after a failure, or if it was replaced.
            wrong += was_hiding && made.had_names ? 1U : 0U;
            was_hiding = verdict == NameFilterVerdict::hides;
            // After a failure nothing is known.
            wrong += does == Does::is_down && verdict != NameFilterVerdict::unknown ? 1U : 0U;
            // It obeys only if it has just sent less than a whole page, or did before.
            wrong += verdict == NameFilterVerdict::obeys && made.requests == 2 ? 1U : 0U;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("after a failure, and on another server, the answer to names is learned anew") {
    for (const Does change : {Does::is_down, Does::is_replaced}) {
        FilterUnderTest test;
        for (int i = 0; i < 3; ++i)
            test.scrape(Does::is_empty);
        REQUIRE(test.filter.verdict() == NameFilterVerdict::hides);
        test.scrape(change);
        CHECK(test.filter.verdict() == NameFilterVerdict::unknown);
        test.scrape(Does::obeys);
        test.scrape(Does::obeys);
        CHECK(test.filter.verdict() == NameFilterVerdict::obeys);
        // Another engine that obeys too has none of the names that are asked for.
        CHECK(test.scrape(Does::is_replaced).requests == 2);
        CHECK(test.filter.verdict() == NameFilterVerdict::unknown);
    }
}

TEST_CASE("a whole page is read so often, however well a server obeys") {
    const TimePoint start{};
    NameFilter filter(60s);
    CHECK_FALSE(filter.begin(start));
    filter.read_whole({10, 0, 0}, 1000, start);
    CHECK(filter.begin(start + 59s));
    CHECK(filter.read_some({10, 10, 0}, 100));
    CHECK_FALSE(filter.begin(start + 60s));
    filter.read_whole({10, 10, 0}, 1000, start + 60s);
    CHECK(filter.begin(start + 61s));
    // Pages that are further apart are all whole.
    filter.read_whole({10, 10, 0}, 1000, start + 61s);
    CHECK_FALSE(filter.begin(start + 121s));
}

TEST_CASE("names are not asked for as long as the page has none of the wanted series") {
    const TimePoint start{};
    NameFilter filter(60s);
    filter.read_whole({0, 0, 0}, 1000, start);
    CHECK_FALSE(filter.begin(start + 1s));
}

TEST_CASE("series that end again and again do not double the requests for ever") {
    const TimePoint now{};
    NameFilter filter(60s);
    filter.read_whole({10, 0, 0}, 1000, now);
    int asked = 0;
    while (filter.begin(now) && asked < 10) {
        ++asked;
        CHECK_FALSE(filter.read_some({9, 10, 1}, 100));
        filter.read_whole({10, 10, 1}, 1000, now);
    }
    CHECK(asked == 3);
    CHECK(filter.verdict() == NameFilterVerdict::hides);
}

TEST_CASE("a page by names that has become large is not taken for what it was") {
    const TimePoint now{};
    NameFilter filter(60s);
    filter.read_whole({10, 0, 0}, 1000, now);
    CHECK(filter.begin(now));
    CHECK(filter.read_some({10, 10, 0}, 500));
    CHECK(filter.verdict() == NameFilterVerdict::obeys);
    CHECK(filter.begin(now));
    CHECK(filter.read_some({10, 10, 0}, 501));
    CHECK(filter.verdict() == NameFilterVerdict::unknown);
    CHECK_FALSE(filter.begin(now));
}

TEST_CASE("names are added to a query, and a query that has names is left alone") {
    const std::vector<std::string> names = {"vllm:a_total", "b"};
    const std::string added = "name%5B%5D=vllm%3Aa_total&name%5B%5D=b";
    CHECK(detail::named_path("/metrics", names) == "/metrics?" + added);
    CHECK(detail::named_path("/metrics?", names) == "/metrics?" + added);
    CHECK(detail::named_path("/m?a=b", names) == "/m?a=b&" + added);
    CHECK(detail::named_path("/m?a=b&", names) == "/m?a=b&" + added);
    CHECK(detail::named_path("/m?name=b", names) == "/m?name=b&" + added);
    CHECK(detail::named_path("/metrics", {}).empty());
    for (const char* const chosen : {"/m?name[]=x", "/m?a=b&name%5b%5D=x", "/m?name%5B]"})
        CHECK(detail::named_path(chosen, names).empty());
    CHECK(detail::named_path("/m", std::vector<std::string>(200, std::string(30, 'x'))).empty());
}

} // namespace
} // namespace wva_metrics::scrape
