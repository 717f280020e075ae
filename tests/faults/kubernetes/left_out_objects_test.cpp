// SPDX-License-Identifier: Apache-2.0
//
// An object that cannot be read is left out, named and counted. The others are not affected, and
// what was known of it is not forgotten.
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"

#include "support/cluster.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string too_deep = std::string(130, '[') + std::string(130, ']');
const std::string too_large = '"' + std::string(20'000, 'x') + '"';

/// The object of `json`, with one more field.
std::string with_field(std::string json, const std::string& value) {
    json.insert(json.size() - 1, ",\"more\":" + value);
    return json;
}

kubernetes::ClientConfig small_objects(const Cluster& cluster) {
    kubernetes::ClientConfig config = cluster.config();
    config.max_object_bytes = 10'000;
    return config;
}

} // namespace

TEST_CASE("one object of a list that nests too deep or is too large is left out and named") {
    asio::io_context context;
    Cluster cluster(context);
    const auto [field, why] = GENERATE(table<std::string, std::string>(
        {{too_deep, "llm/odd cannot be read: it nests deeper than 128 levels"},
         {too_large, "llm/odd cannot be read: it has more than max_object_bytes = 10000 bytes"}}));
    cluster.server.answer_list(
        "pods",
        object_list({pod_json("a", "1"), with_field(pod_json("odd", "2"), field)}, "10", "more"));
    cluster.server.answer_list("pods", object_list({pod_json("b", "3")}, "10"));
    cluster.server.answer_watch("pods");
    const FollowedPods following(context, small_objects(cluster));
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    CHECK(following.received.names() == "a b");
    CHECK(following.reflector.status().synced);
    CHECK(following.reflector.status().unreadable == 1);
    CHECK_THAT(following.reflector.status().warning,
               ContainsSubstring("1 of the listed pods in namespace llm could not be read and are "
                                 "left out: " +
                                 why));
    REQUIRE(following.received.problems.size() == 1);
    CHECK_THAT(following.received.problems.front(), ContainsSubstring(why));
    CHECK_THAT(following.received.problems.front(), ContainsSubstring(cluster.server.url()));
}

TEST_CASE(
    "an event whose object nests too deep or is too large is skipped, and the watch goes on") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("odd", "1")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    const auto next = cluster.server.answer_watch("pods");
    const FollowedPods following(context, small_objects(cluster));
    stream->send(watch_line("MODIFIED", with_field(pod_json("odd", "11"), too_deep)));
    stream->send(watch_line("ADDED", with_field(pod_json("large", "12"), too_large)));
    stream->send(watch_line("ADDED", pod_json("b", "13")));
    run_until(context, [&] { return following.received.names() == "b odd"; });
    CHECK(following.received.pods.at("odd").metadata.resource_version == "1");
    CHECK(following.reflector.status().unreadable == 2);
    REQUIRE(following.received.problems.size() == 2);
    CHECK_THAT(following.received.problems[0], ContainsSubstring("llm/odd cannot be read"));
    CHECK_THAT(following.received.problems[1], ContainsSubstring("llm/large cannot be read"));
    CHECK_THAT(following.reflector.status().warning, ContainsSubstring("llm/large"));
    CHECK(following.received.lists == 1);

    // The version of a skipped event counts.
    stream->send(watch_line("ADDED", with_field(pod_json("large", "14"), too_large)));
    stream->end();
    run_until(context, [&] { return next->is_open(); });
    CHECK_THAT(cluster.server.targets("pods", true).back(),
               ContainsSubstring("resourceVersion=14&"));
}

TEST_CASE("a page that is too large is requested again with fewer objects, down to the one that is "
          "too large alone") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string odd = with_field(pod_json("odd", "1"), too_large);
    cluster.server.answer_list("pods", object_list({odd, pod_json("a", "2")}, "10"));
    cluster.server.answer_list("pods", object_list({odd}, "10", "more"));
    cluster.server.answer_list("pods", object_list({pod_json("a", "2")}, "10"));
    cluster.server.answer_watch("pods");
    kubernetes::ClientConfig config = cluster.config();
    config.page_size = 2;
    config.max_page_bytes = 15'000;
    const FollowedPods following(context, config);
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    CHECK(following.received.names() == "a");
    CHECK_THAT(following.reflector.status().warning,
               ContainsSubstring("llm/odd cannot be read: it has more than max_page_bytes = "));
    const std::vector<std::string> lists = cluster.server.targets("pods", false);
    REQUIRE(lists.size() == 3);
    CHECK_THAT(lists[0], ContainsSubstring("limit=2"));
    CHECK_THAT(lists[1], ContainsSubstring("limit=1"));
    CHECK_THAT(lists[2], ContainsSubstring("limit=2") && ContainsSubstring("continue=more"));
}

