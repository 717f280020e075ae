// SPDX-License-Identifier: Apache-2.0
#include "support/property_cases.hpp"
#include "wva_metrics/scrape/detail/page_intake.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::scrape::detail {
namespace {

using namespace std::chrono_literals;
using LivingValues = std::map<std::string, double>;

const std::vector<std::string> served_names = {"a", "b", "c", "d", "e"};

/// A server that may obey some names and not know others, and changes at random.
struct FilteringServer {
    enum class Mode { obeys, ignores, sends_nothing, refuses };
    Mode mode = Mode::obeys;
    bool is_down = false;
    LivingValues values{};
    /// Not on a page that is asked for by names.
    std::set<std::string> hidden{};

    void change(std::mt19937& random) {
        const auto chance = [&](unsigned in) { return random() % in == 0; };
        is_down = chance(12);
        if (chance(25))
            mode = static_cast<Mode>(random() % 4);
        if (chance(25))
            values.clear(); // A restart.
        for (const std::string& name : served_names) {
            if (chance(values.contains(name) ? 15 : 4)) {
                if (values.erase(name) == 0)
                    values[name] = 0;
            }
            if (chance(30) && hidden.erase(name) == 0)
                hidden.insert(name);
            if (values.contains(name))
                values[name] += 1;
        }
    }

    /// Empty if it does not answer.
    std::string answer(const PageRequest& request) const {
        if (is_down || (request.has_names && mode == Mode::refuses))
            return {};
        const bool only_named = request.has_names && mode != Mode::ignores;
        std::string page = only_named ? "# HELP\n" : "# " + std::string(300, '-') + '\n';
        for (const auto& [name, value] : values) {
            const bool is_asked = request.path.ends_with("=" + name) ||
                                  request.path.find("=" + name + "&") != std::string::npos;
            if (!only_named || (mode == Mode::obeys && is_asked && !hidden.contains(name)))
                page += name + ' ' + std::to_string(value) + '\n';
        }
        return page;
    }
};

class IntakeUnderTest {
public:
    explicit IntakeUnderTest(bool by_names) : intake_({}, "/metrics", config(by_names)) {}

    /// One scrape as a scraper does it. Returns the number of requests.
    std::size_t scrape(const FilteringServer& server, samples::ServerTime time, TimePoint now) {
        PageRequest request = intake_.begin(time, now);
        if (take(server, request) == PageEnd::counts)
            return 1;
        request = intake_.begin_whole(request.number, time, now).value();
        CHECK(take(server, request) == PageEnd::counts);
        return 2;
    }

    LivingValues living() const {
        return intake_.read([](const SampleStore& store) {
            LivingValues result;
            store.visit([&](auto labels, auto samples, bool has_ended) {
                if (!has_ended)
                    result[std::string(labels.front().value)] = samples.back().value;
            });
            return result;
        });
    }

    /// Of the last whole page.
    std::set<std::string> whole_names{};

private:
    static ScraperConfig& config(bool by_names) {
        static ScraperConfig made;
        made = ScraperConfig{};
        made.wanted = exposition::WantedMetrics(served_names);
        made.whole_page_every = 20s;
        if (by_names)
            made.names_to_ask = [](auto names) {
                return names.empty() ? std::vector<std::string>() : served_names;
            };
        return made;
    }

    PageEnd take(const FilteringServer& server, const PageRequest& request) {
        const std::string page = server.answer(request);
        if (page.empty())
            return intake_.fail(request.number);
        http::Response head;
        head.content_type = "text/plain; version=0.0.4";
        intake_.open(request.number, head);
        intake_.feed(request.number, page);
        const PageEnd end = intake_.end(request.number, false).value();
        if (end == PageEnd::counts && !request.has_names) {
            whole_names.clear();
            for (const auto& [name, value] : server.values)
                whole_names.insert(name);
        }
        return end;
    }

    PageIntake intake_;
};

TEST_CASE("what is asked for by names holds the values that whole pages would have given") {
    std::mt19937 random(20261130);
    std::size_t by_names = 0;
    std::size_t extra = 0;
    for (unsigned i = 0; i < test_support::property_cases(400); ++i) {
        IntakeUnderTest named(true);
        IntakeUnderTest plain(false);
        FilteringServer server;
        for (int second = 1; second <= 60; ++second) {
            CAPTURE(i, second);
            server.change(random);
            const samples::ServerTime time(samples::ServerDuration(second * 1000));
            const TimePoint now = TimePoint() + std::chrono::seconds(second);
            extra += named.scrape(server, time, now) - 1;
            plain.scrape(server, time, now);
            const LivingValues have = named.living();
            const LivingValues whole = plain.living();
            std::string wrong;
            for (const auto& [name, value] : have)
                if (!whole.contains(name) || whole.at(name) != value)
                    wrong += name + " is not so; ";
            for (const auto& [name, value] : whole)
                // Only what has begun since the last whole page may be hidden, and for 20 s at most.
                if (!have.contains(name) && named.whole_names.contains(name))
                    wrong += name + " is missing; ";
            by_names += have.size() != whole.size() ? 1U : 0U;
            CHECK(wrong.empty());
        }
    }
    // The servers did hide series, and have been asked by names.
    CHECK(by_names > 0);
    CHECK(extra > 0);
}

} // namespace
} // namespace wva_metrics::scrape::detail
