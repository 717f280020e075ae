// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/relation.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace wva_metrics::samples::simulated {

namespace {

/// What the first target of a pod is to the second.
Relation relation_of(const Target& first, const Target& second, bool asks_identity = false,
                     const SampleRules& rules = {}) {
    Cluster cluster;
    cluster.asks_identity = asks_identity;
    cluster.scrape(first);
    cluster.scrape(second);
    const auto models = cluster.views(Store::prometheus);
    const std::vector<View>& views = models.at(0);
    REQUIRE(views.size() == 2);
    const Tags labels(views[0].labels.begin(), views[0].labels.end());
    const bool is_swapped = labels != first.labels;
    static const MetricTraits traits(vllm_metrics());
    const ViewComparer comparer(traits, rules, now);
    const ComparedView a(views[is_swapped ? 1 : 0], now, rules);
    const ComparedView b(views[is_swapped ? 0 : 1], now, rules);
    const Relation relation = comparer.relate(a, b);
    // It is the same the other way round.
    Relation turned = comparer.relate(b, a);
    CHECK(turned.evidence == relation.evidence);
    if (relation.kind == RelationKind::first_over)
        CHECK(turned.kind == RelationKind::second_over);
    else if (relation.kind == RelationKind::second_over)
        CHECK(turned.kind == RelationKind::first_over);
    else
        CHECK(turned.kind == relation.kind);
    return relation;
}

const std::string host_a = "10.0.0.1:8000";
const std::string host_a_other_port = "10.0.0.1:8001";
const std::string host_b = "10.0.0.2:8000";
const std::string host_b_other_port = "10.0.0.2:8001";

RelationKind kind_of(const Target& first, const Target& second, bool asks_identity = false) {
    return relation_of(first, second, asks_identity).kind;
}

} // namespace

TEST_CASE("equal addresses are one process") {
    Server server;
    const Relation relation =
        relation_of({&server, pod_target("p", host_a)},
                    {&server, pod_target("p", host_a, {{"job", "z"}}), 15s, 9s});
    CHECK(relation.kind == RelationKind::same);
    CHECK(relation.evidence == "address");
}

TEST_CASE("values tell several servers behind one address apart, except if clocks may disagree") {
    Server one;
    Server other{.per_second = 0.3, .queue = 9};
    const auto kind = [&](const Tags& labels) {
        return kind_of({&one, pod_target("p", host_a)},
                       {&other, pod_target("p", host_a, labels), 15s, 9s});
    };
    CHECK(kind({{"metrics_path", "/1/metrics"}}) == RelationKind::other);
    CHECK(kind({{"job", "z"}}) == RelationKind::unclear);
    CHECK(kind({{"container", "z"}}) == RelationKind::unclear);
    CHECK(kind({{"prometheus_replica", "b"}}) == RelationKind::same);
    CHECK(kind_of({&one, pod_target("p", host_a)},
                  {&one, pod_target("p", host_a, {{"metrics_path", "/again"}}), 15s, 9s}) ==
          RelationKind::same);
}

TEST_CASE("a label of the server divides one page, also where addresses or identities are equal") {
    Server one{.queue = 3};
    Server two{.queue = 4};
    const bool asks_identity = GENERATE(false, true);
    CHECK(kind_of({&one, pod_target("p", host_a, {{"lane", "a"}})},
                  {&two, pod_target("p", host_a, {{"lane", "b"}})},
                  asks_identity) == RelationKind::other);
    // Equal values at equal times were written twice; other times are another scrape.
    CHECK(kind_of({&one, pod_target("p", host_a, {{"lane", "a"}})},
                  {&one, pod_target("p", host_a, {{"lane", "b"}})},
                  asks_identity) == RelationKind::same);
    CHECK(kind_of({&one, pod_target("p", host_a, {{"lane", "a"}})},
                  {&two, pod_target("p", host_a, {{"lane", "b"}}), 15s, 9s}) == RelationKind::same);
    // A known label is none of the server.
    CHECK(kind_of({&one, pod_target("p", host_a, {{"container", "a"}})},
                  {&two, pod_target("p", host_a, {{"container", "b"}})}) == RelationKind::same);
}

