// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/read_object.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Operator = LabelRequirement::Operator;

namespace {

template <typename T>
Result<T> read(std::string_view json) {
    return read_object<T>(boost::json::parse(json));
}

template <typename T>
std::string problem(std::string_view json) {
    const Result<T> result = read<T>(json);
    REQUIRE(result.has_error());
    CHECK(result.error().is(Errc::bad_response));
    return result.error().message;
}

} // namespace

TEST_CASE("a pod is read with its owners, labels, phase and readiness") {
    const Pod pod = read<Pod>(R"({
        "metadata": {
            "name": "llama-7d9f-x2k4p", "namespace": "llm", "uid": "p1", "resourceVersion": "17",
            "creationTimestamp": null, "managedFields": [{"manager": "kubelet"}],
            "labels": {"app": "llama", "empty": ""},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Note", "name": "n", "uid": "o1"},
                {"kind": "ReplicaSet", "name": "llama-7d9f", "uid": "o2", "controller": true,
                 "blockOwnerDeletion": true}]},
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [
            {"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"},
            {"type": "ContainersReady", "status": "False"}]}})")
                        .value();
    CHECK(pod.metadata.name == "llama-7d9f-x2k4p");
    CHECK(pod.metadata.namespace_name == "llm");
    CHECK(pod.metadata.uid == "p1");
    CHECK(pod.metadata.resource_version == "17");
    CHECK(pod.metadata.labels == Labels{{"app", "llama"}, {"empty", ""}});
    REQUIRE(pod.metadata.owners.size() == 2);
    CHECK(pod.metadata.owners[0] == OwnerReference{"Note", "n", "o1", false});
    CHECK(pod.metadata.owners[1] == OwnerReference{"ReplicaSet", "llama-7d9f", "o2", true});
    CHECK(pod.metadata.controller() == &pod.metadata.owners[1]);
    CHECK_FALSE(pod.metadata.being_deleted);
    CHECK(pod.phase == "Running");
    CHECK(pod.ready);
}

TEST_CASE("a pod is ready only if its condition Ready is True") {
    const auto is_ready = [](const std::string& status) {
        return read<Pod>(R"({"metadata": {"name": "p"}, "status": {"conditions": [)" + status +
                         "]}}")
            .value()
            .ready;
    };
    CHECK(is_ready(R"({"type": "Ready", "status": "True"})"));
    CHECK_FALSE(is_ready(R"({"type": "Ready", "status": "False"})"));
    CHECK_FALSE(is_ready(R"({"type": "Ready", "status": "Unknown"})"));
    CHECK_FALSE(is_ready(R"({"type": "Ready"})"));
    CHECK_FALSE(is_ready(R"({"type": "ContainersReady", "status": "True"})"));
    CHECK_FALSE(is_ready(""));
}

TEST_CASE("an object is being deleted if it has a deletion timestamp") {
    const auto being_deleted = [](std::string_view json) {
        return read<Pod>(json).value().metadata.being_deleted;
    };
    CHECK(being_deleted(
        R"({"metadata": {"name": "p", "deletionTimestamp": "2025-01-01T00:00:00Z"}})"));
    CHECK_FALSE(being_deleted(R"({"metadata": {"name": "p", "deletionTimestamp": null}})"));
    CHECK_FALSE(being_deleted(R"({"metadata": {"name": "p"}})"));
}

TEMPLATE_TEST_CASE("an object needs only its name", "", Pod, ReplicaSet, Deployment, StatefulSet,
                   LeaderWorkerSet, VariantAutoscalingObject) {
    TestType expected;
    expected.metadata.name = "x";
    CHECK(read<TestType>(R"({"metadata": {"name": "x"}})").value() == expected);
    CHECK(read<TestType>(
              R"({"metadata": {"name": "x", "labels": null, "ownerReferences": null,
                  "namespace": null}, "spec": null, "status": null})")
              .value() == expected);
    CHECK(read<TestType>(R"({"metadata": {"name": "x", "labels": {}, "ownerReferences": []},
                             "spec": {}, "status": {}})")
              .value() == expected);

    CHECK(problem<TestType>("{}") == "an object cannot be read: metadata.name is missing or empty");
    CHECK(problem<TestType>(R"({"metadata": {"name": ""}})") ==
          "an object cannot be read: metadata.name is missing or empty");
    CHECK(problem<TestType>(R"({"metadata": {"name": 5}})") ==
          "an object cannot be read: metadata.name is not a string");
    CHECK(problem<TestType>(R"({"metadata": []})") ==
          "an object cannot be read: metadata is not an object");
    CHECK(problem<TestType>("[]") == "an object cannot be read: the JSON value is not an object");
    CHECK(problem<TestType>("null") == "an object cannot be read: the JSON value is not an object");
    CHECK(problem<TestType>("7") == "an object cannot be read: the JSON value is not an object");
}

TEMPLATE_TEST_CASE("a field of the wrong type makes an object unreadable, and is named", "", Pod,
                   Deployment) {
    CHECK(problem<TestType>(
              R"({"metadata": {"name": "x", "namespace": "llm", "labels": {"a": 1}}})") ==
          "llm/x cannot be read: metadata.labels.a is not a string");
    CHECK(problem<TestType>(R"({"metadata": {"name": "x", "ownerReferences": [{}, "o"]}})") ==
          "x cannot be read: metadata.ownerReferences[1] is not an object");
    CHECK(problem<TestType>(
              R"({"metadata": {"name": "x", "ownerReferences": [{"controller": "yes"}]}})") ==
          "x cannot be read: metadata.ownerReferences[0].controller is not a boolean");
    CHECK(problem<TestType>(R"({"metadata": {"name": "x", "ownerReferences": {}}})") ==
          "x cannot be read: metadata.ownerReferences is not an array");
    // The first problem is reported.
    CHECK(problem<TestType>(R"({"metadata": {"name": "x", "uid": 1, "labels": 2}})") ==
          "x cannot be read: metadata.uid is not a string");
}

