// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/model_views.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;

namespace {

using ViewList = std::vector<samples::View>;

/// `address` tells which answer it is of.
samples::View labelled_view(const std::string& pod, const std::string& job,
                            const std::string& address) {
    samples::View view;
    view.labels = {{"job", job}, {"pod", pod}};
    view.pod = pod;
    view.address = address;
    return view;
}

std::vector<std::string> described(const ViewList& views) {
    std::vector<std::string> texts;
    for (const samples::View& view : views)
        texts.push_back(view.pod + "/" + view.labels[0].second + "/" + view.address);
    return texts;
}

} // namespace

TEST_CASE("views of pods are replaced by those with the same labels, and the others stay") {
    ViewList views = {labelled_view("p", "a", "short"), labelled_view("q", "a", "short"),
                      labelled_view("p", "b", "short")};
    replace_pods(views, {"p"},
                 {labelled_view("q", "a", "long"), labelled_view("p", "c", "long"),
                  labelled_view("p", "a", "long")});
    CHECK(described(views) ==
          std::vector<std::string>{"p/a/long", "q/a/short", "p/b/short", "p/c/long"});
}

TEST_CASE("a view that comes twice is there once, and views stay sorted, in any order") {
    std::mt19937 random(20'261'129);
    for (int round = 0; round < 200; ++round) {
        ViewList views;
        ViewList longer;
        for (const std::string pod : {"p", "q", "r"})
            for (const std::string job : {"a", "b", "c"}) {
                if (random() % 2 == 0)
                    views.push_back(labelled_view(pod, job, "short"));
                for (auto copies = random() % 3; copies > 0; --copies)
                    longer.push_back(labelled_view(pod, job, "long"));
            }
        std::ranges::sort(views, {}, &samples::View::labels);
        std::shuffle(longer.begin(), longer.end(), random);
        // A model of it.
        std::map<samples::Labels, std::string> expected;
        for (const samples::View& view : views)
            expected[view.labels] = view.pod + "/" + view.labels[0].second + "/short";
        for (const samples::View& view : longer)
            if (view.pod != "r")
                expected[view.labels] = view.pod + "/" + view.labels[0].second + "/long";
        std::vector<std::string> texts;
        for (const auto& [labels, text] : expected)
            texts.push_back(text);
        replace_pods(views, {"p", "q"}, longer);
        REQUIRE(described(views) == texts);
    }
}
