// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/kube_state_form.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

const TimePoint form_start{24h};

std::string text_of(const KubeStateForm::Form& form) {
    const std::vector<std::string> namespaces = {"llm"};
    return form.queries.samples(namespaces, 10min).value();
}

} // namespace

TEST_CASE("kube-state-metrics is asked for the configured labels first") {
    KubeStateForm forms({}, {});
    CHECK(forms.current().names.pod == "pod");
    CHECK_THAT(text_of(forms.current()),
               ContainsSubstring("namespace=\"llm\"") && !ContainsSubstring("exported_"));
}

TEST_CASE("the other form is tried once a minute, until it has series") {
    KubeStateForm forms({}, {});
    const KubeStateForm::Form* other = forms.other(form_start);
    REQUIRE(other != nullptr);
    CHECK(other->names.pod == "exported_pod");
    CHECK_THAT(text_of(*other), ContainsSubstring("exported_namespace=\"llm\""));
    CHECK(forms.other(form_start) == nullptr);
    CHECK(forms.other(form_start + 59'999ms) == nullptr);
    CHECK(forms.other(form_start + 1min) == other);
    CHECK(forms.current().names.pod == "pod");

    forms.keep(*other);
    CHECK(&forms.current() == other);
}

TEST_CASE("a form that has no series any more gives way to the configured one") {
    KubeStateForm forms({}, {});
    const KubeStateForm::Form* exported = forms.other(form_start);
    forms.keep(*exported);
    const KubeStateForm::Form* configured = forms.other(form_start + 1min);
    REQUIRE(configured != nullptr);
    CHECK(configured != exported);
    CHECK(configured->names.pod == "pod");
    forms.keep(*configured);
    CHECK(&forms.current() == configured);
}

TEST_CASE("both forms have the configured names and matchers") {
    KubeStateNames names;
    names.pod_info = "my_pod_info";
    names.namespace_name = "ns";
    names.pod = "pod_name";
    const std::vector<promql::Matcher> matchers = {
        {"cluster", promql::MatchOperator::equal, "ours"}};
    KubeStateForm forms(names, matchers);
    const KubeStateForm::Form* other = forms.other(form_start);
    REQUIRE(other != nullptr);
    CHECK_THAT(text_of(forms.current()), ContainsSubstring("my_pod_info") &&
                                             ContainsSubstring("ns=\"llm\"") &&
                                             ContainsSubstring("cluster=\"ours\""));
    CHECK_THAT(text_of(*other), ContainsSubstring("my_pod_info") &&
                                    ContainsSubstring("exported_ns=\"llm\"") &&
                                    ContainsSubstring("cluster=\"ours\""));
    CHECK(other->names.pod == "exported_pod_name");
    CHECK(other->names.owner_kind == "owner_kind");
}