TEST_CASE("names and values of the cluster are cleaned for one line") {
    CHECK(problem<Pod>(R"({"metadata": {"name": "a\nb", "labels": {"x\u0007": 1}}})") ==
          "a b cannot be read: metadata.labels.x  is not a string");
}

TEMPLATE_TEST_CASE("workloads are read with their selectors", "", ReplicaSet, Deployment,
                   StatefulSet) {
    const TestType object = read<TestType>(R"({"metadata": {"name": "x"}, "spec": {"selector": {
        "matchLabels": {"app": "llama"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["1", "2"]},
            {"key": "b", "operator": "NotIn", "values": ["3"]},
            {"key": "c", "operator": "Exists"},
            {"key": "d", "operator": "DoesNotExist", "values": null}]}}})")
                                .value();
    REQUIRE(object.selector);
    CHECK(*object.selector ==
          LabelSelector{.match_labels = {{"app", "llama"}},
                        .match_expressions = {{"a", Operator::in, {"1", "2"}},
                                              {"b", Operator::not_in, {"3"}},
                                              {"c", Operator::exists, {}},
                                              {"d", Operator::does_not_exist, {}}}});

    const auto with_selector = [](const std::string& selector) {
        return R"({"metadata": {"name": "x"}, "spec": {"selector": )" + selector + "}}";
    };
    // An empty selector means all objects, none means no object.
    CHECK(read<TestType>(with_selector("{}")).value().selector == LabelSelector{});
    CHECK(read<TestType>(with_selector("null")).value().selector == std::nullopt);
    CHECK(problem<TestType>(
              with_selector(R"({"matchExpressions": [{"key": "a", "operator": "Gt"}]})")) ==
          "x cannot be read: spec.selector.matchExpressions[0].operator is not one of In, NotIn, "
          "Exists and DoesNotExist");
    CHECK(problem<TestType>(with_selector(
              R"({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", 1]}]})")) ==
          "x cannot be read: spec.selector.matchExpressions[0].values[1] is not a string");
}

TEMPLATE_TEST_CASE("workloads are read with their desired replicas", "", Deployment, StatefulSet,
                   LeaderWorkerSet) {
    const auto with_replicas = [](const std::string& replicas) {
        return R"({"metadata": {"name": "x"}, "spec": {"replicas": )" + replicas + "}}";
    };
    CHECK(read<TestType>(with_replicas("0")).value().replicas == 0);
    CHECK(read<TestType>(with_replicas("3")).value().replicas == 3);
    CHECK(problem<TestType>(with_replicas("1.5")) ==
          "x cannot be read: spec.replicas is not an integer");
    CHECK(problem<TestType>(with_replicas("\"3\"")) ==
          "x cannot be read: spec.replicas is not an integer");
}

TEST_CASE("a variant autoscaling object is read without validation") {
    const VariantAutoscalingObject object = read<VariantAutoscalingObject>(R"({
            "apiVersion": "llmd.ai/v1alpha1", "kind": "VariantAutoscaling",
            "metadata": {"name": "llama-a100", "namespace": "llm",
                         "labels": {"inference.optimization/acceleratorName": "A100"}},
            "spec": {"modelID": "meta/llama", "variantCost": "forty",
                     "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"}}})")
                                                .value();
    CHECK(object.metadata.name == "llama-a100");
    CHECK(object.model_id == "meta/llama");
    CHECK(object.target_kind == "Deployment");
    CHECK(object.target_name == "llama");
    CHECK(object.variant_cost == "forty");
    CHECK(object.accelerator == "A100");
}

TEST_CASE("no field of its spec makes a variant autoscaling object unreadable") {
    const auto read_spec = [](const std::string& spec) {
        return read<VariantAutoscalingObject>(R"({"metadata": {"name": "x"}, "spec": )" + spec +
                                              "}")
            .value();
    };
    const auto [cost, text] = GENERATE(table<std::string, std::optional<std::string>>({
        {R"("40")", "40"},
        {"40", "40"},
        {"-3", "-3"},
        {"18446744073709551615", "18446744073709551615"},
        {"2.5", "2.5E0"},
        {"null", std::nullopt},
        {"true", "a boolean"},
        {"[40]", "an array"},
        {R"({"a": 40})", "an object"},
    }));
    CHECK(read_spec(R"({"variantCost": )" + cost + "}").variant_cost == text);
    CHECK(read_spec(R"({"variantCost": )" + cost + "}").problem.empty());

    CHECK(read_spec(R"({"scaleTargetRef": "llama", "modelID": "m"})").model_id == "m");
    CHECK(read_spec(R"({"scaleTargetRef": "llama"})").problem ==
          "spec.scaleTargetRef is not an object");
    CHECK(read_spec(R"({"scaleTargetRef": {"kind": 5}})").problem ==
          "spec.scaleTargetRef.kind is not a string");
    CHECK(read_spec("5").problem == "spec is not an object");
}

namespace mine {

struct Note {
    Metadata metadata;
    std::string text;
};
void read_fields(const JsonFields& fields, Note& note) {
    note.text = fields.text_or_empty("text");
}

} // namespace mine

TEST_CASE("a user's own type is read like the others") {
    STATIC_CHECK(ClusterObject<mine::Note>);
    STATIC_CHECK_FALSE(ClusterObject<std::string>);
    CHECK(read<mine::Note>(R"({"metadata": {"name": "n"}, "text": "hello"})").value().text ==
          "hello");
}
