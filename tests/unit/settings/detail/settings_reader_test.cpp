// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/detail/settings_reader.hpp"

#include "wva_metrics/settings/detail/settings_fields.hpp"

#include <catch2/catch_all.hpp>

#include <boost/json/object.hpp>

#include <vector>

using namespace wva_metrics;

// A guess compares the name with all others, so a long document of unknown fields would take
// minutes.
TEST_CASE("what an unknown field means is guessed only for problems that are reported") {
    DocumentLimits limits;
    limits.max_problems = 2;
    CollectorSettings settings;
    std::vector<SettingsProblem> problems;
    detail::SettingsReader reader(problems, nullptr, limits);
    reader.read({{"cahce", 1}, {"prometeus", 1}, {"cahces", 1}}, detail::fields_of(settings));
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].message.find("did you mean") != std::string::npos);
    CHECK(problems[1].message.find("did you mean") != std::string::npos);
    CHECK(problems[2].message == "unknown field");
}