TEST_CASE("other engines are added, before addresses and identities are looked at") {
    Server one{.engines = {"0"}};
    Server two{.engines = {"1"}};
    Server both{.engines = {"0", "1"}};
    const Tags a = pod_target("p", host_a);
    const Tags b = pod_target("p", host_a, {{"container", "z"}});
    const bool asks_identity = GENERATE(false, true);
    CHECK(kind_of({&one, a}, {&two, b, 15s, 9s}, asks_identity) == RelationKind::other);
    CHECK(kind_of({&one, a}, {&both, b, 15s, 9s}, asks_identity) == RelationKind::same);
    Server unnamed{.engine_label = ""};
    CHECK(kind_of({&one, a}, {&unnamed, b, 15s, 9s}, asks_identity) == RelationKind::same);
}

TEST_CASE("a common identity joins any addresses, another one divides a host") {
    Server one;
    Server two{.started = 9min};
    const Tags a = pod_target("p", host_a);
    CHECK(kind_of({&one, a}, {&one, pod_target("p", host_b_other_port), 15s, 9s}, true) ==
          RelationKind::same);
    CHECK(kind_of({&one, a}, {&two, pod_target("p", host_a_other_port), 15s, 9s}, true) ==
          RelationKind::other);
    CHECK(kind_of({&one, a}, {&two, pod_target("p", host_b), 15s, 9s}, true) ==
          RelationKind::unclear);
    const Tags bare_a = pod_target("p", "", {{"port", "1"}});
    const Tags bare_b = pod_target("p", "", {{"port", "2"}});
    CHECK(kind_of({&one, bare_a}, {&two, bare_b, 15s, 9s}, true) == RelationKind::other);
}

TEST_CASE("twins that started at once are not joined by the time of the start") {
    View a = measured::make_view({{measured::finished, measured::spaced(15s, 0s, {1, 2, 3, 4})}});
    View b = measured::make_view({{measured::finished, measured::spaced(15s, 0s, {6, 7, 8, 9})}});
    for (View* view : {&a, &b})
        view->identity = {{"process_start_time_seconds", 1234.56}};
    a.address = host_a;
    b.address = host_a_other_port;
    const MetricTraits traits(vllm_metrics());
    const SampleRules rules;
    const ViewComparer comparer(traits, rules, now);
    const auto kind = [&] {
        return comparer.relate(ComparedView(a, now, rules), ComparedView(b, now, rules)).kind;
    };
    CHECK(kind() == RelationKind::unclear);
    b.series = a.series;
    CHECK(kind() == RelationKind::same);
}

TEST_CASE("what ended before another began elsewhere is over") {
    Server old{.ended = 31s};
    Server young{.started = 20s};
    const Target first{&old, pod_target("p", host_a), 15s, 2s, 0s, 1h, 30s};
    CHECK(kind_of(first, {&young, pod_target("p", host_b)}) == RelationKind::first_over);
    CHECK(kind_of({&young, pod_target("p", host_a)}, {&old, pod_target("p", host_b), 15s, 2s, 0s,
                                                      1h, 30s}) == RelationKind::second_over);
    // On one host it may be a neighbour, whose last requests count.
    CHECK(kind_of(first, {&young, pod_target("p", host_a_other_port)}) == RelationKind::other);
}

TEST_CASE("two that live and are scraped in turn, once each, are no predecessor and successor") {
    Server one{.queue = 5};
    Server two{.queue = 7};
    const Tags a = pod_target("p", "", {{"container", "a"}});
    const Tags b = pod_target("p", "", {{"container", "b"}});
    CHECK(kind_of({&one, a, 60s, 20s}, {&two, b, 60s, 5s}) == RelationKind::unclear);
    CHECK(kind_of({&one, a, 45s, 40s}, {&two, b, 45s, 5s}) == RelationKind::unclear);
}

TEST_CASE("of two addresses of which one has ended the living one counts") {
    Server lives;
    Server ended{.per_second = 0.5, .ended = 20s};
    const Target over{&ended, pod_target("p", host_b_other_port), 15s, 2s, 0s, 1h, 20s};
    CHECK(kind_of({&lives, pod_target("p", host_a)}, over) == RelationKind::second_over);
    CHECK(kind_of({&lives, pod_target("p", host_a_other_port)}, over) == RelationKind::second_over);
}

