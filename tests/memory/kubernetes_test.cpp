// SPDX-License-Identifier: Apache-2.0
//
// The memory of a list of Kubernetes objects, and what one event costs among many objects.
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/page_reader.hpp"
#include "wva_metrics/kubernetes/detail/variant_set.hpp"
#include "wva_metrics/kubernetes/objects.hpp"

#include "memory/allocations.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

using namespace wva_metrics;
using test_support::allocations;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

struct ReadPage {
    Result<kubernetes::Page<kubernetes::Pod>> page;
    /// The most memory that it needed at a time.
    std::ptrdiff_t memory = 0;
    /// Bytes that were read until the page was complete or rejected.
    std::size_t bytes = 0;
};

/// Reads a page whose items are texts of this function, until they have `bytes`.
ReadPage read_items(const std::function<std::string(std::size_t)>& item, std::size_t bytes) {
    const std::string first_bytes = R"({"metadata":{"resourceVersion":"1"},"items":[)";
    const std::ptrdiff_t before = allocations.bytes;
    allocations.peak = before;
    ReadPage read{Error(), 0, 0};
    {
        kubernetes::detail::PageReader<kubernetes::Pod> reader(
            kubernetes::detail::PageLimits(kubernetes::ClientConfig(), 500));
        std::string piece = first_bytes;
        bool wants_more = true;
        for (std::size_t i = 0; wants_more && read.bytes < bytes; ++i) {
            piece += (i == 0 ? "" : ",") + item(i);
            if (piece.size() < 60'000)
                continue;
            read.bytes += piece.size();
            wants_more = reader.write(piece);
            piece.clear();
        }
        if (wants_more)
            reader.write(piece + "]}");
        read.page = reader.finish();
    }
    read.memory = allocations.peak - before;
    return read;
}

kubernetes::VariantAutoscalingObject variant(std::size_t number, const std::string& cost) {
    kubernetes::VariantAutoscalingObject object;
    object.metadata.namespace_name = "llm";
    object.metadata.name = "variant-with-a-long-name-" + std::to_string(100'000 + number);
    object.model_id = "organisation/model-" + std::to_string(100'000 + number);
    object.target_name = object.metadata.name;
    object.variant_cost = cost;
    return object;
}

} // namespace

TEST_CASE("a page of 31 MB of tiny items is rejected in a megabyte, by the number of objects") {
    for (const char* const item : {"0", "{}", "[]", "\"\"", "[[[0]]]"}) {
        CAPTURE(item);
        const ReadPage read = read_items([item](std::size_t) { return item; }, 31 * mebibyte);
        REQUIRE(read.page.has_error());
        CHECK(read.page.error().is(Errc::too_large));
        CHECK_THAT(read.page.error().message,
                   Catch::Matchers::ContainsSubstring("max_objects = 200000"));
        CHECK(read.bytes < 2 * mebibyte);
        CHECK(read.memory < static_cast<std::ptrdiff_t>(mebibyte));
    }
}

TEST_CASE("a page of one object with millions of values is read in the memory of its text") {
    const auto item = GENERATE(as<std::string>(), "0,", "{},", "[],", "\"\",");
    const auto field = GENERATE(as<std::string>(), "spec", "conditions");
    std::string values;
    while (values.size() < 3 * mebibyte)
        values += item;
    values += "0";
    const std::string object = R"({"metadata":{"name":"big"},"status":{"conditions":[)" +
                               (field == "conditions" ? values : "") + R"(]},"spec":[)" +
                               (field == "spec" ? values : "0") + "]}";
    const ReadPage read = read_items([&](std::size_t) { return object; }, 30 * mebibyte);
    REQUIRE(read.page.has_value());
    // What is not read does not count, and what is read is bounded.
    const bool is_kept = field == "spec";
    CHECK(read.page->unreadable.count == (is_kept ? 0 : read.bytes / object.size()));
    CHECK(read.page->objects.size() == (is_kept ? read.bytes / object.size() : 0));
    CHECK(read.memory < static_cast<std::ptrdiff_t>(24 * mebibyte));
}

TEST_CASE("pods with many labels are rejected by the memory that they take") {
    const std::string label(60, 'x');
    const auto pod = [&](std::size_t number) {
        std::string text = R"({"metadata":{"name":"p)" + std::to_string(number) + R"(","labels":{)";
        for (std::size_t i = 0; i < 24; ++i)
            text += (i == 0 ? "\"" : ",\"") + label + std::to_string(i) + "\":\"" + label + '"';
        return text + "}}}";
    };
    kubernetes::ClientConfig config;
    config.max_page_bytes = 1000 * mebibyte;
    config.max_list_bytes = 8 * mebibyte;
    const std::ptrdiff_t before = allocations.bytes;
    allocations.peak = before;
    kubernetes::detail::PageReader<kubernetes::Pod> reader(
        kubernetes::detail::PageLimits(config, 500));
    bool wants_more = reader.write(R"({"items":[)");
    for (std::size_t i = 0; wants_more; ++i)
        wants_more = reader.write(pod(i) + ",");
    const auto page = reader.finish();
    REQUIRE(page.has_error());
    CHECK_THAT(page.error().message, Catch::Matchers::ContainsSubstring("max_list_bytes = "));
    // What is counted is what is held, neither much more nor much less.
    CHECK(allocations.peak - before < static_cast<std::ptrdiff_t>(10 * mebibyte));
    CHECK(allocations.peak - before > static_cast<std::ptrdiff_t>(6 * mebibyte));
}

TEST_CASE("an event about one variant costs the same among few and among many") {
    const auto cost_of_event = [](std::size_t variants) {
        std::vector<kubernetes::VariantAutoscalingObject> objects;
        for (std::size_t i = 0; i < variants; ++i)
            objects.push_back(variant(i, "1"));
        kubernetes::detail::VariantSet set;
        set.set_all(objects);
        const kubernetes::VariantAutoscalingObject changed = variant(variants / 2, "2");
        const int before = allocations.count;
        REQUIRE(set.set(changed).upserted.size() == 1);
        const int set_cost = allocations.count - before;
        REQUIRE(set.erase(changed).removed.size() == 1);
        return std::pair(set_cost, allocations.count - before - set_cost);
    };
    CHECK(cost_of_event(10) == cost_of_event(6000));
}
