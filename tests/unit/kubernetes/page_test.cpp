// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/page.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

std::string list(const std::string& metadata, const std::string& items) {
    return R"({"kind": "PodList", "apiVersion": "v1", "metadata": )" + metadata + R"(, "items": )" +
           items + "}";
}

std::string problem(std::string_view body) {
    const Result<Page<Pod>> page = read_page<Pod>(body);
    REQUIRE(page.has_error());
    CHECK(page.error().is(Errc::bad_response));
    return page.error().message;
}

} // namespace

TEST_CASE("a page gives its objects, its place, and the way to the next page") {
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

TEST_CASE("the last page names no next one, and a list may be empty") {
    for (const char* items : {"[]", "null"}) {
        const Page<Pod> page = read_page<Pod>(list(R"({"resourceVersion": "9"})", items)).value();
        CHECK(page.objects.empty());
        CHECK(page.continue_token.empty());
    }
}

TEST_CASE("objects that cannot be read are left out of a page and counted") {
    const Page<Pod> page =
        read_page<Pod>(
            list(
                R"({"resourceVersion": "9"})",
                R"([{"metadata": {"name": "a"}}, 5, {"metadata": {}}, {"metadata": {"name": "b"}}])"))
            .value();
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[1].metadata.name == "b");
    CHECK(page.unreadable == 2);
    CHECK(page.first_problem == "an object cannot be read: it is no object");
}

TEST_CASE("what is no list is refused") {
    CHECK_THAT(problem(""), StartsWith("the list is no JSON"));
    CHECK_THAT(problem("<html>"), StartsWith("the list is no JSON"));
    CHECK_THAT(problem(R"({"metadata": {"resourceVersion": "1"}, "items": [)"),
               StartsWith("the list is no JSON"));
    CHECK_THAT(problem("{}"), ContainsSubstring("metadata.resourceVersion is missing"));
    CHECK_THAT(problem("[]"), ContainsSubstring("it is no object"));
    CHECK_THAT(problem(R"({"metadata": {"resourceVersion": "1"}})"),
               ContainsSubstring("items is missing"));
    CHECK_THAT(problem(list(R"({"resourceVersion": "1"})", "{}")),
               ContainsSubstring("items is no array"));
    CHECK_THAT(problem(list(R"({"resourceVersion": 1})", "[]")),
               ContainsSubstring("metadata.resourceVersion is no string"));
    CHECK_THAT(problem(list(R"({"resourceVersion": "1", "continue": {}})", "[]")),
               ContainsSubstring("metadata.continue is no string"));
    CHECK_THAT(problem(list(R"({"resourceVersion": ""})", "[]")),
               ContainsSubstring("metadata.resourceVersion is missing"));
}

TEST_CASE("a page that nests without end is refused") {
    CHECK_THAT(problem(std::string(100'000, '[')), StartsWith("the list is no JSON"));
}
