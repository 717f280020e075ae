// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/detail/nearest_name.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics::detail;

namespace {

using Names = std::vector<std::string_view>;

/// The recursive definition.
std::size_t slow_distance(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty())
        return a.size() + b.size();
    const std::string_view x = a.substr(0, a.size() - 1);
    const std::string_view y = b.substr(0, b.size() - 1);
    std::size_t best = std::min({slow_distance(x, b) + 1, slow_distance(a, y) + 1,
                                 slow_distance(x, y) + (a.back() == b.back() ? 0U : 1U)});
    if (a.size() > 1 && b.size() > 1 && a.back() == y.back() && x.back() == b.back())
        best =
            std::min(best, slow_distance(x.substr(0, x.size() - 1), y.substr(0, y.size() - 1)) + 1);
    return best;
}

} // namespace

TEST_CASE("the distance of two names counts added, removed, replaced and swapped letters") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("ttl", "ttl") == 0);
    CHECK(edit_distance("ttl", "tl") == 1);
    CHECK(edit_distance("ttl", "ttll") == 1);
    CHECK(edit_distance("ttl", "ttk") == 1);
    CHECK(edit_distance("url", "ulr") == 1);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the distance is that of the recursive definition") {
    std::mt19937 random(3);
    const auto word = [&] {
        std::string text;
        for (std::size_t left = random() % 6; left > 0; --left)
            text += "abc"[random() % 3];
        return text;
    };
    for (int round = 0; round < 500; ++round) {
        const std::string a = word();
        const std::string b = word();
        CAPTURE(a, b);
        CHECK(edit_distance(a, b) == slow_distance(a, b));
    }
}

TEST_CASE("all names with the smallest distance are found") {
    constexpr std::array<std::string_view, 4> known = {"memory", "sharded", "none", "nine"};
    CHECK(nearest_names("memroy", known) == Names{"memory"});
    CHECK(nearest_names("shard", known) == Names{"sharded"});
    CHECK(nearest_names("nne", known) == Names{"none", "nine"});
    CHECK(nearest_names("None", known) == Names{"none"});
}

TEST_CASE("names that are not near are not suggested") {
    constexpr std::array<std::string_view, 3> known = {"memory", "none", "x"};
    CHECK(nearest_names("redis", known).empty());
    CHECK(nearest_names("", known).empty());
    CHECK(nearest_names("y", known).empty());
    CHECK(nearest_names(std::string(1'000'000, 'm'), known).empty());
    CHECK(nearest_names("memory", {}).empty());
}

TEST_CASE("the style of a name does not count as a distance") {
    constexpr std::array<std::string_view, 1> known = {"fetch_interval"};
    for (const char* const style :
         {"fetchInterval", "FetchInterval", "FETCH_INTERVAL", "fetch-interval", "fetch interval"})
        CHECK(nearest_names(style, known) == Names{"fetch_interval"});
}

TEST_CASE("alternatives are joined by commas and or") {
    CHECK(quoted_alternatives(Names{}).empty());
    CHECK(quoted_alternatives(Names{"a"}) == "\"a\"");
    CHECK(quoted_alternatives(Names{"a", "b"}) == "\"a\" or \"b\"");
    CHECK(quoted_alternatives(Names{"a", "b", "c"}) == "\"a\", \"b\" or \"c\"");
}
