// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics::prometheus;

TEST_CASE("a long text whose characters arrive in parts is read within the parser's buffer") {
    for (const std::string_view character : {"\u0085", "\u202e", "\U0001f600"}) {
        std::string text;
        while (text.size() < 20'000)
            text += character;
        const std::string begin = R"({"status":"error","errorType":"x","error":")";
        const std::string answer = begin + text + "\"}";
        const testing::Decoded whole = testing::decode(answer);
        for (std::size_t cut = begin.size(); cut < begin.size() + 10; ++cut) {
            const std::vector<std::string_view> pieces{std::string_view(answer).substr(0, cut),
                                                       std::string_view(answer).substr(cut)};
            CHECK(testing::decode_pieces(pieces).same_as(whole));
        }
        CHECK(testing::decode_in_steps(answer, 1).same_as(whole));
        CHECK(testing::decode_in_steps(answer, 4097).same_as(whole));
    }
}
