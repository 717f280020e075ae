// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/chunk.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>

using namespace wva_metrics::promql;

TEST_CASE("the halves of a chunk cover it and are nearly equal") {
    for (std::size_t first = 0; first < 5; ++first) {
        for (std::size_t size = 2; size < 40; ++size) {
            const auto halves = split(ModelChunk{first, first + size});
            REQUIRE(halves);
            CHECK(halves->first.first == first);
            CHECK(halves->first.last == halves->second.first);
            CHECK(halves->second.last == first + size);
            CHECK(halves->first.size() == size / 2);
        }
    }
}

TEST_CASE("a chunk of fewer than two members cannot be split") {
    CHECK_FALSE(split(ModelChunk{7, 8}));
    CHECK_FALSE(split(NamespaceChunk{0, 1}));
    CHECK_FALSE(split(ModelChunk{3, 3}));
}

TEST_CASE("a chunk contains its first index and not the one after its last") {
    const ModelChunk chunk{3, 5};
    CHECK_FALSE(chunk.contains(2));
    CHECK(chunk.contains(3));
    CHECK(chunk.contains(4));
    CHECK_FALSE(chunk.contains(5));
}
