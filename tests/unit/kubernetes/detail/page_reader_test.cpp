// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/page_reader.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using kubernetes::detail::PageLimits;
using kubernetes::detail::PageReader;

namespace {

std::string list(const std::string& metadata, const std::string& items) {
    return R"({"kind": "PodList", "apiVersion": "v1", "metadata": )" + metadata + R"(, "items": )" +
           items + "}";
}

Result<Page<Pod>> try_page(std::string_view body, const ClientConfig& config = {},
                           std::size_t page_size = 500) {
    PageReader<Pod> reader(PageLimits(config, page_size));
    reader.write(body);
    return reader.finish();
}

Page<Pod> read_page(std::string_view body, const ClientConfig& config = {}) {
    return try_page(body, config).value();
}

std::string problem_of_page(std::string_view body) {
    const Result<Page<Pod>> page = try_page(body);
    REQUIRE(page.has_error());
    CHECK(page.error().is(Errc::bad_response));
    return page.error().message;
}

std::string limit_of_page(std::string_view body, const ClientConfig& config) {
    const Result<Page<Pod>> page = try_page(body, config);
    REQUIRE(page.has_error());
    CHECK(page.error().is(Errc::too_large));
    return page.error().message;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (; times > 0; --times)
        all += text;
    return all;
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

} // namespace

TEST_CASE("a page has objects, a resource version and a continue token") {
    const Page<Pod> page =
        read_page(list(R"({"resourceVersion": "9", "continue": "abc", "remainingItemCount": 3})",
                       R"([{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}])"));
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[0].metadata.name == "a");
    CHECK(page.objects[1].metadata.name == "b");
    CHECK(page.resource_version == "9");
    CHECK(page.continue_token == "abc");
    CHECK(page.unreadable.count == 0);
}

TEST_CASE("the last page has no continue token, and a list may be empty") {
    for (const char* items : {"[]", "[ ]", "null"}) {
        const Page<Pod> page = read_page(list(R"({"resourceVersion": "9"})", items));
        CHECK(page.objects.empty());
        CHECK(page.continue_token.empty());
    }
}

