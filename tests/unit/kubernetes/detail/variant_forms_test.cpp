// SPDX-License-Identifier: Apache-2.0
//
// Whatever the fields of a variant autoscaling object are, a running watcher, which learns of them
// by an event, and a fresh one, which lists them, know the same.
#include "wva_metrics/kubernetes/detail/page_reader.hpp"
#include "wva_metrics/kubernetes/detail/read_watch_event.hpp"
#include "wva_metrics/kubernetes/detail/variant_set.hpp"
#include "wva_metrics/workload.hpp"

#include "support/api_messages.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support;
using kubernetes::detail::ObjectParser;
using kubernetes::detail::PageLimits;
using kubernetes::detail::PageReader;
using kubernetes::detail::read_watch_event;
using kubernetes::detail::TextOf;
using kubernetes::detail::VariantSet;
using kubernetes::detail::WantedFields;

namespace {

/// A variant autoscaling object with this cost, and one of its other fields replaced.
std::string object_with(const std::string& cost, const std::string& model,
                        const std::string& target) {
    return R"({"metadata": {"namespace": "llm", "name": "a", "resourceVersion": "2"}, "spec": {)"
           R"("variantCost": )" +
           cost + R"(, "modelID": )" + model + R"(, "scaleTargetRef": )" + target + "}}";
}

std::vector<VariantAutoscaling> listed(const std::string& object) {
    PageReader<VariantAutoscalingObject> reader(PageLimits(ClientConfig(), 500));
    reader.write(object_list({object}, "2"));
    VariantSet set;
    set.set_all(reader.finish().value().objects);
    return set.all();
}

std::vector<VariantAutoscaling> watched(const std::string& object) {
    ObjectParser parser(WantedFields::of<VariantAutoscalingObject>(), TextOf::watch_event, 1000);
    VariantSet set;
    for (const std::string& line :
         {watch_line("ADDED", variant_json("a", "before", "1")), watch_line("MODIFIED", object)})
        set.set(read_watch_event<VariantAutoscalingObject>(line, parser).value().object.value());
    return set.all();
}

const std::vector<std::string> all_kinds{"null",
                                         "true",
                                         "5",
                                         "0",
                                         "-5",
                                         "12.5",
                                         "1e3",
                                         "1e999",
                                         "18446744073709551615",
                                         "99999999999999999999",
                                         R"("5")",
                                         R"("12.5")",
                                         R"("")",
                                         R"("text")",
                                         R"("nan")",
                                         "[]",
                                         "[5]",
                                         "{}",
                                         R"({"name": "x"})",
                                         R"({"name": 5})",
                                         R"({"name": "x", "kind": 5})"};

} // namespace

TEST_CASE("a running watcher and a fresh one know the same of every form of an object") {
    const std::string target = R"({"name": "target"})";
    for (const std::string& kind : all_kinds) {
        for (const std::string& object :
             {object_with(kind, R"("m")", target), object_with("1", kind, target),
              object_with("1", R"("m")", kind)}) {
            CAPTURE(object);
            CHECK(listed(object) == watched(object));
        }
    }
}

TEST_CASE("a cost is the number that it shows, and 10 if it shows none") {
    for (const std::string& kind : all_kinds) {
        CAPTURE(kind);
        const auto variants = listed(object_with(kind, R"("m")", R"({"name": "target"})"));
        REQUIRE(variants.size() == 1);
        const double expected = kind == "5" || kind == R"("5")"         ? 5
                                : kind == "12.5" || kind == R"("12.5")" ? 12.5
                                : kind == "0"                           ? 0
                                : kind == "1e3"                         ? 1000
                                : kind == "18446744073709551615"        ? 18446744073709551615.0
                                : kind == "99999999999999999999"        ? 1e20
                                                                        : 10;
        CHECK(variants.front().cost == Catch::Approx(expected).epsilon(1e-12));
    }
}
