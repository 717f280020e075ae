// SPDX-License-Identifier: Apache-2.0
//
// Whatever an API server writes into its answers, and a user into names, what people read of it is
// bounded, clean and without secrets.
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/read_variant.hpp"

#include "support/api_messages.hpp"
#include "support/echoing_server.hpp"
#include "support/http_calls.hpp"
#include "support/presentable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

using Pods = kubernetes::Page<kubernetes::Pod>;
using PodEvent = kubernetes::WatchEvent<kubernetes::Pod>;

/// A server that gives one answer to everything, and a client with a token.
struct OneAnswer {
    explicit OneAnswer(std::function<std::string(const std::string&)> echo)
        : server(context, {echo_each(std::move(echo))}),
          client(context.get_executor(), {.http = {.url = server.url(),
                                                   .credentials = http::Credentials::bearer(
                                                       "token-of-the-service-account")}}) {}

    Result<Pods> list(const kubernetes::Selection& selection = {"llm", {}}) {
        std::optional<Result<Pods>> page;
        asio::co_spawn(context, client.list(resource, selection, ""),
                       [&](std::exception_ptr, Result<Pods> result) { page = std::move(result); });
        run_until(context, [&] { return page.has_value(); });
        return *std::move(page);
    }
    kubernetes::WatchEnd watch(const std::function<std::optional<Error>(PodEvent)>& on_event) {
        std::optional<kubernetes::WatchEnd> watched;
        asio::co_spawn(
            context, client.watch(resource, kubernetes::Selection{"llm", {}}, "1", on_event),
            [&](std::exception_ptr, kubernetes::WatchEnd end) { watched = std::move(end); });
        run_until(context, [&] { return watched.has_value(); });
        return *std::move(watched);
    }

    asio::io_context context;
    ScriptedServer server;
    kubernetes::Client client;
    kubernetes::Resource<kubernetes::Pod> resource;
};

/// A JSON string, without its quotation marks.
std::string inside_json(const std::string& text) {
    const std::string quoted = boost::json::serialize(boost::json::value(text));
    return quoted.substr(1, quoted.size() - 2);
}

/// A pod with this name and a label of this name that is no string.
std::string unreadable_pod(const std::string& name, const std::string& label) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","labels":{")" + label +
           R"(":1}}})";
}

} // namespace

TEST_CASE("what an API server writes into its answers is bounded and clean in every text") {
    const std::string hostile = inside_json(hostile_text());
    const auto body = GENERATE_COPY(
        status_json(403, "Forbidden", hostile), status_json(500, hostile, ""), hostile_text(),
        object_list({unreadable_pod("odd", hostile)}, "1"),
        object_list({unreadable_pod(hostile, "label")}, "1"), R"({"kind":")" + hostile + R"("})",
        watch_line("ERROR", status_json(500, "x", hostile)), watch_line(hostile, "{}"),
        watch_line("ADDED", unreadable_pod(hostile, hostile)));
    const auto status = GENERATE("200 OK", "403 Forbidden", "503 Busy");
    OneAnswer fixture([&](const std::string&) { return http_answer(body, "", status); });

    const Result<Pods> page = fixture.list();
    if (page.has_error())
        CHECK(is_presentable(page.error().describe()));
    else
        for (const kubernetes::UnreadableObject& object : page->unreadable.first)
            CHECK(is_presentable(object.problem, 500));
    const kubernetes::WatchEnd end = fixture.watch([](const PodEvent& event) {
        CHECK(is_presentable(event.unreadable.problem, 500));
        CHECK(is_presentable(event.status.message, 500));
        return std::nullopt;
    });
    if (end.error)
        CHECK(is_presentable(end.error->describe()));
}

TEST_CASE("a namespace of any length and characters does not enter an error as it is") {
    OneAnswer fixture([](const std::string&) { return http_answer("{}", "", "404 Not Found"); });
    const Result<Pods> page = fixture.list({hostile_text(), {}});
    REQUIRE(page.has_error());
    CHECK(is_presentable(page.error().describe()));
}

TEST_CASE("a token that a server echoes in an object that cannot be read is masked") {
    OneAnswer list([](const std::string& got) {
        return http_answer(object_list({unreadable_pod("odd", got)}, "1"));
    });
    const Result<Pods> page = list.list();
    REQUIRE(page.has_value());
    REQUIRE(page->unreadable.first.size() == 1);
    CHECK_THAT(page->unreadable.first.front().problem,
               Catch::Matchers::ContainsSubstring("cannot be read") &&
                   !Catch::Matchers::ContainsSubstring("token-of"));

    OneAnswer watch([](const std::string& got) {
        // Close to the beginning, because texts are cut.
        const std::string token = got.substr(got.find("Bearer"), 40);
        return http_answer(watch_line("ADDED", unreadable_pod("odd", token)));
    });
    std::string problem;
    watch.watch([&](const PodEvent& event) {
        problem = event.unreadable.problem;
        return std::nullopt;
    });
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring("***") &&
                            !Catch::Matchers::ContainsSubstring("token-of"));
}

TEST_CASE("the warning about a variant does not repeat long or invisible names") {
    kubernetes::VariantAutoscalingObject object;
    object.metadata.namespace_name = hostile_text();
    object.metadata.name = hostile_text();
    object.problem = hostile_text();
    CHECK(is_presentable(kubernetes::detail::read_variant(object).warning, 600));
    object.model_id = object.target_name = "x";
    object.variant_cost = hostile_text();
    CHECK(is_presentable(kubernetes::detail::read_variant(object).warning, 600));
}
