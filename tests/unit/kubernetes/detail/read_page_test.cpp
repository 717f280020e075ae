// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/read_page.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using kubernetes::detail::read_page;

namespace {

std::string list(const std::string& metadata, const std::string& items) {
    return R"({"kind": "PodList", "apiVersion": "v1", "metadata": )" + metadata + R"(, "items": )" +
           items + "}";
}

std::string problem_of_page(std::string_view body) {
    const Result<Page<Pod>> page = read_page<Pod>(body);
    REQUIRE(page.has_error());
    CHECK(page.error().is(Errc::bad_response));
    return page.error().message;
}

} // namespace

TEST_CASE("a page has objects, a resource version and a continue token") {
    const Page<Pod> page =
        read_page<Pod>(
            list(R"({"resourceVersion": "9", "continue": "abc", "remainingItemCount": 3})",
                 R"([{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}])"))
            .value();
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[0].metadata.name == "a");
    CHECK(page.objects[1].metadata.name == "b");
    CHECK(page.resource_version == "9");
    CHECK(page.continue_token == "abc");
    CHECK(page.unreadable == 0);
}

TEST_CASE("the last page has no continue token, and a list may be empty") {
    for (const char* items : {"[]", "null"}) {
        const Page<Pod> page = read_page<Pod>(list(R"({"resourceVersion": "9"})", items)).value();
        CHECK(page.objects.empty());
        CHECK(page.continue_token.empty());
    }
}

TEST_CASE("unreadable objects are omitted from a page and counted") {
    const Page<Pod> page =
        read_page<Pod>(
            list(
                R"({"resourceVersion": "9"})",
                R"([{"metadata": {"name": "a"}}, 5, {"metadata": {}}, {"metadata": {"name": "b"}}])"))
            .value();
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[1].metadata.name == "b");
    CHECK(page.unreadable == 2);
    CHECK(page.first_problem == "an object cannot be read: the JSON value is not an object");
}

TEST_CASE("a response that is not a list is rejected") {
    CHECK_THAT(problem_of_page(""), StartsWith("the list is not valid JSON"));
    CHECK_THAT(problem_of_page("<html>"), StartsWith("the list is not valid JSON"));
    CHECK_THAT(problem_of_page(R"({"metadata": {"resourceVersion": "1"}, "items": [)"),
               StartsWith("the list is not valid JSON"));
    CHECK_THAT(problem_of_page("{}"), ContainsSubstring("metadata.resourceVersion is missing"));
    CHECK_THAT(problem_of_page("[]"), ContainsSubstring("the JSON value is not an object"));
    CHECK_THAT(problem_of_page(R"({"metadata": {"resourceVersion": "1"}})"),
               ContainsSubstring("items is missing"));
    CHECK_THAT(problem_of_page(list(R"({"resourceVersion": "1"})", "{}")),
               ContainsSubstring("items is not an array"));
    CHECK_THAT(problem_of_page(list(R"({"resourceVersion": 1})", "[]")),
               ContainsSubstring("metadata.resourceVersion is not a string"));
    CHECK_THAT(problem_of_page(list(R"({"resourceVersion": "1", "continue": {}})", "[]")),
               ContainsSubstring("metadata.continue is not a string"));
    CHECK_THAT(problem_of_page(list(R"({"resourceVersion": ""})", "[]")),
               ContainsSubstring("metadata.resourceVersion is missing"));
}

TEST_CASE("a page that nests too deep is rejected") {
    CHECK_THAT(problem_of_page(std::string(100'000, '[')),
               StartsWith("the list is not valid JSON"));
}
