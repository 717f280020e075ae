// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/read_watch_event.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using kubernetes::detail::ObjectParser;
using kubernetes::detail::read_watch_event;
using kubernetes::detail::TextOf;
using kubernetes::detail::WantedFields;

namespace {

Result<WatchEvent<Pod>> try_event(std::string_view line, std::size_t max_values = 100) {
    ObjectParser parser(WantedFields::of<Pod>(), TextOf::watch_event, max_values);
    return read_watch_event<Pod>(line, parser);
}

WatchEvent<Pod> read(std::string_view line) {
    return try_event(line).value();
}

std::string problem_of_event(std::string_view line) {
    const auto event = try_event(line);
    REQUIRE(event.has_error());
    CHECK(event.error().is(Errc::bad_response));
    return event.error().message;
}

} // namespace

TEST_CASE("an event has a kind and an object") {
    const auto [type, kind] = GENERATE(table<std::string, WatchEventKind>({
        {"ADDED", WatchEventKind::added},
        {"MODIFIED", WatchEventKind::modified},
        {"DELETED", WatchEventKind::deleted},
    }));
    const WatchEvent<Pod> event = read(
        R"({"type": ")" + type +
        R"(", "object": {"kind": "Pod", "metadata": {"name": "p", "resourceVersion": "12"}}})");
    CHECK(event.kind == kind);
    REQUIRE(event.object);
    CHECK(event.object->metadata.name == "p");
    CHECK(event.resource_version == "12");
    CHECK(event.unreadable.problem.empty());
}

TEST_CASE("a bookmark carries a resource version and nothing else") {
    const WatchEvent<Pod> event = read(
        R"({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "12"}}})");
    CHECK(event.kind == WatchEventKind::bookmark);
    CHECK_FALSE(event.object);
    CHECK(event.resource_version == "12");
    CHECK(event.unreadable.problem.empty());
}

TEST_CASE("an event with an unreadable object has a problem and a resource version") {
    const WatchEvent<Pod> event = read(
        R"({"type": "MODIFIED", "object": {"metadata": {"name": "p", "resourceVersion": "12"}, "status": 1}})");
    CHECK(event.kind == WatchEventKind::modified);
    CHECK_FALSE(event.object);
    CHECK(event.resource_version == "12");
    CHECK(event.unreadable ==
          UnreadableObject{"", "p", "p cannot be read: status is not an object"});

    const WatchEvent<Pod> nothing = read(R"({"type": "ADDED", "object": 5})");
    CHECK_FALSE(nothing.object);
    CHECK(nothing.resource_version.empty());
    CHECK(nothing.unreadable.problem ==
          "an object cannot be read: the JSON value is not an object");
}

TEST_CASE("an error event has the API server's status") {
    const WatchEvent<Pod> event = read(
        R"x({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (2)"}})x");
    CHECK(event.kind == WatchEventKind::error);
    CHECK(event.status.code == 410);
    CHECK(event.status.reason == "Expired");
    CHECK(event.status.message == "too old resource version: 1 (2)");
    CHECK(read(R"({"type": "ERROR", "object": {}})").status.code == 0);
    CHECK(read(R"({"type": "ERROR", "object": {"code": 12345}})").status.code == 0);
    CHECK(read(R"({"type": "ERROR", "object": null})").status.code == 0);
}

TEST_CASE("an event whose object exceeds a limit has its name and its version") {
    const std::string deep = std::string(200, '[') + std::string(200, ']');
    const auto line = [](const std::string& conditions) {
        return R"({"object": {"kind": "Pod", "status": {"conditions": )" + conditions +
               R"(}, "metadata": {"resourceVersion": "12", "namespace": "llm", "name": "p"}},
                  "type": "MODIFIED"})";
    };
    const WatchEvent<Pod> event = read(line(deep));
    CHECK(event.kind == WatchEventKind::modified);
    CHECK_FALSE(event.object);
    CHECK(event.resource_version == "12");
    CHECK(
        event.unreadable ==
        UnreadableObject{"llm", "p", "Pod llm/p cannot be read: it nests deeper than 128 levels"});

    const WatchEvent<Pod> large = try_event(line("[0,0,0,0,0,0,0,0]"), 10).value();
    CHECK(large.unreadable.problem ==
          "Pod llm/p cannot be read: it has more than max_object_values = 10 JSON values");
    // Of a field that is not read, the depth counts, but not the number of values.
    CHECK(try_event(R"({"type": "ADDED", "object": {"metadata": {"name": "p"}, "spec": [)" +
                        std::string("0,0,0,0,0,0,0,0,0") + "]}}",
                    10)
              .value()
              .object);
    CHECK_THAT(problem_of_event(R"({"type": "PARTY", "object": )" + deep + "}"),
               ContainsSubstring("type is missing or unknown"));
}

TEST_CASE("a line that is not an event is rejected") {
    CHECK_THAT(problem_of_event("<html>"), ContainsSubstring("is not valid JSON"));
    CHECK_THAT(problem_of_event("[]"), ContainsSubstring("the JSON value is not an object"));
    CHECK_THAT(problem_of_event("{}"), ContainsSubstring("type is missing or unknown"));
    CHECK_THAT(problem_of_event(R"({"type": "PARTY", "object": {}})"),
               ContainsSubstring("type is missing or unknown"));
    CHECK_THAT(problem_of_event(R"({"type": 1, "object": {}})"),
               ContainsSubstring("type is not a string"));
    CHECK_THAT(problem_of_event(R"({"type": "ADDED"})"), ContainsSubstring("object is missing"));
}
