// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/model_index.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using wva_metrics::ModelKey;
using wva_metrics::promql::ModelIndex;

TEST_CASE("a model is found by its exact namespace and id only") {
    const std::vector<ModelKey> models = {
        {"", "m"}, {"a", "b/c"}, {"a", "m"}, {"a/b", "c"}, {"m", "a"}};
    const ModelIndex index(models);
    for (std::size_t place = 0; place < models.size(); ++place)
        CHECK(index.find(models[place].namespace_name, models[place].model_id) == place);
    CHECK_FALSE(index.find("", ""));
    CHECK_FALSE(index.find("a", "b"));
    CHECK_FALSE(index.find("ab", "/c"));
    CHECK_FALSE(index.find("m", "m"));
    CHECK_FALSE(index.find("A", "m"));
    CHECK_FALSE(ModelIndex().find("a", "m"));
}

TEST_CASE("an index that was copied or moved works without the models it was made from") {
    std::vector<ModelKey> models = {
        {"namespace-that-is-not-small", "model-that-is-not-small-either"}};
    ModelIndex index(models);
    models.clear();
    const ModelIndex copy = index;
    const ModelIndex moved = std::move(index);
    CHECK(copy.find("namespace-that-is-not-small", "model-that-is-not-small-either") == 0U);
    CHECK(moved.find("namespace-that-is-not-small", "model-that-is-not-small-either") == 0U);
}

TEST_CASE("thousands of similar models are all found") {
    std::vector<ModelKey> models;
    for (int i = 0; i < 5000; ++i)
        models.push_back({"ns-" + std::to_string(i % 7), "model-" + std::to_string(i)});
    const ModelIndex index(models);
    for (std::size_t place = 0; place < models.size(); ++place) {
        if (index.find(models[place].namespace_name, models[place].model_id) != place)
            FAIL(models[place].model_id);
    }
}