TEST_CASE("unreadable objects are omitted from a page and counted") {
    const Page<Pod> page = read_page(
        list(R"({"resourceVersion": "9"})",
             R"([{"metadata": {"name": "a"}}, 5, {"metadata": {}}, {"metadata": {"name": "b"}}])"));
    REQUIRE(page.objects.size() == 2);
    CHECK(page.objects[1].metadata.name == "b");
    CHECK(page.unreadable.count == 2);
    CHECK(page.unreadable.first.at(0).problem ==
          "an object cannot be read: the JSON value is not an object");
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

TEST_CASE("a list that is not JSON is rejected, whatever is wrong with it") {
    const std::string good = R"({"metadata": {"name": "a"}})";
    const std::vector<std::string> lists{"[" + good + ",]",
                                         "[," + good + "]",
                                         "[" + good + ",," + good + "]",
                                         "[" + good + " " + good + "]",
                                         "[" + good + "}",
                                         "[" + good,
                                         "[{]",
                                         "[{\"a\": 1]]",
                                         "[\"a]",
                                         good + "]",
                                         std::string(100'000, '[')};
    for (const std::string& items : lists) {
        CAPTURE(items.substr(0, 100));
        CHECK_THAT(problem_of_page(list(R"({"resourceVersion": "9"})", items)),
                   ContainsSubstring("not"));
    }
    CHECK_THAT(problem_of_page(list(R"({"resourceVersion": "9"})", "[]") + "x"),
               StartsWith("the list is not valid JSON"));
}

TEST_CASE("an object that nests too deep or is too large is left out, named and counted") {
    ClientConfig config;
    config.max_object_bytes = 2000;
    config.max_object_values = 50;
    const std::string metadata = R"("metadata": {"namespace": "llm", "name": "odd"})";
    const auto [field, why] = GENERATE(table<std::string, std::string>({
        {R"("spec": )" + nested(128), "it nests deeper than 128 levels"},
        {R"("spec": )" + nested(900), "it nests deeper than 128 levels"},
        {R"("spec": ")" + std::string(3000, 'x') + '"',
         "it has more than max_object_bytes = 2000 bytes"},
        {R"("spec": )" + nested(10'000), "it has more than max_object_bytes = 2000 bytes"},
        {R"("status": {"conditions": [)" + repeated("{},", 60) + "{}]}",
         "it has more than max_object_values = 50 JSON values"},
    }));
    CAPTURE(field.substr(0, 100), why);
    for (const bool is_metadata_first : {true, false}) {
        const std::string odd = is_metadata_first
                                    ? "{\"kind\": \"Pod\", " + metadata + ", " + field + "}"
                                    : "{" + field + ", " + metadata + ", \"kind\": \"Pod\"}";
        const Page<Pod> page = read_page(
            list(R"({"resourceVersion": "9"})",
                 R"([{"metadata": {"name": "a"}}, )" + odd + R"(, {"metadata": {"name": "b"}}])"),
            config);
        REQUIRE(page.objects.size() == 2);
        CHECK(page.unreadable.count == 1);
        CHECK(page.unreadable.are_all_named());
        CHECK(page.unreadable.first ==
              std::vector{UnreadableObject{"llm", "odd", "Pod llm/odd cannot be read: " + why}});
    }
}

TEST_CASE("a page has no more bytes, objects and memory than the limits allow") {
    const std::string body = list(R"({"resourceVersion": "9"})",
                                  R"([{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}])");
    ClientConfig config;
    CHECK(try_page(body, config).has_value());
    SECTION("bytes") {
        config.max_page_bytes = body.size() - 1;
        CHECK_THAT(limit_of_page(body, config), ContainsSubstring("max_page_bytes = "));
        // A smaller page cannot be requested.
        CHECK(try_page(body, config, 1).has_value());
    }
    SECTION("objects") {
        config.max_objects = 1;
        CHECK_THAT(limit_of_page(body, config), ContainsSubstring("max_objects = 1 objects"));
        // What cannot be read counts too, or a page could have any number of it.
        const std::string zeros = list(R"({"resourceVersion": "9"})", "[0, 0]");
        CHECK_THAT(limit_of_page(zeros, config), ContainsSubstring("max_objects = 1 objects"));
    }
    SECTION("memory") {
        config.max_list_bytes = 2 * sizeof(Pod) - 1;
        CHECK_THAT(limit_of_page(body, config), ContainsSubstring("max_list_bytes = "));
    }
    SECTION("text beside the objects") {
        CHECK_THAT(limit_of_page("{\"x\": \"" + std::string(100'000, 'x'), config),
                   ContainsSubstring("more than 65536 bytes"));
    }
}

TEST_CASE("a page reads the same, wherever its body is cut") {
    ClientConfig config;
    config.max_object_bytes = 100;
    const std::string body = list(
        R"({"resourceVersion": "9", "continue": "c\"]}"})",
        R"([ {"metadata": {"name": "a", "labels": {"items": "[]}\\"}}} , 5,{"metadata":{"name":"big","x":")" +
            std::string(100, 'y') + R"("}}, {"metadata": {"name": "b"}}])");
    const auto text_of = [](const Page<Pod>& page) {
        std::string text = page.continue_token + page.resource_version;
        for (const Pod& pod : page.objects)
            text += ' ' + pod.metadata.name;
        for (const UnreadableObject& object : page.unreadable.first)
            text += " ?" + object.name;
        return text;
    };
    for (std::size_t one = 0; one <= body.size(); one += 1) {
        for (std::size_t two = one; two <= body.size(); two += 7) {
            PageReader<Pod> reader(PageLimits(config, 500));
            reader.write(std::string_view(body).substr(0, one));
            reader.write(std::string_view(body).substr(one, two - one));
            reader.write(std::string_view(body).substr(two));
            REQUIRE(text_of(reader.finish().value()) == "c\"]}9 a b ? ?big");
        }
    }
    // A body that is cut off is never taken for a page.
    for (std::size_t end = 0; end < body.size(); ++end)
        REQUIRE(try_page(std::string_view(body).substr(0, end), config).has_error());
}
