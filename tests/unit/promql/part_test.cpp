// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/part.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <set>
#include <string>

using namespace wva_metrics::promql;

TEST_CASE("a tag is parsed as the part that it was made from") {
    std::set<std::string> texts;
    for (const Part part : all_parts) {
        for (const std::size_t alias : {0U, 1U, 9U, 10U, 15U, 100U}) {
            const PartTag tag{part, alias};
            CHECK(parse_part(to_string(tag)) == tag);
            texts.insert(to_string(tag));
        }
    }
    CHECK(texts.size() == all_parts.size() * 6);
    CHECK(to_string(PartTag{Part::sum}) == "sum0");
    CHECK(to_string(PartTag{Part::reporting, 3}) == "reporting3");
}

TEST_CASE("any other text is not a tag") {
    for (const auto* text :
         {"", "sum", "0", "sum-1", "sum00", "sum01", "sum0x", "sum 0", " sum0", "Sum0", "total0",
          "sum1.5", "sum+1", "sum99999999999999999999", "unknown0"})
        CHECK(parse_part(text) == std::nullopt);
}