TEST_CASE("a pod that can no longer be read is in no known state, and not gone") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    const std::string owner = owner_json("StatefulSet", "set");
    server.answer_list("pods", object_list({pod_json("a", "1", true, owner),
                                            pod_json("b", "2", true, owner), pod_json("c", "3")},
                                           "10"));
    for (const char* const plural : {"replicasets", "statefulsets", "deployments"}) {
        server.answer_list(plural, object_list({}, "10"));
        server.answer_watch(plural);
    }
    const auto pods = server.answer_watch("pods");
    kubernetes::OwnerResolver owners(
        kubernetes::Client(context.get_executor(), small_objects(cluster)));
    owners.start();
    run_until(context, [&] { return owners.is_synced() && pods->is_open(); });
    pods->send(watch_line("MODIFIED", with_field(pod_json("a", "11", true, owner), too_deep)));
    run_until(context, [&] { return owners.state_of("llm", "a") == PodState::unknown; });
    CHECK(owners.find("llm", "a").has_value());
    CHECK(owners.state_of("llm", "b") == PodState::ready);

    // A list that lacks one because it cannot be read, and another because it was deleted.
    pods->send(watch_line("ERROR", status_json(410, "Expired", "too old resource version")));
    server.answer_list("pods",
                       object_list({pod_json("a", "12", true, owner),
                                    with_field(pod_json("b", "13", true, owner), too_large)},
                                   "30"));
    server.answer_watch("pods");
    run_until(context, [&] { return owners.state_of("llm", "c") == PodState::gone; });
    CHECK(owners.state_of("llm", "a") == PodState::ready);
    CHECK(owners.state_of("llm", "b") == PodState::unknown);
    CHECK(owners.find("llm", "b").has_value());
    CHECK_THAT(owners.status().front().warning, ContainsSubstring("llm/b cannot be read"));
}

TEST_CASE("a variant whose object can no longer be read stays, with a warning") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    const std::string variants = "variantautoscalings";
    server.answer_list(variants,
                       object_list({variant_json("a", "m", "1"), variant_json("b", "m", "2"),
                                    variant_json("c", "m", "3")},
                                   "10"));
    const auto watch = server.answer_watch(variants);
    std::vector<std::string> warnings;
    kubernetes::VariantWatcherConfig config;
    config.on_change = [&](const kubernetes::VariantsChange& change) {
        warnings.insert(warnings.end(), change.warnings.begin(), change.warnings.end());
    };
    kubernetes::VariantWatcher watcher(kubernetes::Client(context.get_executor(), cluster.config()),
                                       config);
    watcher.start();
    watch->send(watch_line("MODIFIED", with_field(variant_json("a", "other", "11"), too_deep)));
    run_until(context, [&] { return !warnings.empty(); });
    CHECK_THAT(warnings.front(), ContainsSubstring("llm/a cannot be read: it nests deeper"));
    CHECK(watcher.snapshot()->size() == 3);
    CHECK(watcher.snapshot()->front().model_id == "m");

    watch->send(watch_line("ERROR", status_json(410, "Expired", "too old resource version")));
    server.answer_list(variants,
                       object_list({with_field(variant_json("a", "other", "11"), too_deep),
                                    variant_json("b", "m", "2")},
                                   "30"));
    run_until(context, [&] { return watcher.snapshot()->size() == 2; });
    CHECK(watcher.snapshot()->front().name == "a");
    CHECK_THAT(watcher.status().warning, ContainsSubstring("llm/a cannot be read"));
}

TEST_CASE("a watch that is accepted is a contact, before there is any event") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto first = cluster.server.answer_watch("pods");
    const auto second = cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    const auto contact = [&] { return following.reflector.status().last_contact; };
    run_until(context, [&] { return following.received.lists == 1; });
    const auto listed = contact();
    run_until(context, [&] { return first->is_open() && contact() > listed; });
    // A lost connection is none.
    first->disconnect();
    const auto lost = contact();
    run_until(context, [&] { return second->is_open() && contact() > lost; });
    CHECK_FALSE(following.reflector.status().last_error);
}

TEST_CASE("an API server that asks to wait says so in the error of the list and of the watch") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string busy = status_json(429, "TooManyRequests", "try again later");
    cluster.server.answer_list("pods", busy, 429, "Retry-After: 30\r\n");
    auto config = cluster.config();
    config.http.protection.max_retry_after = Duration::zero(); // Only the reflector waits.
    FollowedPods listing(context, config);
    const auto requested = [&] {
        const auto error = listing.reflector.status().last_error;
        return error ? error->retry_after : std::nullopt;
    };
    run_until(context, [&] { return requested() == std::chrono::seconds(30); });
    cluster.server.answer_list("pods", object_list({}, "10"));
    cluster.server.reject_watch("pods", "", 503, "Retry-After: 7\r\n");
    run_until(context, [&] { return requested() == std::chrono::seconds(7); });
}