TEST_CASE("one port on two hosts is one process of a pod with two addresses") {
    Server server;
    Server other{.per_second = 9};
    const Target first{&server, pod_target("p", host_a)};
    CHECK(kind_of(first, {&server, pod_target("p", "[fd00::1]:8000"), 15s, 9s}) !=
          RelationKind::unclear);
    CHECK(kind_of(first, {&other, pod_target("p", "[fd00::1]:8000"), 15s, 9s}) ==
          RelationKind::unclear);
}

TEST_CASE("values divide two ports, and what they leave open stays open") {
    Server one;
    Server faster{.per_second = 3};
    const Target first{&one, pod_target("p", host_a)};
    CHECK(kind_of(first, {&faster, pod_target("p", host_a_other_port), 15s, 9s}) ==
          RelationKind::other);
    CHECK(kind_of(first, {&faster, pod_target("p", host_b_other_port), 15s, 9s}) ==
          RelationKind::other);
    Server waiting{.per_second = 0};
    CHECK(kind_of({&waiting, pod_target("p", host_a)},
                  {&waiting, pod_target("p", host_a_other_port), 15s, 9s}) ==
          RelationKind::unclear);
}

TEST_CASE("two ports that somebody has chosen are two processes, unless they are proven one") {
    SampleRules chosen;
    chosen.are_ports_processes = true;
    Server one;
    Server twin{.queue = one.queue + 2};
    const Target first{&one, pod_target("p", host_a), 15s, 2s, 0s, 20s};
    const Target second{&twin, pod_target("p", host_a_other_port), 15s, 4s, 0s, 20s};
    CHECK(kind_of(first, second) == RelationKind::unclear);
    CHECK(relation_of(first, second, false, chosen).kind == RelationKind::other);
    // Not two hosts: these are addresses of one pod.
    const Target elsewhere{&twin, pod_target("p", host_b_other_port), 15s, 4s, 0s, 20s};
    CHECK(relation_of(first, elsewhere, false, chosen).kind == RelationKind::unclear);
    const Target again{&one, pod_target("p", host_a_other_port), 15s, 4s};
    CHECK(relation_of({&one, pod_target("p", host_a)}, again, true, chosen).kind ==
          RelationKind::same);
}

TEST_CASE("two that are idle and equal are one, because nothing is there to be added") {
    Server idle{.per_second = 0, .queue = 0, .running = 0};
    Server runs{.per_second = 0, .queue = 0, .running = 1};
    const Tags a = pod_target("p", host_a);
    const Tags b = pod_target("p", host_a_other_port);
    CHECK(relation_of({&idle, a}, {&idle, b, 15s, 9s}).evidence == "idle and equal");
    CHECK(kind_of({&idle, a}, {&idle, b, 15s, 9s}) == RelationKind::likely_same);
    CHECK(kind_of({&runs, a}, {&runs, b, 15s, 9s}) == RelationKind::unclear);
}

TEST_CASE("one that is too busy to be read is not over") {
    Server lives;
    Server busy{.per_second = 0.5, .busy_since = 30s};
    const Tags a = pod_target("p", "", {{"container", "a"}});
    const Tags b = pod_target("p", "", {{"container", "b"}});
    CHECK(kind_of({&lives, a}, {&busy, b, 15s, 4s}) != RelationKind::second_over);
    busy.ended = 30s;
    CHECK(kind_of({&lives, a}, {&busy, b, 15s, 4s, 0s, 1h, 30s}) == RelationKind::second_over);
}

TEST_CASE("without addresses the labels of the scrape tell copies, others do not") {
    Server server{.per_second = 0};
    const auto kind_with = [&](const std::string& label) {
        return kind_of({&server, pod_target("p", "", {{label, "a"}})},
                       {&server, pod_target("p", "", {{label, "b"}}), 15s, 9s});
    };
    for (const char* label : {"job", "prometheus", "prometheus_replica", "replica", "receive",
                              "monitor", "service", "pod_name"})
        CHECK(kind_with(label) == RelationKind::likely_same);
    for (const char* label : {"container", "endpoint", "port", "node", "lane", "cluster"})
        CHECK(kind_with(label) == RelationKind::unclear);
}

} // namespace wva_metrics::samples::simulated
